internal import Glibc
public import System

/// A log that is read once from its start to its end, as fast as the sink takes it: what `bailiff replay` plays.
///
/// ```swift
/// let log = try PastLog("/var/log/auth.log.2.gz")
/// let counts = try log.read(as: 0, to: sink)
/// ```
///
/// Files that gzip, xz, zstd or bzip2 wrote (told by their first bytes, not by their names) go through those programs.
public final class PastLog: Sendable {
  /// What a reading came to.
  public struct Counts: Hashable, Sendable {
    public var lines: UInt64 = 0
    /// After decompression.
    public var bytes: UInt64 = 0
    /// Lines over `LineLimit.bytes`; counted in `lines` too.
    public var tooLong: UInt64 = 0
  }

  /// `-` is standard input.
  public let path: String
  /// The length of a file whose ranges can be read apart, also at the same time; nil where there is only one way through.
  public let size: UInt64?
  let compression: Compression?
  let descriptor: Descriptor

  public init(_ path: String) throws(SystemError) {
    self.path = path
    guard path != "-" else {
      descriptor = Descriptor(dup(STDIN_FILENO))
      guard descriptor.raw >= 0 else { throw .last("read standard input") }
      compression = nil
      size = nil
      return
    }
    // Safe: open(2) reads the path during the call.
    let raw = retrying { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) }
    guard raw >= 0 else { throw .last("open \(path)") }
    descriptor = Descriptor(raw)
    guard let status = FileStatus.of(descriptor: raw) else { throw .last("read \(path)") }
    guard status.kind != "a directory" else { throw SystemError(code: EISDIR, operation: "read \(path)") }
    compression = status.isRegular ? Compression(head: Fingerprint.head(of: raw)) : nil
    // Lines that a container's runtime has cut are joined, which takes a reading from the start.
    let isWrapped = compression == nil && Envelope(head: Fingerprint.head(of: raw).span) != nil
    size = status.isRegular && compression == nil && !isWrapped ? status.size : nil
    if status.isRegular { _ = posix_fadvise(raw, 0, 0, POSIX_FADV_SEQUENTIAL) }
  }

  /// Delivers the lines, numbered as `source`, with a checkpoint (of no positions) after every chunk. `begin` is the
  /// caller's to send.
  /// - Parameters:
  ///   - range: only lines whose first byte lies in these bytes of the file; needs `size`. Ranges that touch share no
  ///     line and miss none.
  ///   - goesOn: asked after every chunk; false ends the reading.
  public func read(
    _ range: Range<UInt64>? = nil, as source: Int, to sink: any LineSink, while goesOn: () -> Bool = { true }
  ) throws(SystemError) -> Counts {
    let envelope = try envelope()
    let limit = envelope == nil ? LineLimit.bytes : Envelope.recordLimit
    let buffer = LineBuffer(lineLimit: limit)
    let outlet = LineOutlet(source, to: sink)
    if let envelope { outlet.decoder = RecordDecoder(envelope) }
    if let compression { return try decompress(compression, outlet, buffer, limit, goesOn) }
    var bytes: Range<UInt64>?
    if let size {
      let range = range ?? 0..<size
      let start = lineStart(atOrAfter: min(range.lowerBound, size), size, buffer)
      bytes = start..<max(start, lineStart(atOrAfter: min(range.upperBound, size), size, buffer))
    }
    let reader = StreamReader(descriptor.raw, name: path, buffer, range: bytes, lineLimit: limit, isPast: path != "-")
    while try reader.read(to: outlet) {
      sink.checkpoint([])
      guard goesOn() else { break }
    }
    sink.checkpoint([])
    return Counts(outlet.counters)
  }

  /// What is around its lines.
  private func envelope() throws(SystemError) -> Envelope? {
    guard path != "-" else { return nil }
    let head = try decompressedHead()
    return Envelope(head: head.span)
  }

  private func lineStart(atOrAfter offset: UInt64, _ size: UInt64, _ buffer: LineBuffer) -> UInt64 {
    guard offset > 0 else { return 0 }
    var at = offset - 1
    while at < size {
      let count = buffer.read(descriptor.raw, at: at, count: 4096)
      guard count > 0 else { break }
      if let newline = buffer.firstNewline(in: 0..<count) { return at + UInt64(newline) + 1 }
      at += UInt64(count)
    }
    return size
  }

  /// The first bytes of what a compressed file holds.
  func decompressedHead() throws(SystemError) -> [UInt8] {
    guard let compression else { return Fingerprint.head(of: descriptor.raw) }
    let child = try Decompressor(compression, of: descriptor.raw, name: path)
    let buffer = LineBuffer()
    var count = 0
    while count < Fingerprint.length {
      try child.waitForOutput()
      let more = buffer.read(child.output, count: Fingerprint.length - count, to: count)
      guard more > 0 else { break }
      count += more
    }
    return (0..<count).map { buffer[$0] }
  }

  /// Delivers what a compressed file holds from `offset` on; `checkpoint` is told after every chunk how far that is.
  func resume(
    at offset: UInt64, to outlet: LineOutlet, checkpoint: (UInt64) -> Void
  ) throws(SystemError) {
    guard let compression else { return }
    let child = try Decompressor(compression, of: descriptor.raw, name: path)
    let limit = outlet.decoder == nil ? LineLimit.bytes : Envelope.recordLimit
    let buffer = LineBuffer(lineLimit: limit)
    var skipped: UInt64 = 0
    while skipped < offset {
      try child.waitForOutput()
      let count = buffer.read(child.output, count: Int(min(offset - skipped, UInt64(LineBuffer.chunk))), to: 0)
      guard count > 0 else { return try child.finish() }
      skipped += UInt64(count)
    }
    let reader = StreamReader(child.output, name: path, buffer, offset: offset, lineLimit: limit, isPast: true)
    var more = true
    while more {
      try child.waitForOutput()
      more = try reader.read(to: outlet)
      checkpoint(reader.offset)
    }
    try child.finish()
  }

  private func decompress(
    _ compression: Compression, _ outlet: LineOutlet, _ buffer: LineBuffer, _ limit: Int, _ goesOn: () -> Bool
  ) throws(SystemError) -> Counts {
    let child = try Decompressor(compression, of: descriptor.raw, name: path)
    let reader = StreamReader(child.output, name: path, buffer, lineLimit: limit, isPast: true)
    repeat {
      try child.waitForOutput()
      guard try reader.read(to: outlet) else {
        try child.finish()
        break
      }
      outlet.sink.checkpoint([])
    } while goesOn()
    outlet.sink.checkpoint([])
    return Counts(outlet.counters)
  }
}

extension PastLog.Counts {
  init(_ counters: SourceCounters) {
    self.init(lines: counters.lines, bytes: counters.bytes, tooLong: counters.tooLong)
  }
}
