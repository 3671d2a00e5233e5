import Fail2banMatching
import Filters
import Testing

@testable import Matching

/// Whether a log is the one that a filter is for (14.5).
@Suite struct LineUnderstandingTests {
  private func understanding(_ rules: NativeRules, _ line: String) throws -> LineUnderstanding {
    let filter = try Filter(FilterDefinition(name: "t", file: "t.yaml", rules: .native(rules)))
    return filter.understanding(of: Array(line.utf8).span)
  }

  private static let patterns = [PatternDefinition(name: "x", match: "^failed from <host>$")]

  @Test func programs() throws {
    let syslog = NativeRules(programs: ["sshd"], patterns: Self.patterns)
    #expect(try understanding(syslog, "Nov 28 04:35:01 web sshd[812]: Accepted") == .understood)
    #expect(try understanding(syslog, "Nov 28 04:35:01 web cron[812]: x") == .otherProgram)
    #expect(try understanding(syslog, "2026/11/28 04:35:01 [error] text") == .noHeader)
    #expect(try understanding(syslog, "{\"a\":1}") == .noHeader)
    let own = NativeRules(programs: ["sshd"], hasOwnLog: true, patterns: Self.patterns)
    #expect(try understanding(own, "2026/11/28 04:35:01 [error] text") == .unknowable)
    #expect(try understanding(own, "Nov 28 04:35:01 web cron[812]: x") == .otherProgram)
    #expect(try understanding(NativeRules(patterns: Self.patterns), "any text") == .unknowable)
  }

  @Test func formats() throws {
    func rules(_ format: LogFormat, programs: [String] = []) -> NativeRules {
      NativeRules(
        programs: programs, formats: [FieldFormat(format, fields: FieldRoles(names: [.host: ["host"]]))],
        patterns: [FieldConditionTests.pattern("x", ["status": [.equals(["401"])]])])
    }
    #expect(try understanding(rules(.json), "{\"status\":200}") == .understood)
    #expect(try understanding(rules(.json), "Nov 28 04:35:01 web app[1]: {\"status\":200}") == .understood)
    #expect(try understanding(rules(.json), "192.0.2.7 GET /") == .otherFormat)
    #expect(try understanding(rules(.json, programs: ["app"]), "Nov 28 04:35:01 web app[1]: text") == .otherFormat)
    #expect(try understanding(rules(.logfmt), "level=info status=200") == .understood)
    #expect(try understanding(rules(.logfmt), "some text of another log") == .otherFormat)
    #expect(try understanding(rules(.w3c(columns: [])), "2026-11-28 192.0.2.7 401") == .unknowable)
  }
}
