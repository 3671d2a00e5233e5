internal import System

/// Reads once from start to end: a pipe, a terminal, or a range of a file. Of a line whose end is not there yet, the bytes
/// are carried over, since a stream cannot be read again.
final class StreamReader {
  private let descriptor: Int32
  private let name: String
  private let buffer: LineBuffer
  private var cutter: LineCutter
  /// Does all that there will be follow without delay? Then lines are lent with what follows them.
  private let isPast: Bool
  /// The bytes of a file that are left to read; nil: until the stream ends.
  private var range: Range<UInt64>?
  /// Bytes at the buffer's start that belong to a line whose end is still to come, or are kept back.
  private var carried = 0
  /// The first byte of the stream that is not delivered: where the carried bytes begin.
  private(set) var offset: UInt64

  /// `range`: of a file; `offset`: how much of a stream was read before. The buffer must be one for lines of `lineLimit`.
  init(
    _ descriptor: Int32, name: String, _ buffer: LineBuffer, range: Range<UInt64>? = nil, offset: UInt64 = 0,
    lineLimit: Int = LineLimit.bytes, isPast: Bool = false
  ) {
    self.isPast = isPast
    cutter = LineCutter(limit: lineLimit)
    self.descriptor = descriptor
    self.name = name
    self.buffer = buffer
    self.range = range
    self.offset = range?.lowerBound ?? offset
  }

  /// Reads once; false at the end, where a line that lacks its LF is delivered as if it had one.
  func read(to outlet: LineOutlet) throws(SystemError) -> Bool {
    let count: Int
    if let left = range {
      count = buffer.read(
        descriptor, at: left.lowerBound, count: Int(min(UInt64(LineBuffer.chunk), UInt64(left.count))), to: carried)
      if count > 0 { range = left.lowerBound + UInt64(count)..<left.upperBound }
    } else {
      count = buffer.read(descriptor, count: LineBuffer.chunk, to: carried)
    }
    guard count >= 0 else { throw .last("read \(name)") }
    outlet.counters.bytes += UInt64(count)
    var end = carried + count
    if count == 0 {
      guard carried > 0 else { return false }
      if buffer[end - 1] != 10 {
        buffer[end] = 10
        end += 1
      }
    }
    let done = cutter.cut(0..<end, of: buffer, at: offset, isFull: isPast && count > 0, to: outlet)
    offset += UInt64(done)
    buffer.moveToStart(done..<end)
    carried = end - done
    return count > 0
  }
}
