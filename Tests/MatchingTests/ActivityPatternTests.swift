import Fail2banMatching
import Filters
import Model
import Testing

@testable import Matching

/// Patterns of `kind: activity`.
@Suite struct ActivityPatternTests {
  private static func filter() throws -> Filter {
    func pattern(_ name: String, _ match: String, _ event: ActivityEvent? = nil) -> PatternDefinition {
      var pattern = PatternDefinition(name: name, match: match)
      pattern.event = event
      return pattern
    }
    return try Filter(
      FilterDefinition(
        name: "door", file: "door.yaml",
        rules: .native(
          NativeRules(
            programs: ["door"],
            patterns: [
              pattern("refused", "^refused <user> from <host>$"),
              pattern("entered", "^entered (?<user>[^ ]+) from <host>$", .login),
              pattern("became", "^(?<user>[^ ]+) became (?<target>[^ ]+) for (?<detail>.*)$", .command),
            ], ignore: [pattern("own", "from 192\\.0\\.2\\.1$")]))))
  }

  private static let lines = [
    "refused alice from 192.0.2.7", "entered alice from 192.0.2.7", "alice became root for a while",
    "entered alice from nowhere", "entered bob from 192.0.2.1", "refused bob from 192.0.2.1", "nothing",
  ]

  private static func scan(readsActivity: Bool, isPrefiltered: Bool) throws -> (
    found: [String], counts: FilterSet.Counts
  ) {
    let set = FilterSet([try filter()], isPrefiltered: isPrefiltered, readsActivity: readsActivity)
    var clock = LogClock(now: Instant(rfc3339: "2026-11-28T12:00:00Z")!, zone: ZoneOffsets(name: "UTC")!)
    var found: [String] = []
    let text = Array(lines.map { "Nov 28 11:00:00 web door[1]: \($0)\n" }.joined().utf8)
    set.scan(text.span, clock: &clock, history: LineHistory()) { match, line, _ in
      let texts = [match.user, match.target, match.detail].map {
        String(decoding: match.bytes($0, in: line), as: UTF8.self)
      }
      let host = match.host.isEmpty ? "-" : match.address.description
      found.append(([match.event?.rawValue ?? "failure", host] + texts).joined(separator: " "))
    }
    return (found, set.counts)
  }

  @Test(arguments: [false, true]) func theyTellWhatWasDone(isPrefiltered: Bool) throws {
    let (found, counts) = try Self.scan(readsActivity: true, isPrefiltered: isPrefiltered)
    #expect(
      found == [
        "failure 192.0.2.7 alice  ", "login 192.0.2.7 alice  ", "command - alice root a while",
        "login 192.0.2.1 bob  ",
      ])
    #expect(counts.matched == 1 && counts.activities == 3 && counts.ignored == 1)
  }

  /// Where nobody asks for them the lines are not even looked at.
  @Test(arguments: [false, true]) func elseTheyAreNotThere(isPrefiltered: Bool) throws {
    let (found, counts) = try Self.scan(readsActivity: false, isPrefiltered: isPrefiltered)
    #expect(found == ["failure 192.0.2.7 alice  "])
    #expect(counts.activities == 0)
    if isPrefiltered { #expect(counts.candidates == 2) }
  }
}
