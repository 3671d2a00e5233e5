/// Cuts what is read into whole lines and lends them: the one place that knows of lines over the limit. As soon as a line
/// is longer, its head is lent as if it ended there; what comes up to its end is dropped.
struct LineCutter {
  var limit: Int
  /// Inside a line of which nothing more is to be lent: its head was, or its beginning was never read.
  var isSkipping = false

  /// What is kept back of a full chunk: filters must know what follows a line (nginx's records have up to 2048 bytes).
  static let ahead = 2048

  init(limit: Int = LineLimit.bytes) { self.limit = limit }

  /// Lends the whole lines of `range`, whose first byte stands at `offset` of the source. Returns the end of what is dealt
  /// with; what follows is the beginning of a line, at most `limit` bytes, to be brought again with its end.
  ///
  /// `isFull`: there is more to read at once. Then the last lines are kept back, to be brought again too, and those before
  /// are lent with what follows them.
  mutating func cut(
    _ range: Range<Int>, of buffer: LineBuffer, at offset: UInt64, isFull: Bool = false, to outlet: LineOutlet
  ) -> Int {
    func lend(_ lines: Range<Int>, ahead: Range<Int>? = nil) {
      guard !lines.isEmpty else { return }
      let following = ahead.map { buffer.copy($0) }
      buffer.lend(lines) {
        outlet.lend($0, at: offset + UInt64(lines.lowerBound - range.lowerBound), ahead: following)
      }
    }

    /// Where lines begin that are not lent yet, and the line at hand.
    var start = range.lowerBound
    if isSkipping {
      guard let end = buffer.firstNewline(in: range) else { return range.upperBound }
      isSkipping = false
      start = end + 1
    }
    var line = start
    while line < range.upperBound {
      // One byte more than the limit, for the LF of a line that just fits.
      let window = min(line + limit + 1, range.upperBound)
      if let end = buffer.lastNewline(in: line..<window) {
        line = end + 1
        continue
      }
      guard window - line > limit else { break }
      lend(start..<line)
      // The byte is one of those that are dropped.
      buffer[line + limit] = 10
      lend(line..<line + limit + 1)
      outlet.counters.tooLong += 1
      guard let end = buffer.firstNewline(in: window..<range.upperBound) else {
        isSkipping = true
        return range.upperBound
      }
      line = end + 1
      start = line
    }
    if isFull, line - start > Self.ahead, let kept = buffer.lastNewline(in: start..<line - Self.ahead) {
      line = kept + 1
      lend(start..<line, ahead: line..<min(line + Self.ahead, range.upperBound))
    } else {
      lend(start..<line)
    }
    return line
  }
}
