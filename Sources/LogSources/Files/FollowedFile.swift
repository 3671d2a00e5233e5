internal import Glibc
import Model
internal import System

/// One open file (an inode, whatever its name is by now) and how far it is read.
final class FollowedFile {
  let descriptor: Descriptor
  /// Where it was found; messages name it so.
  let path: String
  /// Whose file it is; nil once it is no longer followed.
  unowned var source: FileSource?
  private(set) var identity: FileIdentity
  /// The first byte that has not been dealt with: the start of a line, or a byte inside a line over the limit.
  private(set) var offset: UInt64
  private var cutter = LineCutter()
  /// As of the last look.
  private(set) var size: UInt64
  private(set) var links: UInt64
  private var lastModified: Int
  /// inotify's number for it; nil where it cannot be watched.
  var watch: Int32?
  /// Does inotify tell of every change of it?
  var isTold: Bool { watch != nil && fileSystemTells }
  private let fileSystemTells: Bool
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
  /// It joined by a wildcard and nothing of it was delivered yet: it may be a copy of a file that is followed.
  var mayBeDuplicate = false
  /// The file of which it is a copy so far; what both hold is read there.
  private(set) weak var original: FollowedFile?
  private(set) var duplicates: [FollowedFile] = []
  /// What is known of its content before it was emptied or replaced, until it is clear whether it was rewritten.
  var rewriting: PendingRewrite?
  /// When everything in it was read (monotonic seconds); nil: what was there when it was found is not read yet.
  var caughtUpAt: Double?
  /// What is around each line; known as soon as the file has one, and then it stays.
  private(set) var envelope: Envelope?
  private var isEnvelopeKnown = false
  /// The position has changed since the last checkpoint.
  var hasMoved = true
  private(set) var lastGrowth: Double
  /// Seconds since the epoch when it was last read to its end: a copy made before holds nothing new.
  private(set) var lastAtEnd = 0
  /// The largest size seen since it was last emptied.
  private(set) var lastSeenSize: UInt64 = 0
  /// The last lines that were delivered.
  private(set) var recentLines = RecentLines()

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
    size = status.size
    links = status.links
    lastModified = status.modified
    lastGrowth = monotonicSeconds()
    fileSystemTells = FileSystem.isTold(descriptor: raw)
  }

  /// Bytes that are there and not read.
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

  /// Goes on elsewhere; what lies between is not delivered.
  func seek(to newOffset: UInt64) {
    if newOffset != offset { hasMoved = true }
    offset = newOffset
    cutter.isSkipping = false
  }

  /// Starts with the last line that had not ended when the file was `end` bytes long, so that no half line is ever taken
  /// for a whole one.
  func seekToLine(before end: UInt64, _ buffer: LineBuffer) {
    let end = min(end, size)
    let start = end > UInt64(LineLimit.bytes) ? end - UInt64(LineLimit.bytes) : 0
    let count = buffer.read(descriptor.raw, at: start, count: Int(end - start))
    if count > 0, let newline = buffer.lastNewline(in: 0..<count) {
      seek(to: start + UInt64(newline) + 1)
      // Only programs that keep short logs write them again in place.
      if start == 0 { recentLines.add(0..<newline + 1, of: buffer) }
    } else {
      // Without an LF in 64 KiB the line is over the limit anyway: it is skipped to its end.
      seek(to: start == 0 ? 0 : end)
      cutter.isSkipping = start > 0
    }
  }

  /// Has `other` the same bytes before `end`? Looked at are the last 128 KiB; how both begin is known.
  func isSame(as other: FollowedFile, before end: UInt64, _ buffer: LineBuffer) -> Bool {
    let half = min(Int(end), LineBuffer.chunk / 2)
    let start = end - UInt64(half)
    guard buffer.read(descriptor.raw, at: start, count: half) == half,
      buffer.read(other.descriptor.raw, at: start, count: half, to: half) == half
    else { return false }
    return buffer.isEqual(0..<half, half..<2 * half)
  }

  func addDuplicate(_ file: FollowedFile) {
    file.original = self
    duplicates.append(file)
  }

  func removeDuplicate(_ file: FollowedFile) {
    file.original = nil
    duplicates.removeAll { $0 === file }
  }

  /// The lines that were delivered are nobody's any more.
  func forgetLines() { recentLines = RecentLines() }

  /// Goes on with the lines of a file that this one replaces.
  func inheritLines(of other: FollowedFile) { recentLines = other.recentLines }

  /// After a restart the offset may be inside a line over the limit, whose head was delivered.
  func resume(_ buffer: LineBuffer) {
    if offset <= UInt64(LineLimit.bytes) {
      let count = buffer.read(descriptor.raw, at: 0, count: Int(offset))
      if count > 0, buffer[count - 1] == 10 { recentLines.add(0..<count, of: buffer) }
      return
    }
    guard !endsLine(before: offset, buffer) else { return }
    let count = buffer.read(descriptor.raw, at: offset - UInt64(LineLimit.bytes), count: LineLimit.bytes)
    cutter.isSkipping = count == LineLimit.bytes && buffer.lastNewline(in: 0..<count) == nil
  }

  private func endsLine(before offset: UInt64, _ buffer: LineBuffer) -> Bool {
    buffer.read(descriptor.raw, at: offset - 1, count: 1) != 1 || buffer[0] == 10 || buffer[0] == 0
  }

  // MARK: Envelopes

  /// Looks what is around the file's lines, and makes ready to take them out. Called before each reading.
  func prepare(_ source: FileSource, _ buffer: LineBuffer) {
    if !isEnvelopeKnown, size > 0 {
      let count = buffer.read(descriptor.raw, at: 0, count: 4096)
      guard count > 0, buffer.firstNewline(in: 0..<count) != nil || count == 4096 else { return }
      isEnvelopeKnown = true
      envelope = buffer.lend(0..<(buffer.firstNewline(in: 0..<count) ?? count)) { Envelope(head: $0) }
      if let envelope {
        cutter.limit = Envelope.recordLimit
        if offset > 0 { findBegunLines(source.decoder(envelope), buffer) }
      }
    }
    source.outlet.decoder = envelope.map { source.decoder($0) }
  }

  /// How far back the first part of a line may be: as long a line as is kept, each byte written as six, and as much of the
  /// other output.
  private static let lookBack: UInt64 = 768 << 10

  /// Which lines are begun before the offset: their other parts are still to come.
  private func findBegunLines(_ decoder: RecordDecoder, _ buffer: LineBuffer) {
    var at = offset > Self.lookBack ? offset - Self.lookBack : 0
    decoder.beginReplay(isMidway: at > 0)
    var isWhole = at == 0
    while at < offset {
      let count = buffer.read(descriptor.raw, at: at, count: Int(min(UInt64(LineBuffer.chunk), offset - at)))
      guard count > 0, let last = buffer.lastNewline(in: 0..<count) else { break }
      let first = isWhole ? 0 : (buffer.firstNewline(in: 0..<count) ?? last) + 1
      isWhole = true
      if first <= last { buffer.lend(first..<last + 1) { decoder.decode($0, at: at + UInt64(first)) } }
      at += UInt64(last + 1)
    }
    decoder.endReplay()
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
    if size < offset { return true }
    let head = Fingerprint.head(of: descriptor.raw)
    guard Fingerprint.matches(identity, head: head) else { return true }
    if head.count > Int(identity.fingerprintLength) {
      identity.fingerprint = Fingerprint.hash(head.span)
      identity.fingerprintLength = UInt32(head.count)
      hasMoved = true
    }
    return false
  }

  /// It was emptied: begins again. Returns how many bytes are known to be gone.
  func restart() -> UInt64 {
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

  /// Reads a chunk and lends its whole lines.
  func read(_ buffer: LineBuffer, to outlet: LineOutlet) -> Outcome {
    // The byte before is read too: it ended the line before, or this is not the file that it was.
    let context = offset > 0 && !cutter.isSkipping ? 1 : 0
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
      return start < size ? .more : .atEnd
    }
    note(end: offset - UInt64(context) + UInt64(count))
    let end = cutter.cut(
      context..<count, of: buffer, at: offset, isFull: count == LineBuffer.chunk, to: outlet)
    if end > context {
      if !cutter.isSkipping { recentLines.add(context..<end, of: buffer) }
      offset += UInt64(end - context)
      outlet.counters.bytes += UInt64(end - context)
      hasMoved = true
    }
    if count == LineBuffer.chunk { return .more }
    lastAtEnd = time(nil)
    return .atEnd
  }

  /// A rotated file's last line that nobody ended: delivered as if it had been.
  func finishLastLine(_ buffer: LineBuffer, to outlet: LineOutlet) {
    guard !isCopy, !cutter.isSkipping else { return }
    let count = buffer.read(descriptor.raw, at: offset, count: LineLimit.bytes)
    guard count > 0 else { return }
    buffer[count] = 10
    _ = cutter.cut(0..<count + 1, of: buffer, at: offset, to: outlet)
    outlet.counters.bytes += UInt64(count)
    seek(to: max(size, offset + UInt64(count)))
  }

  private func note(end: UInt64) {
    if end > size { size = end }
    if end > lastSeenSize {
      lastSeenSize = end
      lastGrowth = monotonicSeconds()
    }
  }
}
