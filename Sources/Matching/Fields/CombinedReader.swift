/// Reads access logs in the common and the combined format, and what is written like them:
///
/// ```
/// 192.0.2.7 - alice [21/Nov/2026:06:56:41 +0000] "GET /x HTTP/1.1" 401 153 "-" "curl/8" "198.51.100.1"
/// www.example.test:80 192.0.2.7 - - [21/Nov/2026:06:56:41 +0000] "GET / HTTP/1.1" 200 153
/// ```
/// The first word is the client, unless it is no address and the second one is: then it is the virtual host. Where both are
/// addresses and either could be the client, the line is not believed, since the virtual host may be what the client asked
/// for. The user name may hold anything; it ends at a time in brackets with a quote behind it, which it cannot hold, as
/// servers escape quotes.
struct CombinedReader: Sendable {
  static let fieldNames =
    [
      "host", "vhost", "ident", "user", "time", "request", "method", "path", "protocol", "status", "size", "referer",
      "agent",
    ] + (1...4).map { "extra\($0)" }

  private enum Field: Int, CaseIterable {
    case host, vhost, ident, user, time, request, method, path, `protocol`, status, size, referer, agent, extra
  }

  /// The slot of each field; below 0: nobody asks for it.
  private let slots: [Int]
  private let requestLine: RequestLine

  init(_ fields: [(slot: Int, name: String)]) {
    slots = Self.fieldNames.map { name in fields.first { $0.name == name }?.slot ?? -1 }
    requestLine = RequestLine(fields)
  }

  private func add(
    _ field: Int, _ line: borrowing Span<UInt8>, _ range: Range<Int>, _ table: inout FieldTable
  ) {
    let slot = slots[field]
    if slot >= 0 { table.add(slot, line, range) }
  }

  private func add(
    _ field: Field, _ line: borrowing Span<UInt8>, _ range: Range<Int>, _ table: inout FieldTable
  ) {
    add(field.rawValue, line, range, &table)
  }

  func read(_ line: borrowing Span<UInt8>, into table: inout FieldTable) throws(Unread) {
    guard let stamp = Self.stamp(line) else { throw .otherFormat }
    try head(line, 0..<stamp.lowerBound - 1, &table)
    add(.time, line, stamp, &table)
    var at = stamp.upperBound + 3
    guard let end = Self.quoteEnd(line, from: at) else { throw .unbelieved }
    requestLine.read(line, at..<end, into: &table)
    at = end + 1
    var bare = Field.status.rawValue
    var quoted = Field.referer.rawValue
    while at + 1 < line.count, line[at] == UInt8(ascii: " ") {
      at += 1
      if line[at] == UInt8(ascii: "\"") {
        guard let end = Self.quoteEnd(line, from: at + 1) else { throw .unbelieved }
        if quoted < slots.count { add(quoted, line, at + 1..<end, &table) }
        quoted += 1
        at = end + 1
      } else {
        var end = at
        while end < line.count, line[end] != UInt8(ascii: " ") { end += 1 }
        if bare <= Field.size.rawValue { add(bare, line, at..<end, &table) }
        bare += 1
        at = end
      }
    }
    guard bare > Field.status.rawValue else { throw .otherFormat }
  }

  /// The first `dd/Mon/yyyy:hh:mm:ss +zzzz` in brackets that a space precedes and ` "` follows, without its brackets.
  private static func stamp(_ line: borrowing Span<UInt8>) -> Range<Int>? {
    var at = 1
    while at + 24 < line.count {
      guard let open = line.first(UInt8(ascii: "["), from: at) else { return nil }
      at = open + 1
      guard open > 0, line[open - 1] == UInt8(ascii: " "), open + 24 < line.count, isDigit(line[at]),
        line[at + 2] == UInt8(ascii: "/"), line[at + 6] == UInt8(ascii: "/"), line[at + 11] == UInt8(ascii: ":")
      else { continue }
      // A fraction and a zone may follow the second.
      var close = at + 20
      while close < line.count, close < at + 36, line[close] != UInt8(ascii: "]") { close += 1 }
      if starts(line, close, with: "] \"") { return at..<close }
    }
    return nil
  }

  /// The words before the time.
  private func head(_ line: borrowing Span<UInt8>, _ range: Range<Int>, _ table: inout FieldTable) throws(Unread) {
    guard range.upperBound > range.lowerBound else { throw .otherFormat }
    let first = Self.word(line, range)
    let second = Self.word(line, min(first.upperBound + 1, range.upperBound)..<range.upperBound)
    var at = first.upperBound
    if HostText.isAddress(line, first) {
      if HostText.isAddress(line, second) {
        let third = Self.word(line, min(second.upperBound + 1, range.upperBound)..<range.upperBound)
        // VHOST HOST - USER or, with the client's Host header second, HOST VHOST USER?
        if third.count == 1, line[third.lowerBound] == UInt8(ascii: "-"), third.upperBound + 1 < range.upperBound {
          throw .unbelieved
        }
      }
      add(.host, line, first, &table)
    } else if HostText.isAddress(line, second) {
      add(.vhost, line, first, &table)
      add(.host, line, second, &table)
      at = second.upperBound
    } else {
      add(.host, line, first, &table)
    }
    // IDENT USER; the user may be missing, or hold spaces.
    let ident = Self.word(line, min(at + 1, range.upperBound)..<range.upperBound)
    add(.ident, line, ident, &table)
    let user = min(ident.upperBound + 1, range.upperBound)
    let end = max(user, range.upperBound - 1)
    if user < end { add(.user, line, user..<end, &table) }
  }

  /// Up to the next space.
  static func word(_ line: borrowing Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var end = range.lowerBound
    while end < range.upperBound, line[end] != UInt8(ascii: " ") { end += 1 }
    return range.lowerBound..<end
  }

  /// The quote that ends a text: no backslash escapes it.
  static func quoteEnd(_ line: borrowing Span<UInt8>, from start: Int) -> Int? {
    var at = start
    while let quote = line.first(UInt8(ascii: "\""), from: at) {
      var slashes = 0
      while quote - slashes > start, line[quote - slashes - 1] == UInt8(ascii: "\\") { slashes += 1 }
      if slashes & 1 == 0 { return quote }
      at = quote + 1
    }
    return nil
  }
}
