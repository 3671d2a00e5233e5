internal import Matching

/// The last lines of a log, for filters with `maxlines`: their patterns are searched over all of them together. The dates are
/// cut out. Lines that a pattern has used up leave.
struct LineWindow {
  private(set) var lines: [[UInt8]] = []
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Adds a line without its date; the oldest one makes room, and gives its memory.
  mutating func append(_ line: borrowing Span<UInt8>, without cut: Range<Int>) {
    var text: [UInt8] = lines.count >= limit ? lines.removeFirst() : []
    text.removeAll(keepingCapacity: true)
    text.append(line, 0..<cut.lowerBound)
    text.append(line, cut.upperBound..<line.count)
    lines.append(text)
  }

  /// All lines, each with its line end.
  func join(into text: inout [UInt8]) {
    text.removeAll(keepingCapacity: true)
    for line in lines {
      text.append(contentsOf: line)
      text.append(10)
    }
  }

  mutating func replace(with line: borrowing Span<UInt8>) {
    var text: [UInt8] = []
    text.append(line, 0..<line.count)
    lines = [text]
  }

  /// Takes out the lines that a match is on, `match` being its place in the joined text; lines that only `<SKIPLINES>`
  /// went over stay.
  mutating func take(_ match: Range<Int>, in text: [UInt8], skipped: [[UInt8]]) -> [[UInt8]] {
    guard lines.count > 1 else {
      defer { lines = [] }
      return lines
    }
    let first = Self.linesEnded(in: text, before: Self.lineStart(text, match.lowerBound))
    let last = Self.linesEnded(in: text, before: Self.lineEnd(text, match.upperBound))
    let lower = min(first, lines.count)
    let upper = max(lower, min(last, lines.count))
    var matched = Array(lines[lower..<upper])
    var rest = Array(lines[..<lower])
    var from = 0
    for line in skipped {
      guard let place = matched[min(from, matched.count)...].firstIndex(of: line) else { continue }
      rest.append(matched.remove(at: place))
      from = place
    }
    rest.append(contentsOf: lines[upper...])
    lines = rest
    return matched
  }

  private static func lineStart(_ text: [UInt8], _ place: Int) -> Int {
    var at = min(place, text.count - 1)
    while at >= 0, text[at] != 10 { at -= 1 }
    return at + 1
  }

  private static func lineEnd(_ text: [UInt8], _ place: Int) -> Int {
    var at = max(0, place - 1)
    while at < text.count, text[at] != 10 { at += 1 }
    return min(at + 1, text.count)
  }

  private static func linesEnded(in text: [UInt8], before end: Int) -> Int {
    var count = 0
    for at in 0..<end where text[at] == 10 { count += 1 }
    return count
  }
}
