import Foundation
import Model
import Testing

@testable import AuditLog

@Suite struct VerifyTests {
  /// Ten transactions with three failures, a ban and an event each.
  private func filled(index: Bool = true) throws -> Scratch {
    let scratch = try Scratch()
    let store = try scratch.store()
    for i in 0..<10 {
      let time = start.adding(.minutes(Int64(i)))
      try store.commit(
        FailureBatch((0..<3).map { Sample(time: time, address: "192.0.2.\(i * 3 + $0)", user: "user\($0)") }),
        names: names, decisions: [ban("192.0.2.\(i * 3)", at: time)], applied: time)
      try store.record(AuditEvent(time: time, action: .command, detail: "status", uid: 0, command: "bailiff status"))
    }
    if index { while try store.index() {} }
    store.close()
    return scratch
  }

  @Test(arguments: [true, false]) func anUntouchedStoreIsWhole(index: Bool) throws {
    let result = try filled(index: index).reader().verify()
    #expect(result.problem == nil)
    #expect(result.transactions == 20)
    #expect(result.failures == 30)
    #expect(result.decisions == 10)
    #expect(result.events == 10)
  }

  @Test(arguments: [
    ("UPDATE failure SET time = time + 1 WHERE id = 17", "failure 17 was changed"),
    ("UPDATE failure SET address = 3232235777 WHERE id = 5", "failure 5 was changed"),
    ("UPDATE failure SET count = 9 WHERE id = 30", "failure 30 was changed"),
    ("UPDATE failure SET line = 'nothing happened', shape = NULL WHERE id = 2", "failure 2 was changed"),
    ("UPDATE user_name SET name = 'mallory' WHERE name = 'user1'", "failure 2 was changed"),
    ("UPDATE shape SET text = replace(text, 'Failed', 'Denied')", "was changed"),
    ("UPDATE origin SET jail = 'other'", "was changed"),
    ("DELETE FROM failure WHERE id = 11", "failure 11 was removed"),
    ("DELETE FROM failure WHERE id >= 29", "failure 29 was removed"),
    (
      "INSERT INTO failure SELECT 31, time, address, origin, user, count, weight, place, shape, line, rule FROM failure WHERE id = 30",
      "failure 31 was inserted"
    ),
    (
      "INSERT INTO failure SELECT 0, time, address, origin, user, count, weight, place, shape, line, rule FROM failure WHERE id = 30",
      "failure 0 was inserted"
    ),
    ("UPDATE decision SET until = NULL WHERE id = 3", "decision 3 was changed"),
    ("UPDATE decision SET action = 'unban' WHERE id = 3", "decision 3 was changed"),
    ("UPDATE decision SET address = 1 WHERE id = 4", "decision 4 was changed"),
    ("DELETE FROM decision WHERE id = 7", "decision 7 was removed"),
    ("UPDATE event SET uid = 1000 WHERE id = 2", "event 2 was changed"),
    ("DELETE FROM event WHERE id = 10", "event 10 was removed"),
    ("DELETE FROM chain WHERE sequence = 5", "transaction 5 was removed"),
    ("UPDATE chain SET time = time + 1 WHERE sequence = 20", "transaction 20 was changed"),
    ("UPDATE chain SET hash = zeroblob(32) WHERE sequence = 20", "transaction 20 was changed"),
  ])
  func tamperingIsNamed(sql: String, expected: String) throws {
    let scratch = try filled()
    try scratch.sql(sql)
    let result = try scratch.reader().verify()
    #expect(result.problem?.description.contains(expected) == true, "\(result.problem?.description ?? "nothing found")")
    #expect(!result.isWhole)
  }

  /// What is not yet rows is found as well.
  @Test(arguments: [
    (
      "UPDATE pending SET heads = CAST(replace(CAST(heads AS TEXT), 'user1', 'userX') AS BLOB) WHERE sequence = 1",
      "failure 2 was changed"
    ),
    (
      "UPDATE pending SET lines = CAST(replace(CAST(lines AS TEXT), '812', '813') AS BLOB) WHERE sequence = 3",
      "failure 4 was changed"
    ),
    ("UPDATE pending SET heads = x'00ff' WHERE sequence = 5", "failure 7 was changed"),
    ("DELETE FROM pending WHERE sequence = 7", "failure 10 was removed"),
    ("INSERT INTO pending SELECT 99, heads, lines FROM pending WHERE sequence = 1", "transaction 99 was inserted"),
    ("INSERT INTO pending SELECT 2, heads, lines FROM pending WHERE sequence = 1", "was changed"),
    ("UPDATE event SET detail = 'x' WHERE id = 4", "event 4 was changed"),
  ])
  func aPendingBatchIsCovered(sql: String, expected: String) throws {
    let scratch = try filled(index: false)
    try scratch.sql(sql)
    let problem = try scratch.reader().verify().problem?.description
    #expect(problem?.contains(expected) == true, "\(problem ?? "nothing found")")
  }

  /// What retention left, and the digests of what it removed.
  @Test(arguments: [
    ("UPDATE failure SET time = time + 1 WHERE id = 17", "failure 17 was changed"),
    ("DELETE FROM failure WHERE id = 16", "failure 16 was removed"),
    (
      "INSERT INTO failure (id, time, origin, count, weight, place) VALUES (3, 0, 1, 1, 1, 1)", "failure 3 was inserted"
    ),
    ("UPDATE chain SET failures = zeroblob(32) WHERE sequence = 5", "was changed"),
    ("DELETE FROM decision WHERE id = 6", "decision 6 was removed"),
  ])
  func whatRetentionLeftIsCovered(sql: String, expected: String) throws {
    let scratch = try filled()
    let store = try scratch.store()
    while try store.retain(RetentionPolicy(failures: .minutes(5)), now: start.adding(.minutes(10)), limit: 4) {}
    store.close()
    #expect(try scratch.reader().verify().isWhole)
    try scratch.sql(sql)
    let problem = try scratch.reader().verify().problem?.description
    #expect(problem?.contains(expected) == true, "\(problem ?? "nothing found")")
  }

  /// A row and its sum changed together: the sums are hashed, so the transaction is named.
  @Test func aChangedSumIsFound() throws {
    let scratch = try filled()
    try scratch.sql("UPDATE chain SET sums = zeroblob(length(sums)) WHERE sequence = 3")
    #expect(try scratch.reader().verify().problem?.description.contains("(transaction 3") == true)
  }

  /// Somebody who can write the file can compute a new chain; a checkpoint kept elsewhere tells.
  @Test func aCheckpointFindsAChainThatWasComputedAnew() throws {
    let scratch = try filled()
    let checkpoint = try #require(try scratch.reader().checkpoint())
    #expect(Checkpoint(checkpoint.description) == checkpoint)
    do {
      let store = try scratch.store()
      try store.commit(FailureBatch([Sample(time: start.adding(.hours(1)))]), names: names)
      store.close()
    }
    #expect(try scratch.reader().verify(against: checkpoint).isWhole)

    let forged = try filled()
    try forged.sql("DELETE FROM event WHERE id = 10; DELETE FROM chain WHERE sequence = 20")
    try forged.sql("UPDATE chain SET hash = (SELECT hash FROM chain WHERE sequence = 1) WHERE 0")
    let result = try forged.reader().verify(against: checkpoint)
    #expect(result.checkpointFound == false)
    #expect(!result.isWhole)
  }

  @Test(arguments: [
    "", "12", "12:", "x:00", "1:" + String(repeating: "g", count: 64), "1:" + String(repeating: "+1", count: 32),
  ])
  func whatIsNoCheckpoint(text: String) { #expect(Checkpoint(text) == nil) }
}
