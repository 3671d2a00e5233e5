/// Reads logfmt: `ts=2026-11-28T04:35:01Z level=warn msg="login failed" remote=192.0.2.7`.
///
/// A value with spaces, quotes or equals signs is in quotes, with a backslash before what is special: all loggers that are
/// in use write it so, and a client's text therefore ends where its quotes end. Words without `=` are keys without a value, which
/// some loggers put in front. Not believed are a key that occurs twice among those that are asked for, a quote that ends nowhere,
/// and one inside a bare word.
struct LogfmtReader: Sendable {
  /// One bit each says which have been seen.
  static let mostKeys = 64

  private let keys: [(text: [UInt8], slot: Int)]

  /// Nil when more keys than `mostKeys` are asked for.
  init?(_ fields: [(slot: Int, name: String)]) {
    guard fields.count <= Self.mostKeys else { return nil }
    keys = fields.map { (Array($0.name.utf8), $0.slot) }
  }

  func read(_ line: borrowing Span<UInt8>, into table: inout FieldTable) throws(Unread) {
    var at = 0
    var seen: UInt64 = 0
    var hasPairs = false
    while true {
      at = skipSpaces(line, at)
      guard at < line.count else { break }
      let start = at
      while at < line.count, line[at] != UInt8(ascii: "="), line[at] != UInt8(ascii: " ") {
        guard line[at] != UInt8(ascii: "\"") else { throw hasPairs ? .unbelieved : .otherFormat }
        at += 1
      }
      let key = start..<at
      guard at < line.count, line[at] == UInt8(ascii: "=") else { continue }
      hasPairs = true
      let value = try Self.value(line, from: at + 1)
      at = value.end
      guard let index = find(line, key) else { continue }
      guard seen & 1 << UInt64(index) == 0 else { throw .unbelieved }
      seen |= 1 << UInt64(index)
      table.add(keys[index].slot, line, value.range, value.isEscaped ? .quoted : .plain)
    }
    guard hasPairs else { throw .otherFormat }
  }

  private func find(_ line: borrowing Span<UInt8>, _ key: Range<Int>) -> Int? {
    for index in keys.indices where LineScanner.equal(line, key, keys[index].text) { return index }
    return nil
  }

  private static func value(
    _ line: borrowing Span<UInt8>, from start: Int
  ) throws(Unread) -> (range: Range<Int>, isEscaped: Bool, end: Int) {
    var at = start
    guard at < line.count, line[at] == UInt8(ascii: "\"") else {
      while at < line.count, line[at] != UInt8(ascii: " ") {
        guard line[at] != UInt8(ascii: "\"") else { throw .unbelieved }
        at += 1
      }
      return (start..<at, false, at)
    }
    guard let close = CombinedReader.quoteEnd(line, from: start + 1),
      close + 1 == line.count || line[close + 1] == UInt8(ascii: " ")
    else { throw .unbelieved }
    for at in start + 1..<close where line[at] == UInt8(ascii: "\\") { return (start + 1..<close, true, close + 1) }
    return (start + 1..<close, false, close + 1)
  }
}
