internal import Glibc
import Model

/// One open file (an inode, whatever its name is by now) and how far it is read.
final class FollowedFile {
  let descriptor: Descriptor
  /// Where it was found; messages name it so.
  let path: String
  private(set) var identity: FileIdentity
  /// The first byte that has not been delivered: the start of a line.
  private(set) var offset: UInt64
  /// There is no LF from `offset` up to here.
  private var searchFrom: UInt64
  /// As of the last look.
  private(set) var size: UInt64
  private(set) var links: UInt64
  private var lastModified: Int
  /// inotify's number for it; nil where it is only looked at once a second.
  var watch: Int32?
  /// It may have grown.
  var isReady = true
  /// It has been read to its end since another file took its path.
  var isDrained = false
  /// Which of the source's `(rotated n)` names its position is stored under, once it is drained.
  var slot: Int?
  /// A file that glob patterns still name is never released, or it would be taken for a new one.
  var isNamed = true
  /// The copy of a truncated file: its last line, if it has no end, goes on nowhere.
  let isCopy: Bool
  /// The position has changed since the last checkpoint.
  var hasMoved = true
  private(set) var lastGrowth: Double

  /// Opens a regular file. Nothing else is opened at all: a FIFO would wait for its writer.
  /// `name`: what messages call it, where `path` is not its name.
  init(path: String, name: String? = nil, offset: UInt64 = 0, isCopy: Bool = false) throws(SystemError) {
    let before = try FileStatus.of(path: path)
    guard before.isRegular else {
      throw SystemError(
        code: before.mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL, operation: "follow \(path), \(before.kind)")
    }
    // Safe: open(2) reads the path during the call.
    let raw = retrying { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) }
    guard raw >= 0 else { throw .last("open \(path)") }
    descriptor = Descriptor(raw)
    guard let status = FileStatus.of(descriptor: raw), status.isRegular else { throw .last("read \(path)") }
    self.path = name ?? path
    self.isCopy = isCopy
    identity = Fingerprint.identity(of: status, head: Fingerprint.head(of: raw))
    self.offset = offset
    searchFrom = offset
    size = status.size
    links = status.links
    lastModified = status.modified
    lastGrowth = monotonicSeconds()
  }

  var lag: UInt64 { size > offset ? size - offset : 0 }

  /// Has it grown, shrunk or been unlinked since the last look?
  func look() -> Bool {
    guard let status = FileStatus.of(descriptor: descriptor.raw) else { return false }
    links = status.links
    if status.size > size { lastGrowth = monotonicSeconds() }
    let changed = status.size != size || status.modified != lastModified
    size = status.size
    lastModified = status.modified
    return changed
  }

  /// Starts with the last line that had not ended when the file was `end` bytes long, so that no half line is ever taken
  /// for a whole one.
  func seekToLine(before end: UInt64, _ buffer: LineBuffer) {
    let end = min(end, size)
    let start = end > UInt64(LineLimit.bytes) ? end - UInt64(LineLimit.bytes) : 0
    let count = buffer.read(descriptor.raw, at: start, count: Int(end - start))
    if count > 0, let newline = buffer.lastNewline(in: 0..<count) {
      seek(to: start + UInt64(newline) + 1)
    } else {
      // Without an LF in 64 KiB the line is over the limit anyway: it is skipped to its end.
      seek(to: start == 0 ? 0 : end)
      skipsToNewline = start > 0
    }
  }

  /// `offset` is inside a line of which nothing is to be delivered.
  private var skipsToNewline = false

  func seek(to newOffset: UInt64) {
    offset = newOffset
    searchFrom = newOffset
  }

  enum Outcome {
    /// Nothing more to read for now.
    case atEnd
    /// There may be more.
    case more
    /// Its content is not what it was: emptied, and perhaps rewritten.
    case truncated
    case failed(Int32)
  }

  /// Looks whether it still is the file whose first `offset` bytes were read; takes a longer fingerprint as it grows.
  func isTruncated() -> Bool {
    _ = look()
    if size < offset || size < searchFrom { return true }
    let head = Fingerprint.head(of: descriptor.raw)
    guard Fingerprint.matches(identity, head: head) else { return true }
    if head.count > Int(identity.fingerprintLength) {
      identity.fingerprint = Fingerprint.hash(head.span)
      identity.fingerprintLength = UInt32(head.count)
      hasMoved = true
    }
    return false
  }

  /// Seconds since the epoch when it was last read to its end: a copy made before holds nothing new.
  private(set) var lastAtEnd = 0

  /// It was emptied: begin again. Returns how many bytes are known to be gone.
  func restart(_ buffer: LineBuffer) -> UInt64 {
    let unread = lastSeenSize > offset ? lastSeenSize - offset : 0
    guard let status = FileStatus.of(descriptor: descriptor.raw) else { return unread }
    size = status.size
    lastSeenSize = size
    identity = Fingerprint.identity(of: status, head: Fingerprint.head(of: descriptor.raw))
    seek(to: 0)
    hasMoved = true
    isReady = true
    return unread
  }

  /// The largest size seen since it was last emptied.
  private(set) var lastSeenSize: UInt64 = 0

  /// SEEK_DATA of lseek(2), which Swift's Glibc module leaves out.
  private static let seekData: Int32 = 3

  /// A writer that does not append goes on at its old offset after a truncation and leaves a hole before it, which
  /// reads as NUL bytes: the log begins after them.
  private func firstByte(_ buffer: LineBuffer) -> UInt64 {
    var start: UInt64 = 0
    if buffer.read(descriptor.raw, at: 0, count: 1) == 1, buffer[0] == 0 {
      let data = lseek(descriptor.raw, 0, Self.seekData)
      if data > 0 { start = UInt64(data) }
      while true {
        let count = buffer.read(descriptor.raw, at: start, count: LineBuffer.chunk)
        guard count > 0 else { break }
        var i = 0
        while i < count, buffer[i] == 0 { i += 1 }
        start += UInt64(i)
        if i < count { break }
      }
    }
    return start
  }

  /// Reads a chunk and lends its whole lines to the sink.
  func read(_ buffer: LineBuffer, source: Int, to sink: any LineSink, _ counters: inout SourceCounters) -> Outcome {
    if searchFrom - offset > UInt64(LineLimit.bytes) { return searchLongLine(buffer, source, sink, &counters) }
    if skipsToNewline { return skipLine(buffer) }
    // The byte before is read too: it ended the line before, or this is not the file that it was.
    let context = offset > 0 ? 1 : 0
    let count = buffer.read(descriptor.raw, at: offset - UInt64(context), count: LineBuffer.chunk)
    guard count >= 0 else { return .failed(errno) }
    guard count >= context else { return .truncated }
    if context == 1, count >= 1, buffer[0] != 10, buffer[0] != 0 { return .truncated }
    if count == context {
      lastAtEnd = time(nil)
      return .atEnd
    }
    if offset == 0, buffer[0] == 0 {
      let start = firstByte(buffer)
      seek(to: start)
      hasMoved = true
      return start < size ? .more : .atEnd
    }
    note(end: offset - UInt64(context) + UInt64(count))
    let result = buffer.deliver(context..<count, at: offset, from: source, to: sink)
    let consumed = UInt64(result.consumed - context)
    offset += consumed
    searchFrom = result.isInLongLine ? offset + UInt64(count - result.consumed) : offset
    if consumed > 0 {
      hasMoved = true
      counters.bytes += consumed
      counters.lines += UInt64(result.lines)
      counters.tooLong += UInt64(result.tooLong)
    }
    if count == LineBuffer.chunk { return .more }
    lastAtEnd = time(nil)
    return .atEnd
  }

  private func skipLine(_ buffer: LineBuffer) -> Outcome {
    let count = buffer.read(descriptor.raw, at: offset, count: LineBuffer.chunk)
    guard count > 0 else { return count < 0 ? .failed(errno) : .atEnd }
    note(end: offset + UInt64(count))
    hasMoved = true
    guard let end = buffer.firstNewline(in: 0..<count) else {
      seek(to: offset + UInt64(count))
      return .more
    }
    skipsToNewline = false
    seek(to: offset + UInt64(end) + 1)
    return .more
  }

  /// A rotated file's last line that nobody ended: delivered as if it had been.
  func finishLastLine(_ buffer: LineBuffer, source: Int, to sink: any LineSink, _ counters: inout SourceCounters) {
    guard !isCopy, !skipsToNewline else { return }
    let count = buffer.read(descriptor.raw, at: offset, count: LineLimit.bytes)
    guard count > 0 else { return }
    buffer[count] = 10
    let result = buffer.deliver(0..<count + 1, at: offset, from: source, to: sink)
    counters.lines += UInt64(result.lines)
    counters.bytes += UInt64(count)
    seek(to: max(size, offset + UInt64(count)))
  }

  private func note(end: UInt64) {
    if end > size { size = end }
    if end > lastSeenSize {
      lastSeenSize = end
      lastGrowth = monotonicSeconds()
    }
  }

  /// Goes on looking for the end of a line over the limit; when it is found, lends its first 64 KiB.
  private func searchLongLine(
    _ buffer: LineBuffer, _ source: Int, _ sink: any LineSink, _ counters: inout SourceCounters
  ) -> Outcome {
    let count = buffer.read(descriptor.raw, at: searchFrom, count: LineBuffer.chunk)
    guard count >= 0 else { return .failed(errno) }
    guard count > 0 else { return .atEnd }
    note(end: searchFrom + UInt64(count))
    guard let end = buffer.firstNewline(in: 0..<count) else {
      searchFrom += UInt64(count)
      return count == LineBuffer.chunk ? .more : .atEnd
    }
    let next = searchFrom + UInt64(end) + 1
    let head = buffer.read(descriptor.raw, at: offset, count: LineLimit.bytes)
    guard head == LineLimit.bytes else { return head < 0 ? .failed(errno) : .truncated }
    buffer.lendCut(at: offset, from: source, to: sink)
    counters.lines += 1
    counters.tooLong += 1
    counters.bytes += next - offset
    seek(to: next)
    hasMoved = true
    return .more
  }
}

/// What a source has given so far.
struct SourceCounters {
  var lines: UInt64 = 0
  var bytes: UInt64 = 0
  var tooLong: UInt64 = 0
  var rotations: UInt64 = 0
  var truncations: UInt64 = 0
  var losses: UInt64 = 0
}
