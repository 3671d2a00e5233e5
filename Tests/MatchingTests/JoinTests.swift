import Fail2banMatching
import Filters
import Model
import TestSupport
import Testing

@testable import Matching

/// Lines that belong together: the client stands on another line than the failure.
@Suite struct JoinTests {
  /// As slapd writes it: ACCEPT, BIND, RESULT, closed.
  private static func filter(keep: TimeSpan = .hours(1)) throws -> Filter {
    func pattern(_ name: String, _ match: String, _ role: JoinRole? = nil) -> PatternDefinition {
      var pattern = PatternDefinition(name: name, match: match)
      pattern.role = role
      return pattern
    }
    return try Filter(
      FilterDefinition(
        name: "slapd", file: "slapd.yaml",
        rules: .native(
          NativeRules(
            programs: ["slapd"],
            patterns: [
              pattern("accept", "^conn=(?<conn>[0-9]+) fd=[0-9]+ ACCEPT from IP=<host>:<port> ", .opens),
              pattern("bind", "^conn=(?<conn>[0-9]+) op=[0-9]+ BIND dn=\"<user>\" method=128$", .opens),
              pattern("failed", "^conn=(?<conn>[0-9]+) op=[0-9]+ RESULT tag=97 err=49 "),
              pattern("closed", "^conn=(?<conn>[0-9]+) fd=[0-9]+ closed", .closes),
            ], join: JoinDefinition(key: "conn", keep: keep)))))
  }

  private static func accept(_ conn: Int, _ host: String) -> String {
    "conn=\(conn) fd=12 ACCEPT from IP=\(host):4711 (IP=0.0.0.0:389)"
  }
  private static func bind(_ conn: Int, _ user: String) -> String { "conn=\(conn) op=0 BIND dn=\"\(user)\" method=128" }
  private static func failed(_ conn: Int) -> String { "conn=\(conn) op=0 RESULT tag=97 err=49 text=" }
  private static func closed(_ conn: Int) -> String { "conn=\(conn) fd=12 closed" }

  private struct Found: Equatable {
    var failures: [String]
    var counts: FilterSet.Counts
  }

  /// HOST USER of each failure. `second`: the stamp's second of each line.
  private static func scan(
    _ filter: Filter, _ lines: [String], asMessages: Bool = false, isPrefiltered: Bool = true, chunk: Int = .max,
    second: (Int) -> Int = { _ in 1 }
  ) -> Found {
    let set = FilterSet([filter], isPrefiltered: isPrefiltered)
    let history = LineHistory()
    var clock = LogClock(now: Instant(rfc3339: "2026-11-28T12:00:00Z")!, zone: ZoneOffsets(name: "UTC")!)
    var failures: [String] = []
    func note(_ match: borrowing Match, _ line: borrowing Span<UInt8>) {
      #expect(match.pattern == 2)
      failures.append("\(match.address) \(String(decoding: match.bytes(match.user, in: line), as: UTF8.self))")
    }
    var at = 0
    while at < lines.count {
      let end = min(lines.count, at + min(chunk, lines.count))
      if asMessages {
        let now = clock.now
        // swift-format-ignore: OnlyOneTrailingClosureArgument
        set.scan(
          message: Array(lines[at].utf8).span,
          program: {
            $1 += Array("slapd".utf8)
            return true
          }, time: { now },
          clock: &clock,
          header: { _, _ in }, history: history
        ) { note($0, $1) }
        at += 1
        continue
      }
      let text = (at..<end).map { number in
        let second = second(number)
        return
          "Nov 28 \(10 + second / 3600):\(10 + second / 60 % 50):\(10 + second % 50) web slapd[1]: \(lines[number])\n"
      }
      set.scan(Array(text.joined().utf8).span, clock: &clock, history: history) { match, line, _ in note(match, line) }
      at = end
    }
    return Found(failures: failures, counts: set.counts)
  }

