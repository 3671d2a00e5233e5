internal import Foundation
internal import GRDB

/// The schema's versions, kept in `PRAGMA user_version`. A store of an older version is copied beside itself and brought
/// forward step by step; one of a later version is refused. A step that has been released is never edited.
enum Migrations {
  /// "BLIF": lets `file` and this program tell the store from any other SQLite database.
  static let applicationID = 0x424C_4946

  static var current: Int { steps.count }

  /// `steps[n]` brings version n to n + 1.
  static let steps: [@Sendable (Database) throws -> Void] = [
    { try $0.execute(sql: Schema.version1 + Views.version1) },
    { db in
      try db.execute(sql: Schema.version2)
      try FirstFormat.convertPending(db)
      try db.execute(sql: "DROP TABLE pending_1; DROP VIEW failures; " + Views.failures)
    },
    { db in
      try db.execute(sql: Schema.version3)
      try SecondFormat.convertPending(db)
    },
  ]

  /// The version that `create` makes.
  static let created = 3

  /// A new store, at once: the same as step by step, but with the views last, which each change of a table reads again.
  static func create(_ db: Database) throws {
    try db.execute(
      sql: Schema.version1 + Schema.version2 + "DROP TABLE pending_1;" + Schema.version3 + Views.failures + Views.others
    )
  }

  static func version(_ db: Database) throws -> Int {
    try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
  }

  /// Refuses what is not ours or not yet known.
  static func check(_ db: Database, path: String, supported: Int = current) throws -> Int {
    let version = try version(db)
    let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
    guard tables == 0 || application == applicationID else {
      throw StoreError(
        kind: .cannotOpen, path: path,
        message: "\(path): this is another program's database; name another state directory")
    }
    guard version <= supported else {
      throw StoreError(
        kind: .newer, path: path,
        message: "\(path): the store has version \(version) and this bailiff knows up to \(supported); "
          + "install the bailiff that wrote it, or move the file away to start a new one")
    }
    return version
  }

  /// Brings the store to the current version, each step in a transaction of its own. Returns the copy that was kept of an
  /// older one.
  static func migrate(
    _ queue: DatabaseQueue, path: String, steps: [@Sendable (Database) throws -> Void] = steps
  ) throws -> String? {
    func apply(_ step: (Database) throws -> Void, to version: Int) throws {
      try queue.write { db in
        try step(db)
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        try db.execute(sql: "PRAGMA user_version = \(version)")
      }
    }
    var version = try queue.read { try check($0, path: path, supported: steps.count) }
    guard version < steps.count else { return nil }
    var copy: String?
    if version > 0 {
      let target = "\(path).version\(version)"
      try? FileManager.default.removeItem(atPath: target)
      // https://www.sqlite.org/lang_vacuum.html#vacuuminto: a consistent copy, whatever is in the write-ahead log.
      try queue.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [target]) }
      copy = target
    } else if steps.count >= created {
      try apply(create, to: created)
      version = created
    }
    for (index, step) in steps.enumerated() where index >= version { try apply(step, to: index + 1) }
    return copy
  }
}
