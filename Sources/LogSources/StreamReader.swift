/// Lines from standard input, or from any other stream that is read from its start to its end.
final class StreamReader {
  private let descriptor: Int32
  private let buffer: LineBuffer
  /// Bytes at the buffer's start that belong to a line whose end is still to come.
  private var carried = 0
  /// Where the carried bytes begin in the stream.
  private(set) var offset: UInt64 = 0
  /// The line's first 64 KiB were carried already; the rest is dropped.
  private var dropped: UInt64 = 0

  init(_ descriptor: Int32, _ buffer: LineBuffer) {
    self.descriptor = descriptor
    self.buffer = buffer
  }

  /// Reads once; false at the end, where a line that lacks its LF is delivered as if it had one.
  func read(source: Int, to sink: any LineSink, _ counters: inout SourceCounters) throws(SystemError) -> Bool {
    let count = buffer.read(descriptor, count: LineBuffer.chunk, to: carried)
    guard count >= 0 else { throw .last("read standard input") }
    var end = carried + count
    if count == 0 {
      guard carried > 0 || dropped > 0 else { return false }
      buffer[end] = 10
      end += 1
      counters.bytes -= 1
    }
    if carried == LineLimit.bytes + 1 {
      return skip(carried..<end, source, sink, &counters) && count > 0
    }
    take(0..<end, source, sink, &counters)
    return count > 0
  }

  private func take(_ range: Range<Int>, _ source: Int, _ sink: any LineSink, _ counters: inout SourceCounters) {
    let result = buffer.deliver(range, at: offset, from: source, to: sink)
    let consumed = result.consumed - range.lowerBound
    offset += UInt64(consumed)
    counters.bytes &+= UInt64(consumed)
    counters.lines += UInt64(result.lines)
    counters.tooLong += UInt64(result.tooLong)
    var rest = result.consumed..<range.upperBound
    if result.isInLongLine {
      dropped = UInt64(rest.count - LineLimit.bytes - 1)
      rest = rest.lowerBound..<rest.lowerBound + LineLimit.bytes + 1
    }
    buffer.moveToStart(rest)
    carried = rest.count
  }

  /// Inside a line over the limit: looks for its end, then lends its head.
  private func skip(_ range: Range<Int>, _ source: Int, _ sink: any LineSink, _ counters: inout SourceCounters) -> Bool
  {
    guard let end = buffer.firstNewline(in: range) else {
      dropped += UInt64(range.count)
      return true
    }
    buffer.lendCut(at: offset, from: source, to: sink)
    counters.lines += 1
    counters.tooLong += 1
    let length = UInt64(carried) + dropped + UInt64(end + 1 - range.lowerBound)
    counters.bytes &+= length
    offset += length
    dropped = 0
    carried = 0
    take(end + 1..<range.upperBound, source, sink, &counters)
    return true
  }
}
