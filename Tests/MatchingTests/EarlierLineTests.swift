import Fail2banMatching
import Filters
import Matching
import Model
import Testing

/// Whether a line is believed depends on the lines before it: records that a client tore.
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
        found.append(
          "\(match.address) \(String(decoding: match.bytes(match.host, in: line), as: UTF8.self)) \(match.port)")
      }
    }
    return found
  }

  private func pattern(_ name: String, _ match: String) -> PatternDefinition {
    PatternDefinition(name: name, match: match)
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
