import Fail2banMatching
import Filters
import Model
import Testing

@testable import Matching

/// Text logs into which a client can write line ends: what stands behind a record that was torn apart may be the client's.
@Suite struct TornRecordTests {
  private static func filter(programs: [String] = []) throws -> Filter {
    try Filter(
      FilterDefinition(
        name: "t", file: "t.yaml",
        rules: .native(
          NativeRules(
            programs: programs,
            patterns: [PatternDefinition(name: "denied", match: "user denied: <user> from <host>$")],
            torn: ["user denied: (?!.* from <host>$)"]))))
  }

  private struct Found: Equatable {
    var hosts: [String]
    var distrusted: Int
  }

  /// The hosts found, in chunks of whole lines.
  private static func hosts(_ filter: Filter, _ chunks: [[String]]) -> Found {
    let set = FilterSet([filter])
    let history = LineHistory()
    var clock = LogClock(now: Instant(rfc3339: "2026-11-28T12:00:00Z")!, zone: ZoneOffsets(name: "UTC")!)
    var hosts: [String] = []
    for chunk in chunks {
      set.scan(Array(chunk.map { $0 + "\n" }.joined().utf8).span, clock: &clock, history: history) { match, _, _ in
        hosts.append(match.address.description)
      }
    }
    return Found(hosts: hosts, distrusted: set.counts.distrusted)
  }

  private static let honest = "user denied: bob from 192.0.2.7"
  private static let forged = "user denied: x from 198.51.100.9"

  @Test func whatFollowsIsNotBelieved() throws {
    let filter = try Self.filter()
    let record = ["user denied: a", Self.forged, "b from 192.0.2.8"]
    // In one chunk and in several; the end of the record itself is lost with it.
    for chunks in [[[Self.honest] + record], [[Self.honest, record[0]], [record[1]], [record[2]]]] {
      #expect(Self.hosts(filter, chunks) == Found(hosts: ["192.0.2.7"], distrusted: 1))
    }
    let near = record + Array(repeating: "other", count: 8) + [Self.honest]
    #expect(Self.hosts(filter, [near]) == Found(hosts: [], distrusted: 2))
    #expect(Self.hosts(filter, near.map { [$0] }) == Found(hosts: [], distrusted: 2))
    #expect(
      Self.hosts(filter, [[Self.honest, Self.honest, Self.honest]])
        == Found(hosts: Array(repeating: "192.0.2.7", count: 3), distrusted: 0))
  }

  /// As far as docs/settings.md says: what begins up to 4,096 bytes behind the start of the torn line.
  @Test(arguments: [4096: 1, 4097: 0, 5000: 0]) func howFar(distance: Int, distrusted: Int) throws {
    let torn = "app: user denied: a"
    let lines = [
      String(repeating: "x", count: 100), torn, String(repeating: "o", count: distance - torn.utf8.count - 2),
      Self.honest,
    ]
    let hosts = distrusted == 0 ? ["192.0.2.7"] : []
    let filter = try Self.filter()
    // Where the source begins with it, and behind other lines; in one chunk and in several.
    for lines in [lines, Array(lines.dropFirst())] {
      for chunks in [[lines], lines.map { [$0] }, [Array(lines.dropLast()), [Self.honest]]] {
        #expect(Self.hosts(filter, chunks) == Found(hosts: hosts, distrusted: distrusted), "\(distance)")
      }
    }
  }

  /// A line that is more than a second later is another record's, unless its stamp is one that no clock has shown yet.
  @Test(arguments: ["01": 1, "02": 1, "03": 0]) func howLong(second: String, distrusted: Int) throws {
    let filter = try Self.filter()
    let lines = ["2026-11-28 04:35:01 user denied: a", "2026-11-28 04:35:\(second) \(Self.honest)"]
    let hosts = distrusted == 0 ? ["192.0.2.7"] : []
    #expect(Self.hosts(filter, [lines]) == Found(hosts: hosts, distrusted: distrusted))
    #expect(Self.hosts(filter, lines.map { [$0] }) == Found(hosts: hosts, distrusted: distrusted))
    let ahead = [lines[0], "2026-11-29 04:35:03 \(Self.honest)"]
    #expect(Self.hosts(filter, [ahead]) == Found(hosts: [], distrusted: 1))
  }

  @Test func behindAHeader() throws {
    let filter = try Self.filter(programs: ["app"])
    let header = "Nov 28 04:35:01 web app[1]: "
    #expect(Self.hosts(filter, [[header + "user denied: a", header + Self.forged]]) == Found(hosts: [], distrusted: 1))
    // Another program's line says nothing of this one's.
    let other = "Nov 28 04:35:01 web other[1]: user denied: a"
    #expect(Self.hosts(filter, [[other, header + Self.honest]]) == Found(hosts: ["192.0.2.7"], distrusted: 0))
  }
}