  @Test func theClientOfAnotherLine() throws {
    let lines = [
      Self.accept(1, "192.0.2.7"), Self.accept(2, "2001:db8::7"), Self.bind(1, "cn=admin"), Self.failed(2),
      Self.failed(1),
      Self.closed(1), Self.failed(1),
    ]
    for chunk in [1, 3, 100] {
      #expect(try Self.scan(Self.filter(), lines, chunk: chunk).failures == ["2001:db8::7 ", "192.0.2.7 cn=admin"])
    }
    #expect(try Self.scan(Self.filter(), lines, isPrefiltered: false).failures.count == 2)
    let messages = Array(lines.dropLast(2))
    #expect(
      try Self.scan(Self.filter(), messages, asMessages: true).failures == ["2001:db8::7 ", "192.0.2.7 cn=admin"])
  }

  /// Keys come back: the newest opening holds.
  @Test func aKeyThatComesBack() throws {
    let lines = [Self.accept(1, "192.0.2.7"), Self.failed(1), Self.accept(1, "192.0.2.8"), Self.failed(1)]
    #expect(try Self.scan(Self.filter(), lines).failures == ["192.0.2.7 ", "192.0.2.8 "])
  }

  /// slapd's threads write a RESULT before the ACCEPT.
  @Test func theFailureComesFirst() throws {
    #expect(
      try Self.scan(Self.filter(), [Self.failed(1), Self.failed(1), Self.accept(1, "192.0.2.7")]).failures == [
        "192.0.2.7 ", "192.0.2.7 ",
      ])
    // Not hours before: then it was another connection's.
    let late = try Self.scan(
      Self.filter(), [Self.failed(1), Self.failed(9), Self.accept(1, "192.0.2.7"), Self.failed(8)], second: { $0 * 20 })
    #expect(late.counts.unjoined == 2)
    #expect(late.failures.isEmpty)
    // Nor when nothing but the opening shows how late it is; twice, since the first shall not hide the second.
    let alone = [Self.failed(1), Self.failed(1), Self.accept(1, "192.0.2.7")]
    #expect(try Self.scan(Self.filter(), alone, second: { $0 / 2 * 10 }).failures.count == 2)
    let other = try Self.scan(Self.filter(), alone, second: { $0 / 2 * 11 })
    #expect(other.failures.isEmpty)
    #expect(other.counts.unjoined == 2)
    // A name opens no key: the failure waits on.
    let named = [Self.failed(1), Self.bind(1, "cn=x"), Self.accept(1, "192.0.2.7")]
    #expect(try Self.scan(Self.filter(), named).failures == ["192.0.2.7 "])
  }

  @Test func keysThatWereNeverOpened() throws {
    let found = try Self.scan(Self.filter(), (0..<1000).map { Self.failed($0) })
    #expect(found.failures.isEmpty)
    #expect(found.counts.unjoined == 1000 - OpenKeys.mostWaiting)
    #expect(found.counts.matched == 0)
  }

  @Test func keysAreForgotten() throws {
    let old = [Self.accept(1, "192.0.2.7"), Self.failed(1)]
    #expect(try Self.scan(Self.filter(keep: .seconds(60)), old, second: { $0 * 59 }).failures.count == 1)
    #expect(try Self.scan(Self.filter(keep: .seconds(60)), old, second: { $0 * 61 }).failures.isEmpty)
    let many = (0..<OpenKeys.most + 10).map { Self.accept($0, "192.0.2.7") } + [Self.failed(OpenKeys.most + 9)]
    let found = try Self.scan(Self.filter(), many, chunk: 4096)
    #expect(found.failures.count == 1)
  }

  /// 10,000 connections whose lines are mixed, of which a tenth fail (16.5).
  @Test func interleavedConnections() throws {
    var random = Numbers(state: 5)
    var open: [(conn: Int, step: Int)] = []
    var next = 0
    var lines: [String] = []
    var expected: [String] = []
    func host(_ conn: Int) -> String { "198.51.\(conn / 250).\(conn % 250)" }
    while next < 10_000 || !open.isEmpty {
      if next < 10_000, open.count < 50 {
        open.append((next, 0))
        next += 1
      }
      let index = Int.random(in: 0..<open.count, using: &random)
      let conn = open[index].conn
      switch open[index].step {
      case 0: lines.append(Self.accept(conn, host(conn)))
      case 1: lines.append(Self.bind(conn, "cn=u\(conn)"))
      case 2:
        if conn % 10 == 3 {
          lines.append(Self.failed(conn))
          expected.append("\(host(conn)) cn=u\(conn)")
        }
      default:
        lines.append(Self.closed(conn))
        open.remove(at: index)
        continue
      }
      open[index].step += 1
    }
    for chunk in [64, 100_000] { #expect(try Self.scan(Self.filter(), lines, chunk: chunk).failures == expected) }
    #expect(expected.count == 1000)
  }

  @Test func aRoleNeedsAKey() {
    var pattern = PatternDefinition(name: "x", match: "^from <host>$")
    pattern.role = .opens
    for join in [nil, JoinDefinition(key: "conn")] {
      #expect(throws: FilterError.self) {
        try Filter(
          FilterDefinition(name: "t", file: "t.yaml", rules: .native(NativeRules(patterns: [pattern], join: join))))
      }
    }
  }
}
