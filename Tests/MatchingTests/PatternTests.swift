import Matching
import Testing

@Suite struct PatternTests {
  private func match(_ pattern: String, _ text: [UInt8], options: Pattern.Options = []) throws -> [String?]? {
    let compiled = try Pattern(pattern, options: options)
    var scratch = MatchScratch()
    guard scratch.match(compiled, text.span) == .matched else { return nil }
    return (0...compiled.groupCount).map { group in
      scratch.group(group).map { String(decoding: text[$0], as: UTF8.self) }
    }
  }

  @Test func captures() throws {
    #expect(try match("a(b)?(c)", Array("xac".utf8)) == ["ac", nil, "c"])
    #expect(try match("^$", []) == [""])
    #expect(try match("a", Array("b".utf8)) == nil)
  }

  @Test func namesAreListedByGroup() throws {
    let pattern = try Pattern("(?<user>.*) from (?<host>[0-9.]+)")
    #expect(pattern.names.map(\.name) == ["user", "host"])
    #expect(pattern.group(named: "host") == 2)
    #expect(pattern.group(named: "port") == nil)
  }

  /// One bad byte in a user name must not make a line invisible.
  @Test func invalidUTF8Matches() throws {
    #expect(try match("^user (.*) failed$", Array("user ".utf8) + [0xFF, 0xFE, 0] + Array(" failed".utf8)) != nil)
  }

  @Test func whatDoesNotCompileSaysWhere() {
    #expect {
      try Pattern("abc(def")
    } throws: { error in
      (error as? PatternError)?.offset == 7 && "\(error)".contains("parenthesis")
    }
  }

  /// `(a+)+$` on a's and a b takes 2^n steps: the limit stops it, and it is not taken for "no match".
  @Test func catastrophesGiveUp() throws {
    var scratch = MatchScratch()
    let text = [UInt8](repeating: 97, count: 64) + [98]
    guard case .gaveUp = scratch.match(try Pattern("^(?:a|aa)+$"), text.span) else {
      Issue.record("expected the match limit to be hit")
      return
    }
  }
}
