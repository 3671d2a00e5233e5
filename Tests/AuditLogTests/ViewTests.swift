import Foundation
import Model
import Testing

@testable import AuditLog

/// What an administrator sees with nothing but the `sqlite3` program.
@Suite struct ViewTests {
  @Test func theViewShowsWhatTheReaderShows() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    let addresses = [
      "192.0.2.7", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::1", "::", "2001:db8:0:1:1:1:1:1", "1::",
      "1:0:0:2::3",
      "2001:db8:0:0:1:0:0:1", "fe80::10:0", "a:b:c:d:e:f:1:0", "0:1:2:3:4:5:6:7", "1:2:3:4:5:6:0:0",
      "abcd:0:0:0:0:0:0:10",
    ]
    // Stamps that say when the failure was, of which a template is made: first, since one without would fit, too.
    var samples = (0..<6).map { Sample(address: "198.51.100.\($0)") }
    for round in 0..<6 {
      for (i, address) in addresses.enumerated() {
        let time = start.adding(seconds(Int64(round * 100 + i)))
        samples.append(Sample(time: time, address: address, user: round % 2 == 0 ? "root" : "", offset: UInt64(i) + 17))
        samples.append(
          Sample(
            time: time, address: address,
            line:
              "2026-11-20T10:40:00.12345\(i)+01:00 web sshd[00\(i)]: x=1e\(i) 12345678901234567890 v\(i) 1.\(i): \"quoted\" 7 \(address) 🦆 a-1 é9 root 0 01 10. end 9.",
            jail: 1))
      }
    }
    samples.append(Sample(name: "session 7", user: "x'y"))
    samples.append(Sample(source: 2, cursor: "s=0123456789abcdef0123456789abcdef;i=ff;b=1"))
    samples.append(Sample(time: start.adding(.hours(1)), line: "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"))
    samples.append(
      Sample(time: Instant(microseconds: 1500), line: "tab\tand \u{1}control \u{10} bytes 1 2 3 ........."))
    try store.commit(FailureBatch(samples), names: names)
    try store.storeAdded()
    let rows = try scratch.reader().page(AuditFilter(), limit: 1000).rows.sorted { $0.number < $1.number }
    // Lines that are all stored whole would test nothing.
    #expect(Int(try scratch.sqlite3("SELECT count(*) FROM template WHERE stamp IS NOT NULL"))! > 0)
    func column(_ name: String) throws -> [String] {
      let text = try scratch.sqlite3("SELECT hex(coalesce(\(name), '-')) FROM failures ORDER BY row_id")
      return text.split(separator: "\n", omittingEmptySubsequences: false).map { hex in
        let digits = Array(hex.utf8)
        return String(
          decoding: stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)!
          }, as: UTF8.self)
      }
    }
    #expect(try column("line") == rows.map(\.line))
    #expect(try column("line") == samples.map(\.text))
    #expect(try column("id") == rows.map(\.id))
    #expect(try column("user") == rows.map { $0.user.isEmpty ? "-" : $0.user })
    #expect(try column("jail") == rows.map(\.jail))
    #expect(try column("pattern") == rows.map(\.pattern))
    #expect(try column("cursor") == rows.map { $0.cursor ?? "-" })
    #expect(try column("offset") == rows.map { $0.offset.map(String.init) ?? "-" })
    #expect(try scratch.sqlite3("SELECT time FROM failures LIMIT 1") == "2026-11-20T10:40:00.000Z")
    #expect(try scratch.reader().verify().isWhole)
  }

  @Test func bansOperatorsAndEventsRead() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    let admin = Decision.Cause.operator(uid: 1000, command: "bailiff unban 192.0.2.7")
    try store.commit(
      FailureBatch(), names: names, decisions: [ban("192.0.2.7"), ban("2001:db8::/64", for: nil)], applied: start)
    try store.commit(
      FailureBatch(), names: names,
      decisions: [ban("192.0.2.7", at: start.adding(seconds(60)), action: .unban, cause: admin)])
    try store.record(
      AuditEvent(time: start, action: .reload, detail: "sshd: maxretry 3 to 5", uid: 0, command: "bailiff reload"))
    try store.record(AuditEvent(time: start, action: .firewallRepaired, detail: "chain BAILIFF was missing"))
    #expect(
      try scratch.sqlite3("SELECT id, since, until, in_force, ended, ended_by, ended_uid FROM bans ORDER BY row_id")
        == """
        192.0.2.7|2026-11-20T10:40:00.000Z|2026-11-20T11:40:00.000Z|0|2026-11-20T10:41:00.000Z|operator|1000
        2001:db8::/64|2026-11-20T10:40:00.000Z||1|||
        """)
    #expect(
      try scratch.sqlite3("SELECT uid, action, id, command FROM operators ORDER BY time DESC")
        == "1000|unban|192.0.2.7|bailiff unban 192.0.2.7\n0|reload||bailiff reload")
    #expect(try scratch.sqlite3("SELECT action FROM events") == "reload\nfirewall-repaired")
  }
}
