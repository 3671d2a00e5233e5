import Fail2banMatching
import Matching
import Model
import Testing

/// Records of ModSecurity's native audit log are longer than a line, and may be longer than a chunk.
@Suite struct AuditRecordTests {
  static let record = [
    "--5a70c866-A--", "[21/Nov/2026:07:00:56.287188 +0000] id 192.0.2.7 50372 203.0.113.1 443", "--5a70c866-B--",
    "POST / HTTP/1.1", "", "--5a70c866-C--", "x=1", "--5a70c866-H--",
    #"Message: Access denied with code 403 (phase 2). [id "949110"] [severity "CRITICAL"]"#, "--5a70c866-Z--", "",
  ]

  /// What is found when the lines come in chunks that end after each of `ends` lines.
  private func found(_ lines: [String], endingAfter ends: [Int]) throws -> [String] {
    let set = FilterSet([try Filter(Shipped.definition("modsecurity-audit.yaml"))])
    let history = LineHistory()
    var clock = LogClock(now: Instant(rfc3339: "2026-11-21T12:00:00Z")!, zone: ZoneOffsets(name: "UTC")!)
    var found: [String] = []
    var start = 0
    for end in ends + [lines.count] where end > start {
      let chunk = Array(lines[start..<end].joined(separator: "\n").utf8) + [UInt8(ascii: "\n")]
      set.scan(chunk.span, clock: &clock, history: history) { match, line, offset in
        #expect(match.time == Instant(rfc3339: "2026-11-21T07:00:56.287188Z"))
        #expect(offset < chunk.count)
        found.append(match.address.description)
      }
      start = end
    }
    return found
  }

  @Test func chunksMayEndAnywhere() throws {
    for end in 0...Self.record.count {
      #expect(try found(Self.record + Self.record, endingAfter: [end]) == ["192.0.2.7", "192.0.2.7"], "after \(end)")
    }
    let every = Array(1...Self.record.count)
    #expect(try found(Self.record, endingAfter: every) == ["192.0.2.7"])
  }

  /// Neither a record without an end nor one with a foreign end takes the next one's verdict for its own.
  @Test func recordsDoNotMix() throws {
    let verdict = Self.record[8]
    #expect(try found([verdict], endingAfter: []).isEmpty)
    #expect(try found(Array(Self.record[..<7]) + [verdict], endingAfter: []).isEmpty)
    #expect(try found(Self.record + [verdict], endingAfter: []) == ["192.0.2.7"])
    let foreign = Self.record.map {
      $0.replacing("5a70c866", with: "00000000").replacing("192.0.2.7", with: "192.0.2.8")
    }
    #expect(try found(Array(Self.record[..<7]) + foreign + Array(Self.record[7...]), endingAfter: []) == ["192.0.2.7"])
  }
}
