import Filters
import TestSupport
import Testing

@testable import Matching

/// `has`: texts that clients send in whatever encoding.
@Suite struct TextSetTests {
  private static func isFound(_ texts: [String], in text: String) throws -> Bool {
    var scratch = DecodedText()
    return try #require(TextSet(texts)).isFound(in: Array(text.utf8).span, &scratch)
  }

  @Test(arguments: [
    "/../", "x/../y", "/..%2f", "%2F..%2F", "%252f%252e%252e%252F", "/%2e./", "\\x2f../", "GET /a?b=/../ HTTP/1.1",
    "UNION SELECT", "uNion+select", "union%20select", "union%2520select", "%55nion+seLect",
    "a+union%2bselect/%75nion select",
  ])
  func found(_ text: String) throws { #expect(try Self.isFound(["/../", "union select"], in: text)) }

  @Test(arguments: [
    "", "/", "/..", "..%2", "union", "unionselect", "%252525252f..", "/..%", "/..%zz/", "union%%20select",
  ])
  func notFound(_ text: String) throws { #expect(try !Self.isFound(["/../", "union select"], in: text)) }

  @Test func shortTexts() {
    #expect(TextSet(["a"]) == nil)
    #expect(TextSet(["ab", ""]) == nil)
  }

  /// The same as looking for each by itself in each of three readings; with a prefilter the filter finds as much as without.
  @Test func sameAsTheReference() throws {
    let texts = ["/../", "union select", "%00", "..;/", "éa"]
    let filter = try FieldConditionTests.filter(
      .combined, [:], [FieldConditionTests.pattern("probe", ["request": [.has(texts)]])])
    let parts = [
      "/..", "/", "%2f", "%2F", "%2e", "%252e", "union", "UNION", "+", " ", "%20", "select", "%53elect", "%00", "%2500",
      ";/",
      "..", "%3b/", "é", "%c3%a9", "%C3", "a", "%61", "%", "x",
    ]
    var random = Numbers(state: 31)
    for _ in 0..<5_000 {
      let request = (0..<Int.random(in: 1...6, using: &random)).map { _ in parts.randomElement(using: &random)! }
        .joined()
      let once = Self.decode(Array(request.utf8))
      let readings = [Array(request.utf8), once, Self.decode(once)].map { $0.map(Self.lower) }
      let expected = texts.contains { text in readings.contains { $0.firstRange(of: Array(text.utf8)) != nil } }
      #expect(try Self.isFound(texts, in: request) == expected, "\(request)")
      let line = Array(#"192.0.2.7 - - [28/Nov/2026:04:35:01 +0000] "\#(request)" 404 1"#.utf8)
      #expect((FieldConditionTests.scan(filter, line).found[0] != nil) == expected, "\(request)")
    }
  }

  private static func lower(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte + 32 : byte }

  private static func decode(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var at = 0
    while at < text.count {
      if text[at] == UInt8(ascii: "%"), at + 2 < text.count,
        text[at + 1...at + 2].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
        let byte = UInt8(String(decoding: text[at + 1...at + 2], as: UTF8.self), radix: 16)
      {
        out.append(byte)
        at += 3
      } else {
        out.append(text[at] == UInt8(ascii: "+") ? 32 : text[at])
        at += 1
      }
    }
    return out
  }
}
