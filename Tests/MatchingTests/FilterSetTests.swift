import Fail2banMatching
import Filters
import Matching
import Model
import Testing

/// Every syslog shape, every stamp, and what must not be believed.
@Suite struct FilterSetTests {
  private let now = Instant(rfc3339: "2026-11-21T12:00:00Z")!

  private func definition(
    _ match: String, programs: [String] = ["sshd"], ownLog: Bool = false, weight: Weight = .fixed(1),
    openQuote: Int? = nil
  ) -> FilterDefinition {
    FilterDefinition(
      name: "t", file: "t.yaml",
      rules: .native(
        NativeRules(
          programs: programs, hasOwnLog: ownLog,
          patterns: [PatternDefinition(name: "p", match: match, weight: weight)],
          untrustedAfterOpenQuote: openQuote)))
  }

  private struct Found: Equatable {
    var host: String
    var user: String
    var time: String
    var count = 1
    var weight = 1
  }

  private func scan(_ definition: FilterDefinition, _ text: String, chunks: Int = 1) throws -> [Found] {
    let set = FilterSet([try Filter(definition)])
    var clock = LogClock(now: now, zone: ZoneOffsets(name: "UTC")!)
    let history = LineHistory()
    var found: [Found] = []
    var rest = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
    let size = max(1, (rest.count + chunks - 1) / chunks)
    while !rest.isEmpty {
      let chunk = Array((rest.prefix(size).joined(separator: "\n") + "\n").utf8)
      rest = rest.dropFirst(size)
      set.scan(chunk.span, clock: &clock, history: history) { match, line, _ in
        let user = match.bytes(match.user, in: line)
        found.append(
          Found(
            host: match.address.description, user: String(decoding: user, as: UTF8.self),
            time: match.time.rfc3339(), count: match.count, weight: match.weight))
      }
    }
    return found
  }

  /// A service's own log has no header; another program's line in the syslog has one.
  @Test func ownLog() throws {
    let own = definition("^(?:[0-9-]{10} [0-9:]{8} )?login failed from <host>$", programs: ["ftpd"], ownLog: true)
    let lines = """
      2026-11-21 05:24:01 login failed from 192.0.2.1
      Nov 21 05:24:02 web ftpd[812]: login failed from 192.0.2.2
      Nov 21 05:24:03 web cron[812]: login failed from 192.0.2.3
      """
    #expect(try scan(own, lines).map(\.host) == ["192.0.2.1", "192.0.2.2"])
    let syslog = definition("^(?:[0-9-]{10} [0-9:]{8} )?login failed from <host>$", programs: ["ftpd"])
    #expect(try scan(syslog, lines).map(\.host) == ["192.0.2.2"])
  }

  private let failed = "^Failed password for (?:invalid user )?<user> from <host> port <port> ssh2$"

  @Test(arguments: [
    ("Nov 21 05:24:01 web sshd[812]: ", "2026-11-21T05:24:01Z"),
    ("Nov  1 05:24:01 web sshd: ", "2026-11-01T05:24:01Z"),
    ("Nov 21 05:24:01 sshd[812]: ", "2026-11-21T05:24:01Z"),
    ("Dec 31 23:59:59 web sshd[812]: ", "2025-12-31T23:59:59Z"),
    ("<38>Nov 21 05:24:01 web sshd[812]: ", "2026-11-21T05:24:01Z"),
    ("2026-11-21T05:24:01.5+02:00 web sshd[812]: ", "2026-11-21T03:24:01.500000Z"),
    ("2026-11-21 05:24:01,902 web sshd[812] ", "2026-11-21T05:24:01.902000Z"),
    ("<38>1 2026-11-21T05:24:01Z web sshd 812 - -  ", "2026-11-21T05:24:01Z"),
    ("<38>1 2026-11-21T05:24:01Z web sshd 812 ID [a b=\"x\\\"] y\"][c d=\"e\"] ", "2026-11-21T05:24:01Z"),
    ("1 2026-11-21T05:24:01Z web sshd 812 - - ", "2026-11-21T05:24:01Z"),
    ("Nov 21 05:24:01 fd00::1 sshd[812]: ", "2026-11-21T05:24:01Z"),
  ])
  func syslogHeaders(header: String, time: String) throws {
    let found = try scan(definition(failed), header + "Failed password for root from 192.0.2.7 port 4711 ssh2\r\n")
    #expect(found == [Found(host: "192.0.2.7", user: "root", time: time)])
  }

