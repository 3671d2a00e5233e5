import Fail2banMatching
import Filters
import Matching
import Model
import Testing

/// What a line is depends on the lines before it: connections whose first line has the address, records that a client tore.
@Suite struct EarlierLineTests {
  /// Who was found on which line, with the log read in chunks of `size` lines.
  private func found(_ rules: NativeRules, _ text: String, by size: Int = 1) throws -> [String] {
    let set = FilterSet([try Filter(FilterDefinition(name: "t", file: "t.yaml", rules: .native(rules)))])
    var clock = LogClock(now: Instant(rfc3339: "2026-11-21T12:00:00Z")!, zone: ZoneOffsets(name: "UTC")!)
    let history = LineHistory()
    var found: [String] = []
    let lines = text.split(separator: "\n")
    for start in stride(from: 0, to: lines.count, by: size) {
      let chunk = Array((lines[start..<min(start + size, lines.count)].joined(separator: "\n") + "\n").utf8)
      set.scan(chunk.span, clock: &clock, history: history) { match, line, _ in
        found.append("\(match.address) \(String(decoding: match.bytes(match.host, in: line), as: UTF8.self)) \(match.port)")
      }
    }
    return found
  }

  private func pattern(_ name: String, _ match: String, _ role: JoinRole = .none) -> PatternDefinition {
    var pattern = PatternDefinition(name: name, match: match)
    pattern.role = role
    return pattern
  }

  private var slapd: NativeRules {
    NativeRules(
      patterns: [
        pattern("accept", "^.{19} conn=(?<conn>[0-9]+) ACCEPT from IP=<host>:<port> ", .opens),
        pattern("failed", "^.{19} conn=(?<conn>[0-9]+) RESULT err=49"),
        pattern("closed", "^.{19} conn=(?<conn>[0-9]+) closed", .closes),
      ], join: Join(key: "conn", keep: .minutes(10)))
  }

  @Test(arguments: [1, 3, 100]) func aFailureTakesTheAddressOfItsConnection(size: Int) throws {
    let log = """
      2026-11-21T05:24:01 conn=1 ACCEPT from IP=192.0.2.1:4711 (IP=0.0.0.0:389)
      2026-11-21T05:24:02 conn=2 ACCEPT from IP=192.0.2.2:4712 (IP=0.0.0.0:389)
      2026-11-21T05:24:03 conn=1 RESULT err=49
      2026-11-21T05:24:04 conn=2 RESULT err=49
      2026-11-21T05:24:04 conn=3 RESULT err=49
      2026-11-21T05:24:05 conn=1 closed
      2026-11-21T05:24:06 conn=1 RESULT err=49
      2026-11-21T05:24:07 conn=2 ACCEPT from IP=192.0.2.3:4713 (IP=0.0.0.0:389)
      2026-11-21T05:24:08 conn=2 RESULT err=49
      2026-11-21T05:44:08 conn=2 RESULT err=49
      """
    #expect(try found(slapd, log, by: size).map { $0.prefix { $0 != " " } } == ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
  }

  /// slapd's workers may write a result before the line that says who connected.
  @Test(arguments: [1, 100]) func anOpeningMayComeAMomentLater(size: Int) throws {
    let log = """
      2026-11-21T05:24:01 conn=1 RESULT err=49
      2026-11-21T05:24:01 conn=2 RESULT err=49
      2026-11-21T05:24:02 conn=1 ACCEPT from IP=192.0.2.1:4711 (IP=0.0.0.0:389)
      2026-11-21T05:24:03 conn=1 ACCEPT from IP=192.0.2.2:4711 (IP=0.0.0.0:389)
      2026-11-21T05:24:04 conn=2 ACCEPT from IP=192.0.2.3:4711 (IP=0.0.0.0:389)
      """
    #expect(try found(slapd, log, by: size).map { $0.prefix { $0 != " " } } == ["192.0.2.1"])
  }

  @Test func theHostIsWrittenOut() throws {
    let log = """
      2026-11-21T05:24:01 conn=1 ACCEPT from IP=::ffff:192.0.2.1:4711 (IP=0.0.0.0:389)
      2026-11-21T05:24:03 conn=1 RESULT err=49
      """
    #expect(try found(slapd, log) == ["192.0.2.1 192.0.2.1 0"])
  }

