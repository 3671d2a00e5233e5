/// What servers log of a request: its first line, and the parts of it.
struct RequestLine: Sendable {
  /// The slots; below 0: nobody asks for it.
  private let request: Int
  private let method: Int
  private let path: Int
  private let `protocol`: Int

  init(_ fields: [(slot: Int, name: String)]) {
    func slot(_ name: String) -> Int { fields.first { $0.name == name }?.slot ?? -1 }
    request = slot("request")
    method = slot("method")
    path = slot("path")
    `protocol` = slot("protocol")
  }

  private func add(_ slot: Int, _ line: borrowing Span<UInt8>, _ range: Range<Int>, _ table: inout FieldTable) {
    if slot >= 0 { table.add(slot, line, range) }
  }

  /// `METHOD PATH PROTOCOL`, of which a client may send anything else.
  func read(_ line: borrowing Span<UInt8>, _ quoted: Range<Int>, into table: inout FieldTable) {
    let range = Self.withoutColours(line, quoted)
    add(request, line, range, &table)
    let verb = CombinedReader.word(line, range)
    guard verb.upperBound < range.upperBound, !verb.isEmpty,
      !(verb.contains {
        line[$0] &- UInt8(ascii: "A") >= 26 && line[$0] != UInt8(ascii: "_") && line[$0] != UInt8(ascii: "-")
      })
    else { return }
    add(method, line, verb, &table)
    var end = range.upperBound
    var last = end
    while last > verb.upperBound, line[last - 1] != UInt8(ascii: " ") { last -= 1 }
    if last > verb.upperBound + 1, starts(line, last, with: "HTTP/") {
      add(`protocol`, line, last..<end, &table)
      end = last - 1
    }
    if verb.upperBound + 1 < end { add(path, line, verb.upperBound + 1..<end, &table) }
  }

  /// Without the colours that werkzeug writes around a request (ECMA-48: ESC [ … m).
  private static func withoutColours(_ line: borrowing Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start + 1 < end, line[start] == 0x1B, line[start + 1] == UInt8(ascii: "[") {
      var at = start + 2
      while at < end, isDigit(line[at]) || line[at] == UInt8(ascii: ";") { at += 1 }
      guard at < end, line[at] == UInt8(ascii: "m") else { break }
      start = at + 1
    }
    while end > start, line[end - 1] == UInt8(ascii: "m") {
      var at = end - 1
      while at > start, isDigit(line[at - 1]) || line[at - 1] == UInt8(ascii: ";") { at -= 1 }
      guard at >= start + 2, line[at - 1] == UInt8(ascii: "["), line[at - 2] == 0x1B else { break }
      end = at - 2
    }
    return start..<end
  }
}
