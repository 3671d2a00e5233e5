import Foundation
import GRDB
import Model
import Testing

@testable import Store

@Suite struct RetentionTests {
  @Test func whatIsLeftIsStillVerified() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    for i in 0..<200 {
      let time = start.adding(.hours(Int64(i)))
      try store.commit(
        FailureBatch((0..<5).map { Sample(time: time, address: "192.0.2.\($0)", user: "user\($0)") }), names: names,
        decisions: i % 10 == 0
          ? [ban("198.51.100.\(i)", at: time), ban("198.51.100.\(i)", at: time, action: .unban)] : [])
      if i % 50 == 0 { try store.record(AuditEvent(time: time, action: .reload, detail: "\(i)")) }
    }
    while try store.settle() {}
    let checkpoint = try #require(try scratch.reader().checkpoint())
    let now = start.adding(.hours(200))
    let policy = RetentionPolicy(failures: .hours(50), decisions: .hours(100), events: .hours(120))
    var steps = 0
    while try store.retain(policy, now: now, limit: 20) { steps += 1 }
    #expect(steps > 5)
    let reader = try scratch.reader()
    let result = try reader.verify(against: checkpoint)
    #expect(result.problem == nil)
    #expect(result.checkpointFound == true)
    #expect(result.failures == 50 * 5)
    #expect(result.decisions == 20)
    #expect(result.events == 2)
    #expect(result.removedThrough["failure"] == 750)
    // What is counted agrees with what is left.
    #expect(try reader.top(by: .user, since: Instant(microseconds: .min)).total == 250)
    #expect(try reader.top(by: .ip, since: Instant(microseconds: .min)).total == 250)
    #expect(try reader.statistics(at: now).rows == 250)
    // Nothing more to do, and the next commit goes on.
    #expect(try !store.retain(policy, now: now, limit: 20))
    try store.commit(FailureBatch([Sample(time: now)]), names: names)
    #expect(try reader.verify(against: checkpoint).isWhole)

    try store.close()
    try scratch.sql("UPDATE origin SET jail = 'elsewhere'")
    #expect(try scratch.reader().verify().problem != nil)
  }

  @Test func bansInForceKeepTheirDecision() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try store.commit(FailureBatch(), names: names, decisions: [ban("192.0.2.1", for: nil)])
    try store.commit(FailureBatch(), names: names, decisions: [ban("192.0.2.2", for: .hours(1))])
    let later = start.adding(.hours(1000))
    while try store.retain(RetentionPolicy(decisions: .hours(1)), now: later) {}
    #expect(try store.bansInForce(at: later).count == 1)
    #expect(try scratch.reader().explain(Identity("192.0.2.1")).bans.count == 1)
    #expect(try scratch.reader().verify().decisions == 2)
  }

  @Test func theOldestGoWhenTheFileIsTooLarge() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    for i in 0..<300 {
      try store.commit(
        FailureBatch(
          (0..<60).map { Sample(time: start.adding(seconds(Int64(i * 60 + $0))), address: "10.0.\(i % 256).\($0)") }),
        names: names)
    }
    while try store.settle() {}
    let size = try store.queue.read { try AuditStore.usedBytes($0) }
    while try store.retain(RetentionPolicy(size: size / 2), now: start, limit: 200) {}
    #expect(try store.queue.read { try AuditStore.usedBytes($0) } <= size / 2)
    let rows = try scratch.reader().page(AuditFilter(), limit: 20_000).rows
    #expect(rows.count > 3000)
    #expect(rows.first?.number == 18_000)
    #expect(try scratch.reader().verify().isWhole)
  }
}
