/// Reads once from start to end: a pipe, a terminal, or a range of a file. Of a line whose end is not there yet, the bytes
/// are carried over, since a stream cannot be read again.
final class StreamReader {
  private let descriptor: Int32
  private let name: String
  private let buffer: LineBuffer
  /// The bytes of a file that are left to read; nil: until the stream ends.
  private var range: Range<UInt64>?
  /// Bytes at the buffer's start that belong to a line whose end is still to come.
  private var carried = 0
  /// The first byte of the stream that is not delivered: where the carried bytes begin.
  private(set) var offset: UInt64
  /// Bytes of the line over the limit that were neither delivered nor carried.
  private var dropped: UInt64 = 0

  /// `range`: of a file; `offset`: how much of a stream was read before.
  init(_ descriptor: Int32, name: String, _ buffer: LineBuffer, range: Range<UInt64>? = nil, offset: UInt64 = 0) {
    self.descriptor = descriptor
    self.name = name
    self.buffer = buffer
    self.range = range
    self.offset = range?.lowerBound ?? offset
  }

  /// Reads once; false at the end, where a line that lacks its LF is delivered as if it had one.
  func read(source: Int, to sink: any LineSink, _ counters: inout SourceCounters) throws(SystemError) -> Bool {
    let count: Int
    if let left = range {
      count = buffer.read(
        descriptor, at: left.lowerBound, count: Int(min(UInt64(LineBuffer.chunk), UInt64(left.count))), to: carried)
      if count > 0 { range = left.lowerBound + UInt64(count)..<left.upperBound }
    } else {
      count = buffer.read(descriptor, count: LineBuffer.chunk, to: carried)
    }
    guard count >= 0 else { throw .last("read \(name)") }
    counters.bytes += UInt64(count)
    var end = carried + count
    if count == 0 {
      guard carried > 0 else { return false }
      buffer[end] = 10
      end += 1
    }
    if carried > LineLimit.bytes {
      skip(carried..<end, source, sink, &counters)
    } else {
      take(0..<end, source, sink, &counters)
    }
    return count > 0
  }

  private func take(_ bytes: Range<Int>, _ source: Int, _ sink: any LineSink, _ counters: inout SourceCounters) {
    let result = buffer.deliver(bytes, at: offset, from: source, to: sink)
    offset += UInt64(result.consumed - bytes.lowerBound)
    counters.lines += UInt64(result.lines)
    counters.tooLong += UInt64(result.tooLong)
    // A line over the limit is carried as its head and one byte more, which says that it is.
    let rest = result.consumed..<min(bytes.upperBound, result.consumed + LineLimit.bytes + 1)
    dropped = UInt64(bytes.upperBound - rest.upperBound)
    buffer.moveToStart(rest)
    carried = rest.count
  }

  /// Inside a line over the limit: looks for its end, then lends its head.
  private func skip(_ bytes: Range<Int>, _ source: Int, _ sink: any LineSink, _ counters: inout SourceCounters) {
    guard let end = buffer.firstNewline(in: bytes) else {
      dropped += UInt64(bytes.count)
      return
    }
    buffer.lendCut(at: offset, from: source, to: sink)
    counters.lines += 1
    counters.tooLong += 1
    offset += UInt64(carried) + dropped + UInt64(end + 1 - bytes.lowerBound)
    take(end + 1..<bytes.upperBound, source, sink, &counters)
  }
}
