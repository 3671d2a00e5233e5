import Model
import SQLite
import Testing

@testable import AuditLog

/// How close an address is to a ban.
@Suite struct ExplanationTests {
  private func weight(of id: String, since: Instant = start, _ scratch: borrowing Scratch) throws -> Int {
    try scratch.reader().weight(of: Identity(id), jail: "sshd", since: since)
  }

  private func failures(_ address: String, _ seconds: Range<Int64>) -> [Sample] {
    seconds.map { Sample(time: start.adding(.seconds($0 * 10)), address: address) }
  }

  /// A ban empties the window: what led to it, and what came while it was in force, counts no longer.
  @Test(arguments: [true, false]) func whatABanHasAnsweredDoesNotCount(indexed: Bool) throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try store.commit(
      FailureBatch(failures("192.0.2.1", 0..<5) + failures("192.0.2.2", 0..<3)), names: names)
    if indexed { try store.storeAdded() }
    #expect(try weight(of: "192.0.2.1", scratch) == 5)
    #expect(try weight(of: "192.0.2.0/24", scratch) == 8)
    #expect(try weight(of: "192.0.2.1", since: start.adding(.seconds(25)), scratch) == 2)

    try store.commit(
      FailureBatch(), names: names, decisions: [ban("192.0.2.1", at: start.adding(.seconds(40)), for: .seconds(60))])
    #expect(try weight(of: "192.0.2.1", scratch) == 0)
    // A block is not answered by the ban of one of its addresses.
    #expect(try weight(of: "192.0.2.0/24", scratch) == 8)
    try store.commit(FailureBatch(failures("192.0.2.1", 8..<12)), names: names)
    if indexed { try store.storeAdded() }
    // The ban ended at 100 s: the failures at 100 and 110.
    #expect(try weight(of: "192.0.2.1", scratch) == 2)
    #expect(try weight(of: "192.0.2.2", scratch) == 3)
  }

  /// Counts of addresses that fill whole chunks are kept; they must agree with the rows, also when retention takes some.
  @Test func whatIsStoredIsCounted() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    for batch in 0..<20 {
      try store.commit(
        FailureBatch(
          (0..<2000).map { number in
            let at = batch * 2000 + number
            var sample = Sample(
              time: start.adding(.seconds(Int64(at))),
              address: at % 3 == 0 ? "192.0.2.1" : at % 500 == 1 ? "192.0.2.2" : "10.0.\(at % 251).\(at % 241)")
            if at % 9 == 0 { sample.jail = 1 }
            if at % 30 == 0 { sample.count = 2 }
            return sample
          }), names: names)
    }
    try store.storeAdded()
    #expect(try store.read { try $0.first("SELECT count(*) FROM segment") } == 2)
    for _ in 0..<3 {
      let reader = try scratch.reader()
      for address in ["192.0.2.1", "192.0.2.2"] {
        var filter = AuditFilter()
        filter.identity = Identity(address)
        var counts: [String: Int] = [:]
        var (first, last) = ([String: Instant](), [String: Instant]())
        try reader.forEach(filter) { row in
          counts[row.jail, default: 0] += row.count
          first[row.jail] = row.time
          last[row.jail] = last[row.jail] ?? row.time
          return true
        }
        let jails = try reader.explain(Identity(address)).jails
        #expect(Dictionary(uniqueKeysWithValues: jails.map { ($0.jail, $0.failures) }) == counts)
        #expect(Dictionary(uniqueKeysWithValues: jails.map { ($0.jail, $0.first) }) == first)
        #expect(Dictionary(uniqueKeysWithValues: jails.map { ($0.jail, $0.last) }) == last)
      }
      let now = start.adding(.seconds(10_000)).adding(.hours(1))
      _ = try store.retain(RetentionPolicy(failures: .hours(1)), now: now, limit: 4000)
    }
    #expect(try store.read { try $0.first("SELECT count(*) FROM segment") } == 1)
  }

  @Test func liftingABanEndsItForTheWindowToo() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try store.commit(
      FailureBatch(failures("192.0.2.1", 0..<5)), names: names,
      decisions: [ban("192.0.2.1", at: start.adding(.seconds(40)), for: .hours(1))])
    let cause = Decision.Cause.operator(uid: 0, command: "unban")
    try store.commit(
      FailureBatch(failures("192.0.2.1", 5..<7)), names: names,
      decisions: [ban("192.0.2.1", at: start.adding(.seconds(55)), action: .unban, cause: cause)])
    #expect(try weight(of: "192.0.2.1", scratch) == 1)
  }
}