  @Test func otherProgramsAreNotRead() throws {
    #expect(
      try scan(
        definition(failed),
        """
        Nov 21 05:24:01 web cron[812]: Failed password for root from 192.0.2.7 port 4711 ssh2
        Nov 21 05:24:01 web sshdx[812]: Failed password for root from 192.0.2.7 port 4711 ssh2
        Failed password for root from 192.0.2.7 port 4711 ssh2
        """
      ).isEmpty)
  }

  @Test func repeatedMessagesCount() throws {
    let line =
      "Nov 21 05:24:01 web sshd[8]: message repeated 5 times: [ Failed password for root from 192.0.2.7 port 1 ssh2]"
    #expect(try scan(definition(failed), line).map(\.count) == [5])
  }

  @Test(arguments: [
    ("2026/11/21 06:57:23 [error] 5191#5191: *1 X client: 192.0.2.7", "2026-11-21T06:57:23Z"),
    ("[Sat Nov 21 06:57:23.250000 2026] [x] X client: 192.0.2.7", "2026-11-21T06:57:23.250000Z"),
    ("Sat Nov 21 07:11:25 2026 [pid 7389] X client: 192.0.2.7", "2026-11-21T07:11:25Z"),
    (
      "a - x [01/Jan/2000:00:00:00 +0000] [21/Nov/2026:06:57:23 +0100] \"GET /\" X client: 192.0.2.7",
      "2026-11-21T05:57:23Z"
    ),
    ("{\"unix_timestamp\":1795244148.25,\"x\":\"X client: 192.0.2.7", "2026-11-21T06:55:48.250000Z"),
    ("1795244148 X client: 192.0.2.7", "2026-11-21T06:55:48Z"),
    ("99999999999999999999 X client: 192.0.2.7", "2026-11-21T12:00:00Z"),
    ("2026-02-31 25:61:61 X client: 192.0.2.7", "2026-11-21T12:00:00Z"),
  ])
  func otherStamps(line: String, time: String) throws {
    #expect(try scan(definition("X client: <host>$", programs: []), line).map(\.time) == [time])
  }

  @Test func hostsAreAddresses() throws {
    let rules = definition("^x <host>(?: |$)", programs: [])
    #expect(
      try scan(rules, "x 300.1.2.3\nx ::ffff:192.0.2.7\nx fe80::\nx :\nx 1.2.3.4.5").map(\.host) == [
        "192.0.2.7", "fe80::",
      ])
  }

  /// The last address is the daemon's; what is in the user name is the attacker's.
  @Test func usersMayHoldWholeLines() throws {
    let found = try scan(
      definition(failed),
      "Nov 21 05:24:01 web sshd[8]: Failed password for invalid user a from 10.9.9.9 port 22 ssh2 from 192.0.2.7 port 1 ssh2"
    )
    #expect(found.map(\.host) == ["192.0.2.7"])
    #expect(found.map(\.user) == ["a from 10.9.9.9 port 22 ssh2"])
  }

  @Test func weightsFollowACapture() throws {
    let rules = definition(
      "^(?<severity>[0-9]) <host>$", programs: [],
      weight: .captured(group: "severity", values: ["2": 5], otherwise: 0))
    #expect(try scan(rules, "2 192.0.2.7\n4 192.0.2.7").map(\.weight) == [5, 0])
  }

  /// nginx writes `%0a` in a path as a line end, so a request can hold a whole log line. The tear shows in the line before.
  @Test(arguments: [1, 2, 3])
  func linesAfterAnOpenQuoteAreNotBelieved(chunks: Int) throws {
    let rules = definition("client: <host>, server", programs: [], openQuote: 2048)
    let log = """
      2026/11/21 06:57:23 [error] 1#1: *1 open() "/srv/a" failed, client: 192.0.2.1, server: x, request: "GET /a"
      2026/11/21 06:57:23 [error] 1#1: *2 open() "/srv/b
      2026/11/21 06:57:23 [error] 1#1: *2 open() "/srv/a" failed, client: 10.9.9.9, server: x, request: "GET /a"
      """
    #expect(try scan(rules, log, chunks: chunks).map(\.host) == ["192.0.2.1"])
  }

  @Test func aPatternWithoutHostIsRefused() {
    #expect(throws: FilterError.self) { try Filter(definition("^no address$")) }
  }
}
