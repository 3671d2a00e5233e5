import Foundation
import Model
import SQLite
import Testing

@testable import AuditLog

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
    try store.storeAdded()
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
    #expect(try reader.top(by: .pattern, since: Instant(microseconds: .min)).total == 250)
    // Ever means ever.
    #expect(try reader.totals()["sshd"] == JailTotals(failures: 1000, rows: 1000, bans: 20))
    // Nothing more to do, and the next commit goes on.
    #expect(try !store.retain(policy, now: now, limit: 20))
    try store.commit(FailureBatch([Sample(time: now)]), names: names)
    #expect(try reader.verify(against: checkpoint).isWhole)

    store.close()
    try scratch.sql("UPDATE origin SET jail = 'elsewhere'")
    #expect(try scratch.reader().verify().problem != nil)
  }

  /// One ban that never ends must not keep all that came after it.
  @Test func bansInForceStayThoughTheirDecisionIsGone() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try store.commit(FailureBatch(), names: names, decisions: [ban("192.0.2.1", for: nil)])
    try store.commit(FailureBatch(), names: names, decisions: [ban("192.0.2.2", for: .hours(1))])
    let ended = start.adding(.hours(1))
    try store.commit(
      FailureBatch(), names: names,
      decisions: [ban("192.0.2.2", at: ended, action: .unban), ban("192.0.2.3", at: ended)])
    // The next ban of an id ends the one before.
    try store.commit(FailureBatch(), names: names, decisions: [ban("192.0.2.3", at: ended.adding(.hours(2)))])
    try store.commit(
      FailureBatch(), names: names, decisions: [ban("192.0.2.4", at: ended.adding(.hours(990)), for: nil)])
    let later = start.adding(.hours(1000))
    while try store.retain(RetentionPolicy(decisions: .hours(500)), now: later, limit: 1) {}
    let reader = try scratch.reader()
    #expect(try reader.explain(Identity("192.0.2.1")).bans.map(\.ended) == [nil])
    #expect(try reader.explain(Identity("192.0.2.1")).bans.first?.since == start)
    #expect(try reader.explain(Identity("192.0.2.2")).bans.isEmpty)
    #expect(try reader.explain(Identity("192.0.2.3")).bans.count == 1)
    #expect(try reader.explain(Identity("192.0.2.4")).bans.count == 1)
    let result = try reader.verify()
    #expect(result.problem == nil)
    #expect(result.decisions == 1)
    #expect(result.removedThrough["decision"] == 5)
  }

  /// However long the chain is, a step drops a few of its links, and none is left over in the end.
  @Test func aStepIsShortHoweverLongTheChainIs() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    for i in 0..<2000 {
      try store.commit(
        FailureBatch([Sample(time: start.adding(seconds(Int64(i))), address: "192.0.2.1")]), names: names,
        decisions: i % 500 == 250 ? [ban("198.51.100.\(i / 500)", at: start)] : [])
    }
    try store.storeAdded()
    let later = start.adding(.hours(1000))
    while try store.retain(RetentionPolicy(failures: .hours(1)), now: later, limit: 300) {}
    func links() throws -> Int {
      try store.read { try $0.first("SELECT (SELECT count(*) FROM batch) + (SELECT count(*) FROM link)") ?? 0 }
    }
    // The first decision is in the way.
    #expect(try links() == 2000 - 191)
    let checkpoint = try #require(try scratch.reader().checkpoint())
    var before = try links()
    var more = true
    while more {
      more = try store.retain(RetentionPolicy(failures: .hours(1), decisions: .hours(1)), now: later, limit: 300)
      let now = try links()
      #expect(before - now <= 300)
      before = now
      #expect(try scratch.reader().verify(against: checkpoint).isWhole)
    }
    #expect(before <= 64)
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
    try store.storeAdded()
    let size = try store.read { try StoreSize.used($0) }
    while try store.retain(RetentionPolicy(size: size / 2), now: start, limit: 200) {}
    #expect(try store.read { try StoreSize.used($0) } <= size / 2)
    let rows = try scratch.reader().page(AuditFilter(), limit: 20_000).rows
    #expect(rows.count > 3000)
    #expect(rows.first?.number == 18_000)
    #expect(try scratch.reader().verify().isWhole)
  }

  /// Whoever makes many events, or is banned again and again, does not push out the failures that windows are rebuilt from.
  @Test(arguments: [RecordKind.decisions, .events]) func oneKindDoesNotPushOutTheOthers(kind: RecordKind) throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    for i in 0..<100 {
      try store.commit(
        FailureBatch([Sample(time: start.adding(seconds(Int64(i))), address: "10.0.0.\(i)")]), names: names,
        decisions: [ban("192.0.2.\(i)", at: start), ban("192.0.2.\(i)", at: start, action: .unban)])
      try store.record(AuditEvent(time: start, action: .note, detail: "\(i)"))
    }
    for i in 0..<2000 {
      if kind == .events {
        try store.record(AuditEvent(time: start, action: .note, detail: String(repeating: "x", count: 400)))
      } else {
        try store.commit(
          FailureBatch(), names: names,
          decisions: (0..<4).flatMap { n in
            let (id, time) = ("10.1.\(n).\(i % 250)", start.adding(seconds(Int64(i))))
            return [ban(id, at: time), ban(id, at: time, action: .unban)]
          })
      }
    }
    let policy = RetentionPolicy(size: try store.read { try StoreSize.used($0) } / 2)
    while try store.retain(policy, now: start, limit: 200) {}
    #expect(try store.read { try StoreSize.used($0) } <= policy.size!)
    #expect(try store.sizeProblem(policy) == nil)
    #expect(try scratch.reader().top(by: .ip, since: Instant(microseconds: .min)).total == 100)
    #expect(try store.read { try Retention.removed(.failures, $0) } == 0)
    #expect(try store.read { try Retention.removed(kind, $0) } > 0)
    #expect(try scratch.reader().verify().isWhole)
  }

  /// Bans in force stay, whatever the settings say; then that is said, and the failures keep their share.
  @Test func aBoundThatCannotBeHeldIsSaid() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try store.commit(
      FailureBatch((0..<50).map { Sample(time: start.adding(seconds($0)), address: "10.0.0.\($0)") }), names: names,
      decisions: (0..<5000).map { ban("10.1.\($0 / 250).\($0 % 250)", at: start, for: nil) })
    let policy = RetentionPolicy(size: 600_000)
    while try store.retain(policy, now: start, limit: 200) {}
    let problem = try #require(try store.sizeProblem(policy))
    #expect(
      problem.contains("more than `retention.size` (585.9 KiB), and no more may go: bans in force take"), "\(problem)")
    #expect(try store.bansInForce(at: start).count == 5000)
    #expect(try store.sizeProblem(RetentionPolicy(size: 1 << 30)) == nil)
    #expect(try store.sizeProblem(RetentionPolicy()) == nil)
    #expect(try scratch.reader().verify().isWhole)
  }

  /// Names that nobody has any more, and what lines consisted of, go with the last failure.
  @Test func namesGoWithTheirFailures() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    for i in 0..<20 {
      let line =
        "web sshd[812]: Failed password for mallory-\(i / 10) from 192.0.2.7 port 4711 ssh2 by method-\(i / 10)"
      try store.commit(
        FailureBatch([
          Sample(time: start.adding(.hours(Int64(i))), user: "mallory-\(i / 10)", line: line, jail: UInt16(i / 10)),
          Sample(time: start.adding(.hours(Int64(i))), name: "session-\(i / 10)", bytes: [0xFF, 0x41]),
        ]), names: names)
    }
    try store.storeAdded()
    while try store.retain(RetentionPolicy(failures: .hours(1)), now: start.adding(.hours(11)), limit: 3) {}
    store.close()
    let again = try scratch.store()
    try again.commit(FailureBatch([Sample(time: start.adding(.hours(12)))]), names: names)
    again.close()
    let tables = "batch template origin raw segment posting rule link"
    for name in ["mallory-0", "session-0", "method-0"] {
      for table in tables.split(separator: " ") {
        #expect(try scratch.sqlite3("SELECT * FROM \(table)").contains(name) == false, "\(name) in \(table)")
      }
    }
    #expect(try scratch.sqlite3("SELECT count(*) FROM posting") == "0")
    #expect(try scratch.sqlite3("SELECT user FROM failures").contains("mallory-1"))
    #expect(try scratch.sqlite3("SELECT count(*) FROM origin") == "2")
  }
}
