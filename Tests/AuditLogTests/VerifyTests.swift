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
    if index { try store.storeAdded() }
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
    ("UPDATE batch SET base_time = base_time + 1 WHERE id = 11", "was changed"),
    ("UPDATE batch SET first_time = 0 WHERE id = 11", "the times of transaction 11 was changed"),
    ("UPDATE batch SET rows = json_set(rows, '$[1][2]', 3232235777) WHERE id = 11", "failure 17 was changed"),
    ("UPDATE batch SET rows = json_insert(rows, '$[2][#]', json('{\"n\":9}')) WHERE id = 11", "failure 18 was changed"),
    ("UPDATE batch SET rows = replace(rows, '812', '813') WHERE id = 1", "failure 1 was changed"),
    ("UPDATE batch SET rows = replace(rows, '4711', '4712') WHERE id = 19", "failure 28 was changed"),
    ("UPDATE batch SET rows = json_remove(rows, '$[1]') WHERE id = 11", "failure 17 was changed"),
    (
      "UPDATE batch SET rows = json_insert(rows, '$[#]', json('[0,0,1,0,1]')) WHERE id = 19",
      "transaction 19 was changed"
    ),
    ("UPDATE batch SET rows = NULL WHERE id = 7", "failure 10 was removed"),
    ("UPDATE batch SET rows = 'no JSON' WHERE id = 5", "failure 7 was changed"),
    ("UPDATE batch SET users = replace(users, 'user1', 'mallory') WHERE id = 3", "was changed"),
    ("UPDATE template SET text = replace(text, 'Failed', 'Denied')", "was changed"),
    ("UPDATE template SET weight = 0", "was changed"),
    ("UPDATE origin SET jail = 'other'", "was changed"),
    ("INSERT INTO raw (id, line) VALUES (5, 'nothing happened')", "the table raw was changed"),
    ("UPDATE decision SET until = NULL WHERE id = 3", "decision 3 was changed"),
    ("UPDATE decision SET action = 'unban' WHERE id = 3", "decision 3 was changed"),
    ("UPDATE decision SET address = 1 WHERE id = 4", "decision 4 was changed"),
    ("UPDATE decision SET dry_run = 1 WHERE id = 4", "decision 4 was changed"),
    ("DELETE FROM decision WHERE id = 7", "decision 7 was removed"),
    ("UPDATE event SET uid = 1000 WHERE id = 2", "event 2 was changed"),
    ("DELETE FROM event WHERE id = 10", "event 10 was removed"),
    ("DELETE FROM batch WHERE id = 5", "transaction 5 was removed"),
    ("UPDATE batch SET id = 99 WHERE id = 20", "transaction 20 was removed"),
    ("UPDATE batch SET time = time + 1 WHERE id = 20", "transaction 20 was changed"),
    ("UPDATE batch SET hash = zeroblob(32) WHERE id = 20", "transaction 20 was changed"),
    // What questions are answered by beside the rows.
    ("UPDATE ban SET until = NULL WHERE id = 3", "ban 3 was changed"),
    ("UPDATE ban SET ended = since, end_cause = 'operator' WHERE id = 9", "ban 9 was changed"),
    ("UPDATE ban SET applied = NULL WHERE id = 10", "ban 10 was changed"),
    ("DELETE FROM ban WHERE id = 10", "ban 9 was changed"),
    ("DELETE FROM ban", "a ban of 192.0.2.27 was removed"),
    (
      "INSERT INTO ban SELECT 0, jail, 'x', NULL, NULL, since, until, count, number, applied, dry_run, start_cause, start_uid, start_command, ended, end_cause, end_uid, end_command FROM ban WHERE id = 1",
      "ban 0 was inserted"
    ),
    ("DELETE FROM posting", "the index of failures 1 to 30 was changed"),
    ("UPDATE posting SET block = zeroblob(9)", "the index of failures 1 to 30 was changed"),
    ("UPDATE segment SET counts = zeroblob(0)", "the index of failures 1 to 30 was changed"),
    ("UPDATE segment SET last_time = first_time", "the index of failures 1 to 30 was changed"),
    ("INSERT INTO posting VALUES (2, x'04', x'00')", "the index of failure 2 was inserted"),
    ("DROP VIEW bans; CREATE VIEW bans AS SELECT 1", "view bans was changed"),
    ("CREATE TRIGGER forget AFTER INSERT ON ban BEGIN DELETE FROM ban; END", "trigger forget was inserted"),
    ("DROP INDEX ban_address", "index ban_address was removed"),
    // An index without the newest bans, under the name and with the words of the one that has all of them.
    (
      """
      DROP INDEX ban_address; CREATE INDEX ban_address ON ban (address) WHERE id < 5; PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET sql = 'CREATE INDEX ban_address ON ban (address)' WHERE name = 'ban_address'
      """, "index ban_address was changed"
    ),
  ])
  func tamperingIsNamed(sql: String, expected: String) throws {
    let scratch = try filled()
    try scratch.sql(sql)
    let result = try scratch.reader().verify()
    #expect(result.problem?.description.contains(expected) == true, "\(result.problem?.description ?? "nothing found")")
    #expect(!result.isWhole)
  }

  /// Without its segments a store is only slower.
  @Test func rowsWithoutASegmentAreFound() throws {
    let scratch = try filled()
    var filter = AuditFilter()
    filter.identity = Identity("192.0.2.17")
    let before = try scratch.reader().page(filter).rows
    try scratch.sql("DELETE FROM segment; DELETE FROM posting")
    #expect(try scratch.reader().page(filter).rows == before)
    #expect(before.count == 1)
    #expect(try scratch.reader().verify().isWhole)
  }

  /// What retention left, and the digests of what it removed.
  @Test(arguments: [
    ("UPDATE batch SET rows = json_set(rows, '$[0][0]', 7) WHERE id = 11", "failure 16 was changed"),
    ("DELETE FROM batch WHERE id = 11", "transaction 11 was removed"),
    ("UPDATE link SET failures = zeroblob(32) WHERE id = 5", "was changed"),
    ("UPDATE link SET failures = NULL WHERE id = 5", "failure 7 was removed"),
    ("DELETE FROM link WHERE id = 4", "transaction 4 was removed"),
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
    try scratch.sql("UPDATE batch SET row_sums = zeroblob(12) WHERE id = 3")
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
    try forged.sql("DELETE FROM event WHERE id = 10; DELETE FROM batch WHERE id = 20")
    let result = try forged.reader().verify(against: checkpoint)
    #expect(result.checkpointFound == false)
    #expect(!result.isWhole)
  }

  @Test(arguments: [
    "", "12", "12:", "x:00", "1:" + String(repeating: "g", count: 64), "1:" + String(repeating: "+1", count: 32),
  ])
  func whatIsNoCheckpoint(text: String) { #expect(Checkpoint(text) == nil) }
}