  @Test func entriesOfTheJournalAreJoined() throws {
    let set = FilterSet([try Filter(FilterDefinition(name: "t", file: "t.yaml", rules: .native(slapd)))])
    let now = Instant(rfc3339: "2026-11-21T12:00:00Z")!
    var clock = LogClock(now: now, zone: ZoneOffsets(name: "UTC")!)
    var found: [Address] = []
    for line in [
      "2026-11-21T05:24:01 conn=1 ACCEPT from IP=192.0.2.1:4711 (IP=0.0.0.0:389)",
      "2026-11-21T05:24:02 conn=2 RESULT err=49", "2026-11-21T05:24:03 conn=1 RESULT err=49",
    ] {
      // swift-format-ignore: OnlyOneTrailingClosureArgument
      set.scan(
        message: Array(line.utf8).span, program: { _ in }, time: { now }, clock: &clock, header: { _ in }
      ) { match, _ in found.append(match.address) }
    }
    #expect(found == [Address("192.0.2.1")])
    #expect(set.counts.unjoined == 1)
  }

  /// The newest 4,096 openings are known.
  @Test func theTableIsBounded() throws {
    let openings = (0..<4100).map { "2026-11-21T05:24:01 conn=\($0) ACCEPT from IP=192.0.2.1:4711 x" }
    let failures = [0, 3, 4, 4099].map { "2026-11-21T05:24:02 conn=\($0) RESULT err=49" }
    #expect(try found(slapd, (openings + failures).joined(separator: "\n"), by: 10_000).count == 2)
  }

  @Test func aRoleNeedsAKey() throws {
    let rules = NativeRules(patterns: [pattern("accept", "^ACCEPT from <host>$", .opens)])
    #expect(throws: FilterError.self) {
      try Filter(FilterDefinition(name: "t", file: "t.yaml", rules: .native(rules)))
    }
  }

  /// A name with a line end: what follows may be the client's.
  @Test(arguments: [1, 100]) func nothingIsBelievedBehindATornLine(size: Int) throws {
    let rules = NativeRules(
      patterns: [pattern("denied", "^denied: <user> from <host>$")], torn: ["^denied: (?!.* from [0-9.]+$)"])
    let log = """
      denied: bob from 192.0.2.1
      denied: x
      denied: y from 198.51.100.1
      """
    #expect(try found(rules, log, by: size) == ["192.0.2.1 192.0.2.1 0"])
    let later = log + "\n" + String(repeating: "something else\n", count: 300) + "denied: bob from 192.0.2.2"
    #expect(try found(rules, later, by: size).count == 2)
  }

  /// A stamp that is more than a second later is another record's, unless it is ahead of the clock (12:00).
  @Test(arguments: [1, 100]) func aLaterLineIsAnotherRecord(size: Int) throws {
    let rules = NativeRules(
      patterns: [pattern("denied", "^.{19} denied: <user> from <host>$")],
      torn: ["^.{19} denied: (?!.* from [0-9.]+$)"])
    let log = """
      2026-11-21T05:24:01 denied: x
      2026-11-21T05:23:01 denied: y from 198.51.100.1
      2026-11-21T05:24:02 denied: y from 198.51.100.1
      2026-11-21T12:24:03 denied: y from 198.51.100.1
      2026-11-21T05:24:03 denied: y from 192.0.2.1
      """
    #expect(try found(rules, log, by: size) == ["192.0.2.1 192.0.2.1 0"])
  }

  /// A name that ends the line: a whole line behind it may be the client's. Its own next failures count.
  @Test(arguments: [1, 100]) func anotherAddressRightBehindAMatchIsNotBelieved(size: Int) throws {
    let rules = NativeRules(
      patterns: [pattern("denied", "^denied: <host>, name: <user>$")], untrustedAfterMatch: 4096)
    let log = """
      denied: 192.0.2.1, name: x
      denied: 198.51.100.1, name: y
      denied: 192.0.2.1, name: x
      denied: 198.51.100.1, name: y
      """
    #expect(try found(rules, log, by: size) == ["192.0.2.1 192.0.2.1 0", "192.0.2.1 192.0.2.1 0"])
    let later = log + "\n" + String(repeating: "something else\n", count: 300) + "denied: 192.0.2.2, name: bob"
    #expect(try found(rules, later, by: size).count == 3)
  }
}
