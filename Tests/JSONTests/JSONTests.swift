import JSON
import Model
import Testing

private struct Inner: Codable, Hashable {
  var endUid: UInt32?
  var names: [String]
}

private struct Outer: Codable, Hashable {
  var zeta: Int
  var bansEver: UInt64
  var ok: Bool
  var lag: Double?
  var since: Instant
  var until: Instant?
  var inner: Inner
  var list: [Inner]
  var none: Inner?
  var map: [String: Int]
}

private struct Flat: Encodable {
  enum CodingKeys: CodingKey { case note }
  var inner: Inner
  func encode(to encoder: any Encoder) throws {
    try inner.encode(to: encoder)
    var more = encoder.container(keyedBy: CodingKeys.self)
    try more.encode("n", forKey: .note)
  }
}

private struct Raw: Encodable {
  func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: RawKey.self)
    try members.encode(1, forKey: RawKey("userName\""))
  }
}

@Suite struct JSONTests {
  private func line(_ value: some Encodable) -> String { String(decoding: JSONOutput.line(of: value), as: UTF8.self) }

  private let outer = Outer(
    zeta: -1, bansEver: .max, ok: true, lag: 0.5, since: Instant(rfc3339: "2026-11-21T05:24:01.250000Z")!, until: nil,
    inner: Inner(endUid: 7, names: ["a", "b"]), list: [Inner(endUid: nil, names: [])], none: nil, map: ["one": 1])

  @Test func membersKeepTheirOrderAndNilIsNull() {
    let expected = """
      {"zeta":-1,"bans_ever":18446744073709551615,"ok":true,"lag":0.5,"since":"2026-11-21T05:24:01.250000Z","until":null,\
      "inner":{"end_uid":7,"names":["a","b"]},"list":[{"end_uid":null,"names":[]}],"none":null,"map":{"one":1}}
      """
    #expect(line(outer) == expected)
  }

  @Test func whatIsWrittenIsReadBack() throws {
    #expect(try JSONInput.decode(Outer.self, from: JSONOutput.line(of: outer)) == outer)
  }

  @Test func oneValueMayGoOnInAnother() {
    #expect(line(Flat(inner: Inner(endUid: 1, names: []))) == #"{"end_uid":1,"names":[],"note":"n"}"#)
  }

  @Test func namesThatAreDataStayAsTheyAre() {
    #expect(line(Raw()) == #"{"userName\"":1}"#)
  }

  @Test func topLevelValuesAreWholeTexts() {
    #expect(line("x") == #""x""#)
    #expect(line([1, 2]) == "[1,2]")
    #expect(line([Int]()) == "[]")
    #expect(line(Double.nan) == "null")
    #expect(line(Instant(seconds: 0)) == #""1970-01-01T00:00:00Z""#)
  }

  @Test(arguments: [
    "plain", "\"quoted\\\"", "a\nb\r\t", "\u{0}\u{7f}\u{9b}31m", "\u{202e}txt.exe", "\u{200b}\u{feff}", "Ünïcödé 😀",
    "</script>",
    "\u{2028}", String(repeating: "é", count: 5000),
  ])
  func textsComeBackAsTheyWere(_ text: String) throws {
    let bytes = JSONOutput.line(of: [text])
    #expect(try JSONInput.decode([String].self, from: bytes) == [text])
    // Nothing that a terminal would act on, nor a line end.
    #expect(
      String(decoding: bytes, as: UTF8.self).unicodeScalars.allSatisfy {
        $0.value >= 0x20 && $0.value != 0x9b && $0.value != 0x202e
      })
  }

  @Test(arguments: [
    ("{", "it does not parse"), (#"{"names":7}"#, "names is not"), (#"{}"#, "names is missing"),
    (#"{"names":["a",7]}"#, "names.1 is not a text"), (#"{"end_uid":-1,"names":[]}"#, "does not fit"),
  ])
  func whatIsMalformedIsNamed(_ text: String, _ expected: String) {
    let error = #expect(throws: JSONInput.Malformed.self) { try JSONInput.decode(Inner.self, from: Array(text.utf8)) }
    #expect(error?.description.contains(expected) == true, "\(error.map(\.description) ?? "")")
  }
}
