internal import Model

/// Records that a client tore apart with line ends of its own.
extension LineScanner {
  private static let mostLines = 8
  private static let mostBytes = 4096

  /// May the line that begins at `start` be a client's text? One of the lines before it begins a record whose end is missing.
  mutating func isTorn(
    _ torn: CompiledExpression, _ native: NativeFilter, _ lines: borrowing Span<UInt8>, before start: Int,
    _ history: LineHistory, _ clock: inout LogClock
  ) -> Bool {
    var left = Self.mostLines
    var at = start
    while at > 0, left > 0, start - at < Self.mostBytes {
      let begin = lines.lineStart(before: at - 1)
      if opens(torn, native, lines.extracting(begin..<at - 1), &clock) { return true }
      at = begin
      left -= 1
    }
    guard at == 0 else { return false }
    let earlier = history.tail
    var end = earlier.count
    while end > 0, left > 0, start + earlier.count - end < Self.mostBytes {
      let begin = earlier.span.lineStart(before: end - 1)
      if opens(torn, native, earlier.span.extracting(begin..<end - 1), &clock) { return true }
      end = begin
      left -= 1
    }
    return false
  }

  private mutating func opens(
    _ torn: CompiledExpression, _ native: NativeFilter, _ line: borrowing Span<UInt8>, _ clock: inout LogClock
  ) -> Bool {
    var end = line.count
    if end > 0, line[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    var start = 0
    if !native.programs.isEmpty, let header = SyslogHeader.parse(line, clock: &clock) {
      guard native.admits(line, header.program) else { return false }
      start = header.message
    }
    return start <= end && scratch.match(torn.pattern, line.extracting(start..<end)) == .matched
  }
}
