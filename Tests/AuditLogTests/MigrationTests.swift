import Foundation
import Model
import SQLite
import Testing

@testable import AuditLog

/// A store of an earlier version is brought forward. There is one version so far, so the later ones are made up here.
@Suite struct MigrationTests {
  private typealias Step = @Sendable (Database) throws -> Void

  private let later: Step = { try $0.execute("CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT") }

  private func filled() throws -> Scratch {
    let scratch = try Scratch()
    let store = try scratch.store()
    try store.commit(FailureBatch([Sample()]), names: names)
    store.close()
    return scratch
  }

  @Test func anOlderStoreIsMigratedAndACopyIsKept() throws {
    let scratch = try filled()
    let database = try Database(path: scratch.path, .readWrite)
    let steps = Migrations.steps + [later]
    let copy = try #require(try Migrations.migrate(database, steps: steps))
    #expect(copy == scratch.path + ".version\(Migrations.current)")
    #expect(try Migrations.version(database) == steps.count)
    #expect(try database.first("SELECT count(*) FROM later") == 0)
    let old = try AuditStore.readOnly(path: copy)
    #expect(try old.page(AuditFilter()).rows.count == 1)
    #expect(try old.verify().isWhole)
    #expect(try Migrations.migrate(database, steps: steps) == nil)
  }

  /// A step that fails leaves what the steps before it made, and the next start goes on there.
  @Test func aStepThatFailsIsTriedAgain() throws {
    let scratch = try filled()
    let database = try Database(path: scratch.path, .readWrite)
    let failing: Step = { db in
      try db.execute("CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT")
      throw SQLiteError(code: 13, message: "database or disk is full")
    }
    #expect(throws: SQLiteError.self) {
      try Migrations.migrate(database, steps: Migrations.steps + [later, failing])
    }
    #expect(try Migrations.version(database) == Migrations.current + 1)
    #expect(try database.first("SELECT count(*) FROM sqlite_schema WHERE name = 'half'") == 0)
    let steps = Migrations.steps + [later, { try $0.execute("ALTER TABLE later ADD COLUMN more TEXT") }]
    let copy = try #require(try Migrations.migrate(database, steps: steps))
    #expect(copy == scratch.path + ".version\(Migrations.current + 1)")
    #expect(try Migrations.version(database) == steps.count)
    database.close()
    #expect { _ = try scratch.reader() } throws: { ($0 as? StoreError)?.kind == .newer }
  }
}
