import TestSupport
import Testing

@testable import Matching

@Suite struct RequiredLiteralsTests {
  private func literals(_ pattern: String, text: RequiredLiterals.Text = .same) -> [String]? {
    RequiredLiterals(pattern, text: text)?.literals.map { String(decoding: $0.bytes, as: UTF8.self) }.sorted()
  }

  @Test(arguments: [
    ("^Failed password for (?:invalid user )?(?<user>.*) from", ["Failed password for "]),
    ("Connection (?:closed|reset) by", ["Connection closed by", "Connection reset by"]),
    ("(?:abc|defgh).*x", ["abc", "defgh"]),
    ("a(?:bcd)+e", ["abcd"]),
    ("fo{2}bar", ["foobar"]),
    ("colou?red", ["colored", "coloured"]),
    ("[ab]cdef", ["acdef", "bcdef"]),
    ("(?:error: )?PAM: .*", ["PAM: "]),
    ("(?i:abc)|x(?:abc)y|ABCD", ["abc"]),
    ("abc|(?i:xabc)", ["abc", "xabc"]),
    ("(?=foo)barbaz(?!qux)", ["barbaz"]),
    ("\\[error\\] \\d+#", ["[error] "]),
    ("\\x24\\x7benv", ["${env"]),
    ("x[0-2a]yz", ["x0yz", "x1yz", "x2yz", "xayz"]),
    ("ab[!-~]cde", ["cde"]),
    ("(?P<name>user) \\w+ unknown$", [" unknown"]),
    ("x(?#comment)yz", ["xyz"]),
    ("(?<a>one|two)(?:three)", ["onethree", "twothree"]),
    ("a{b}c", ["a{b}c"]),
    ("^Failed (?<n>x)?.* for \\S+(?(<n>): |y) z", ["Failed "]),
    ("(a)?.*foobar.*(?(1)long text|another)", ["foobar"]),
  ])
  func derives(pattern: String, expected: [String]) { #expect(literals(pattern) == expected) }

  @Test(arguments: [
    "", ".*", "ab", "a|bcd", "(?:abc)?", "(?:abc)*", "[a-z]+", "\\Qabc\\E", "(?x)a b c d", "(", "a)", "(?1)abcd",
    "abc|", "(a)?(?(1)abcd|efgh)", "(?(?=a)abcd|efgh)ijkl",
  ])
  func promisesNothing(pattern: String) { #expect(literals(pattern) == nil) }

  @Test func caseIsKept() {
    #expect(RequiredLiterals("(?i)abc")?.literals == [.init(bytes: Array("abc".utf8), caseless: true)])
    #expect(RequiredLiterals("(?i:abc)DEFGH")?.literals.map(\.caseless) == [true])
    #expect(RequiredLiterals("123(?i)")?.literals.map(\.caseless) == [false])
  }

  /// fail2ban cuts the date out before it matches: `\[\] "GET` stands in the log as `[21/Nov/2026:…] "GET`.
  @Test func theDateMayPartAText() {
    #expect(literals("\\[\\] \"GET /", text: .withoutDate) == ["GET /", "[] \""])
    #expect(literals("abcde", text: .withoutDate) == nil)
    #expect(literals("(?i)desk", text: .withoutDate) == nil)
  }

  /// `] "` stands in every line of an access log.
  @Test func rareTextsArePreferred() {
    #expect(literals(#"\] "[A-Z]+ .*(?:zgrab|\(\)\{)"#) == ["(){", "zgrab"])
    #expect(literals(#"[^/ "] HTTP/[0-9.]+" 403 "#) == ["\" 403 "])
    #expect(literals("abcd.* - - 20", text: .withoutDate) == [" - ", "- 20"])
  }

  /// Of a part that is not known whole, its beginning and its end are.
  @Test func whatIsKnownInPartIsUsed() {
    let gap = #"(?: |\+|/\*.*\*/)"#
    #expect(literals("union\(gap){1,8}.") == ["union ", "union+", "union/*"])
    #expect(literals(".\(gap){1,4}(?:or|and)\\d") == [" and", " or", "*/and", "*/or", "+and", "+or"])
    #expect(literals("(?:ab.*cd|ef)gh") == ["cdgh", "efgh"])
    #expect(literals("ab(?:cd.*|ef)") == ["abcd", "abef"])
  }

  /// What neither words nor formats are made of is rare enough in twos.
  @Test func twoRareBytesAreEnough() {
    #expect(literals(#"\$\{.*"#) == ["${"])
    #expect(literals(#"\$a.*"#) == nil)
    #expect(literals(#"HTTP/[04-6].*" 200 "#) == ["HTTP/0", "HTTP/4", "HTTP/5", "HTTP/6"])
  }

  /// At a line's start it follows two characters at most, such as `[`, which are no part of a word.
  @Test func aDateAtTheLineStartPartsNoWord() {
    #expect(literals("^Failed login", text: .withoutDateAtStart) == ["Failed login"])
    #expect(literals("x.* \\[error\\]", text: .withoutDateAtStart) == ["error]"])
    #expect(literals("x.*\\[\\[\\[error", text: .withoutDateAtStart) == ["[error"])
    #expect(literals("x.* \\[a", text: .withoutDateAtStart) == nil)
    #expect(literals("caf\u{e9}", text: .withoutDateAtStart) == ["caf"])
  }

  /// The promise itself, on patterns and texts made at random: what PCRE2 matches holds one of the literals.
  @Test func whatMatchesHoldsALiteral() throws {
    var random = Numbers(state: 11)
    var scratch = MatchScratch()
    var matched = 0
    for _ in 0..<10_000 {
      let source = pattern(&random, 3)
      guard let required = RequiredLiterals(source), let compiled = try? Pattern(source, options: .dotAll) else {
        continue
      }
      for _ in 0..<20 {
        let text = (0..<Int.random(in: 1...14, using: &random)).map { _ in
          Array("abAB ".utf8).randomElement(using: &random)!
        }
        guard scratch.match(compiled, text.span) == .matched else { continue }
        matched += 1
        if !required.literals.contains(where: { holds(text, $0) }) {
          Issue.record("\(source) matches \(String(decoding: text, as: UTF8.self)), which holds none of \(required)")
        }
      }
    }
    #expect(matched > 1_000)
  }

  private func holds(_ text: [UInt8], _ literal: RequiredLiterals.Literal) -> Bool {
    func fold(_ byte: UInt8) -> UInt8 { literal.caseless && byte >= 65 && byte <= 90 ? byte + 32 : byte }
    let needle = literal.bytes.map(fold)
    guard text.count >= needle.count else { return false }
    return (0...text.count - needle.count).contains { start in text[start..<start + needle.count].map(fold) == needle }
  }

  private func pattern(_ random: inout Numbers, _ depth: Int) -> String {
    let count = Int.random(in: 1...4, using: &random)
    return (0..<count).map { _ in element(&random, depth) }.joined()
  }

  private func element(_ random: inout Numbers, _ depth: Int) -> String {
    switch Int.random(in: 0..<(depth > 0 ? 14 : 8), using: &random) {
    case 0...4: return ["a", "b", "A", "ab", "ba", "aab", " "].randomElement(using: &random)!
    case 5:
      return [
        "[ab]", "[^a]", "[a-b]", ".", "[A-b]", "[^A-a]", "[-a]", "[a-]", "[B-a-]", "[a-a]", "\\x61b", "\\w", "[aB ]",
        "\\x61", "[]a]",
      ].randomElement(using: &random)!
    case 6: return ["^", "\\b", "$", "(?i)", "(?#x)", "(?=a)", "(?!b)"].randomElement(using: &random)!
    case 7: return "a" + ["?", "*", "+", "{2}", "{0,1}", "{,2}", "{1,}", "??", "++"].randomElement(using: &random)!
    case 8...10:
      return "(?:" + pattern(&random, depth - 1) + ")" + ["", "?", "*", "+", "{2}", "{1,2}"].randomElement(
        using: &random)!
    case 11: return "(?i:" + pattern(&random, depth - 1) + ")"
    case 12: return "(?<n\(Int.random(in: 0..<1_000_000, using: &random))>" + pattern(&random, depth - 1) + ")"
    default: return "(?:" + pattern(&random, depth - 1) + "|" + pattern(&random, depth - 1) + ")"
    }
  }
}
