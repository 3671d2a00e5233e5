import Foundation
import Model
import SQLite
import Testing

@testable import AuditLog

@Suite struct ActivityTests {
  private func batch(_ count: Int, at time: Instant = start, line: String = "Accepted password for alice")
    -> FailureBatch
  {
    var batch = FailureBatch()
    for index in 0..<count {
      var activity = Activity(
        time: time, event: index % 2 == 0 ? .login : .command, address: index % 2 == 0 ? Address("192.0.2.7") : nil,
        jail: 0, pattern: 0, source: 0)
      activity.line = batch.store(Array("\(line) \(index)".utf8).span)
      activity.user = batch.store(Array("alice".utf8).span)
      activity.target = batch.store(Array((index % 2 == 0 ? "" : "root").utf8).span)
      activity.offset = UInt64(index)
      batch.append(activity)
    }
    return batch
  }

  private func alert(_ kind: Alert.Kind = .manyAccounts) -> Alert {
    Alert(
      kind, time: start, since: start, user: "alice", address: Address("192.0.2.7"), jail: "sshd", count: 10,
      text: "192.0.2.7 tried 10 accounts")
  }

  @Test func rowsComeBack() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    var batch = batch(4)
    batch.positions = [filePosition(100)]
    try store.commit(batch, names: names)
    let reader = try scratch.reader()
    let rows = try reader.activities(ActivityFilter(), limit: 100)
    #expect(rows.map(\.number) == [4, 3, 2, 1] && rows.map(\.event) == [.command, .login, .command, .login])
    #expect(rows[3].address == Address("192.0.2.7") && rows[3].user == "alice" && rows[3].pattern == "failed-password")
    #expect(rows[2].address == nil && rows[2].target == "root" && rows[2].line.hasSuffix(" 1") && rows[2].offset == 1)
    func numbers(_ change: (inout ActivityFilter) -> Void) throws -> [Int64] {
      var filter = ActivityFilter()
      change(&filter)
      return try reader.activities(filter, limit: 100).map(\.number)
    }
    #expect(try numbers { $0.events = [.login] } == [3, 1])
    #expect(try numbers { $0.user = "root" } == [4, 2])
    #expect(try numbers { $0.subnet = Subnet("192.0.2.0/24") } == [3, 1])
    #expect(try numbers { $0.subnet = Subnet("2001:db8::/32") } == [])
    #expect(try numbers { $0.before = 3 } == [2, 1])
    #expect(try numbers { $0.after = 2 } == [3, 4])
    #expect(try numbers { $0.since = start.adding(.seconds(1)) } == [])
    #expect(try store.positions().count == 1, "with where the source is read")
    #expect(try reader.verify().isWhole)
  }

  /// A commit whose success could not be told is not made twice, and one that failed is made.
  @Test func aRetryStoresEachRowOnce() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try store.commit(batch(1), names: names)
    try scratch.sql("CREATE TRIGGER full BEFORE INSERT ON activity BEGIN SELECT raise(ABORT, 'full'); END")
    #expect(throws: StoreError.self) { try store.commit(batch(3), names: names) }
    try scratch.sql("DROP TRIGGER full")
    try store.commit(batch(3), names: names)
    #expect(try scratch.reader().activities(ActivityFilter(), limit: 100).count == 4)
    // The same lines again are other lines.
    try store.commit(batch(3), names: names)
    #expect(try scratch.reader().activities(ActivityFilter(), limit: 100).count == 7)
  }

  @Test func alertsAreEventsOfTheChain() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    var batch = FailureBatch((0..<10).map { Sample(user: "u\($0)", offset: UInt64($0)) })
    batch.alerts = [alert()]
    try store.commit(batch, names: names, decisions: [ban("192.0.2.7")])
    var alone = FailureBatch()
    alone.alerts = [alert(.firstPrivilege)]
    try store.commit(alone, names: names)
    try store.record(AuditEvent(time: start, action: .note, detail: "x"))
    let reader = try scratch.reader()
    #expect(try reader.alerts(limit: 10).map(\.alert) == [alert(.firstPrivilege), alert()])
    var filter = AuditFilter()
    filter.kinds = [.operator]
    let events = try reader.page(filter, limit: 10).rows
    #expect(
      events.filter { $0.action == "alert" }.map(\.subject).sorted() == [
        "first-privilege alice 192.0.2.7", "many-accounts alice 192.0.2.7",
      ])
    #expect(try reader.evidence(of: alert()).failures.count == 10)
    let result = try reader.verify()
    #expect(result.isWhole && result.events == 3 && result.decisions == 1)
    #expect(try store.alerts(since: start).count == 2)
    #expect(
      try scratch.sqlite3("SELECT kind, address, text FROM alerts ORDER BY row_id")
        == "many-accounts|192.0.2.7|192.0.2.7 tried 10 accounts\nfirst-privilege|192.0.2.7|192.0.2.7 tried 10 accounts")
    store.close()
    try scratch.sql("UPDATE event SET detail = 'nothing happened' WHERE id = 1")
    #expect(try scratch.reader().verify().problem?.row == "event 1")
  }

  /// Neither pushes out the other.
  @Test func activitiesHaveABoundOfTheirOwn() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    for i in 0..<20 {
      try store.commit(FailureBatch((0..<50).map { Sample(user: "u\($0)") }), names: names)
      try store.commit(
        batch(500, at: start.adding(.hours(Int64(i))), line: String(repeating: "x", count: 800)), names: names)
    }
    var policy = RetentionPolicy(size: 4 << 20, activitySize: 1 << 20)
    while try store.retain(policy, now: start) {}
    let reader = try scratch.reader()
    let left = try reader.activities(ActivityFilter(), limit: 100_000)
    #expect(left.count > 800 && left.count < 1300 && left.first?.number == 10_000)
    #expect(try reader.verify().failures == 1000)
    // Failures' bound removes failures alone.
    policy = RetentionPolicy(failures: .hours(1))
    while try store.retain(policy, now: start.adding(.hours(1000))) {}
    #expect(try reader.verify().failures == 0)
    #expect(try reader.activities(ActivityFilter(), limit: 100_000).count == left.count)
    policy = RetentionPolicy(activity: .hours(1))
    while try store.retain(policy, now: start.adding(.hours(20))) {}
    #expect(try reader.activities(ActivityFilter(), limit: 100_000).allSatisfy { $0.time >= start.adding(.hours(19)) })
    #expect(try reader.lastActivity() == 10_000)
    try store.commit(batch(1), names: names)
    #expect(try reader.lastActivity() == 10_001, "numbers are not used again")
  }

  @Test func whereAccountsWereSeen() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    let key = Sighting.Key(service: "sshd", user: "alice", network: Subnet("192.0.2.0/24"))
    var batch = FailureBatch()
    batch.sightings = [Sighting(key, first: start, last: start)]
    try store.commit(batch, names: names)
    batch.sightings = [
      Sighting(key, first: start, last: start.adding(.hours(2))),
      Sighting(.init(service: "pam", user: "alice", network: nil), first: start, last: start),
    ]
    try store.commit(batch, names: names)
    #expect(Set(try store.sightings()) == Set(batch.sightings))
    try store.retain(RetentionPolicy(), now: start.adding(.hours(24 * 399)))
    #expect(try store.sightings().count == 2)
    try store.retain(RetentionPolicy(), now: start.adding(.hours(24 * 401)))
    #expect(try store.sightings().map(\.key.service) == ["pam"])
  }

  /// What is not UTF-8 is kept as far as it can be shown.
  @Test func namesAreWhatClientsSend() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    var batch = FailureBatch()
    var activity = Activity(time: start, event: .login, address: Address("2001:db8::7"), jail: 0, pattern: 0, source: 2)
    activity.line = batch.store([0x61, 0xff, 0x00, 0x62].span)
    activity.user = batch.store([0xff].span)
    activity.cursor = batch.store(Array("s=1;i=2".utf8).span)
    batch.append(activity)
    try store.commit(batch, names: names)
    let row = try #require(try scratch.reader().activities(ActivityFilter(), limit: 1).first)
    #expect(row.user == "\u{fffd}" && row.line == "a\u{fffd}\0b" && row.cursor == "s=1;i=2" && row.offset == nil)
    #expect(
      try scratch.sqlite3("SELECT address, event FROM activities") == "2001:0db8:0000:0000:0000:0000:0000:0007|login")
  }
}
