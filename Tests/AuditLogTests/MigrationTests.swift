import Foundation
import GRDB
import Model
import Testing

@testable import AuditLog

/// Stores as earlier versions wrote them: some of the failures wait to be indexed.
@Suite struct MigrationTests {
  struct Old: Sendable, CustomTestStringConvertible {
    var version: Int
    var failures: Int
    var waiting: Int
    var decisions: Int
    var checkpoint: Checkpoint

    var testDescription: String { "version \(version)" }
  }

  private static let stores = [
    Old(
      version: 1, failures: 226, waiting: 35, decisions: 18,
      checkpoint: Checkpoint("16:03c49a5cef80ccb30aef340126ae910fbf9f54b8bb603324b3e317fb86dc1c19")!),
    Old(
      version: 2, failures: 220, waiting: 40, decisions: 10,
      checkpoint: Checkpoint("4:a3e0fa27acf36b61c34bec2003216c902693d5a31642436814353881cef656f7")!),
  ]

  private func restore(version: Int) throws -> Scratch {
    let scratch = try Scratch()
    let dump = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "fixtures/store/version\(version).sql.gz")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", "gzip -dc \"$0\" | sqlite3 \"$1\"", dump.path, scratch.path]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return scratch
  }

  /// A new store has what one that went through every version has.
  @Test func aNewStoreIsAsOneStepByStep() throws {
    func schema(_ prepare: (Database) throws -> Void) throws -> Set<String> {
      let queue = try DatabaseQueue()
      return try queue.write { db in
        try prepare(db)
        return try String.fetchSet(db, sql: "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema")
      }
    }
    let atOnce = try schema(Migrations.create)
    let stepwise = try schema { db in
      for step in Migrations.steps[..<Migrations.created] { try step(db) }
    }
    #expect(atOnce == stepwise)
    #expect(atOnce.count >= 30)
    #expect(Migrations.created == Migrations.current)
  }

  @Test(arguments: stores) func anEarlierVersionIsBroughtForward(old: Old) throws {
    let scratch = try restore(version: old.version)
    #expect { _ = try scratch.reader() } throws: { "\($0)".contains("start the daemon once") }
    let store = try scratch.store()
    #expect(store.migratedCopy == scratch.path + ".version\(old.version)")
    #expect(store.unindexed == old.waiting)
    var reader = try scratch.reader()
    let waiting = try reader.verify(against: old.checkpoint)
    #expect(waiting.isWhole, "\(waiting)")
    #expect(waiting.failures == old.failures)
    #expect(waiting.decisions == old.decisions)
    let rows = try reader.page(AuditFilter(), limit: 1000).rows
    #expect(rows.filter { $0.kind == .failure }.count == old.failures)

    while try store.index() {}
    reader = try scratch.reader()
    #expect(try reader.page(AuditFilter(), limit: 1000).rows == rows)
    #expect(try reader.verify(against: old.checkpoint).isWhole)
    // Old rows and new ones are in one chain, and retention may take the old.
    try store.commit(FailureBatch([Sample(time: start.adding(.hours(9000)))]), names: names)
    while try store.retain(RetentionPolicy(failures: .hours(1)), now: start.adding(.hours(9000)), limit: 50) {}
    let result = try reader.verify(against: old.checkpoint)
    #expect(result.isWhole, "\(result)")
    #expect(result.failures == 1)
  }

  @Test(
    arguments: [
      ("UPDATE failure SET count = 2 WHERE id = 7", "failure 7 was changed"),
      ("DELETE FROM failure WHERE id = 100", "failure 100 was removed"),
      ("UPDATE pending SET heads = x'' WHERE sequence = (SELECT max(sequence) FROM pending)", "was"),
    ], [1, 2])
  func whatWasStoredBeforeIsStillCovered(change: (sql: String, expected: String), version: Int) throws {
    let (sql, expected) = change
    let scratch = try restore(version: version)
    try scratch.store().close()
    try scratch.sql(sql)
    let problem = try scratch.reader().verify().problem?.description
    #expect(problem?.contains(expected) == true, "\(problem ?? "nothing found")")
  }
}
