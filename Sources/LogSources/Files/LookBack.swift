import Model
internal import System

/// Lends again what the run before has read, as far as filters must know of it: who opened a connection that is still open, how
/// many requests there were in the last minute. Nothing is stored of that, so after a crash it is what it would have been.
struct LookBack {
  /// No more than this of one file is read again, which takes a second or two.
  static let most: UInt64 = 256 << 20
  /// Places nearer than this are not told apart: reading more than is needed does no harm.
  private static let near: UInt64 = 128 << 10

  let source: FileSource
  let buffer: LineBuffer

  /// All files of the source, oldest first, up to where they have been read.
  func read() {
    let files = source.queue.filter { !$0.isCopy && $0.offset > 0 }
    guard source.lookBack > .zero, let newest = files.reversed().lazy.compactMap({ lastTime(in: $0) }).first else {
      return
    }
    let outlet = source.outlet
    let counters = outlet.counters
    outlet.isLive = false
    outlet.isPast = true
    for file in files { read(file, from: start(in: file, since: newest.subtracting(source.lookBack))) }
    outlet.isPast = false
    outlet.counters = counters
  }

  private func read(_ file: FollowedFile, from start: UInt64) {
    file.prepare(source, buffer)
    var cutter = LineCutter()
    if let envelope = file.envelope {
      cutter.limit = Envelope.recordLimit
      source.outlet.decoder = RecordDecoder(envelope)
    }
    var at = start
    while at < file.offset {
      let count = buffer.read(
        file.descriptor.raw, at: at, count: Int(min(UInt64(LineBuffer.chunk), file.offset - at)))
      guard count > 0 else { return }
      let end = cutter.cut(0..<count, of: buffer, at: at, to: source.outlet)
      guard end > 0 else { return }
      at += UInt64(end)
      source.outlet.sink.checkpoint([])
    }
  }

  /// The start of a line before which all lines are older than `time`; found by halves, since logs are in the order of time.
  private func start(in file: FollowedFile, since time: Instant) -> UInt64 {
    var low = file.offset > Self.most ? lineStart(in: file, at: file.offset - Self.most) : 0
    var high = file.offset
    while high > low, high - low > Self.near {
      let middle = low + (high - low) / 2
      guard let found = firstTime(in: file, at: middle), found.time < time, found.offset < high else {
        high = middle
        continue
      }
      low = found.offset
    }
    return low
  }

  private func lineStart(in file: FollowedFile, at offset: UInt64) -> UInt64 {
    let count = buffer.read(file.descriptor.raw, at: offset, count: LineBuffer.chunk)
    guard count > 0, let end = buffer.firstNewline(in: 0..<count) else { return file.offset }
    return offset + UInt64(end) + 1
  }

  /// The first whole line behind `offset` that says its time.
  private func firstTime(in file: FollowedFile, at offset: UInt64) -> (offset: UInt64, time: Instant)? {
    let count = buffer.read(
      file.descriptor.raw, at: offset, count: Int(min(UInt64(LineLimit.bytes), file.offset - offset)))
    guard count > 0, var at = buffer.firstNewline(in: 0..<count).map({ $0 + 1 }) else { return nil }
    while at < count, let end = buffer.firstNewline(in: at..<count) {
      if let time = buffer.lend(at..<end, { source.outlet.time(of: $0) }) { return (offset + UInt64(at), time) }
      at = end + 1
    }
    return nil
  }

  /// When the last line before the file's position was written, as far as lines say.
  private func lastTime(in file: FollowedFile) -> Instant? {
    let start = file.offset > UInt64(LineLimit.bytes) ? file.offset - UInt64(LineLimit.bytes) : 0
    let count = buffer.read(file.descriptor.raw, at: start, count: Int(file.offset - start))
    guard count > 0, var end = buffer.lastNewline(in: 0..<count) else { return nil }
    while true {
      let line = buffer.lastNewline(in: 0..<end).map { $0 + 1 } ?? 0
      if let time = buffer.lend(line..<end, { source.outlet.time(of: $0) }) { return time }
      guard line > 0 else { return nil }
      end = line - 1
    }
  }
}
