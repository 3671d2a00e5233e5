internal import Glibc
internal import SQLite

/// The schema's versions, kept in `PRAGMA user_version`. A store of an older version is copied beside itself and brought
/// forward step by step; one of a later version is refused. A step that has been released is never edited.
enum Migrations {
  /// "BLIF": lets `file` and this program tell the store from any other SQLite database.
  static let applicationID = 0x424C_4946

  static var current: Int { steps.count }

  /// `steps[n]` brings version n to n + 1.
  static let steps: [@Sendable (Database) throws -> Void] = [
    { try $0.execute(Schema.tables + Views.all) },
    { try $0.execute(ActivityTable.tables + Views.activity) },
  ]

  static func version(_ db: Database) throws -> Int {
    try db.first("PRAGMA user_version") ?? 0
  }

  /// Refuses what is not ours or not yet known.
  static func check(_ db: Database, supported: Int = current) throws -> Int {
    let version = try version(db)
    let application: Int = try db.first("PRAGMA application_id") ?? 0
    let tables: Int = try db.first("SELECT count(*) FROM sqlite_schema") ?? 0
    guard tables == 0 || application == applicationID else {
      throw StoreError(
        kind: .cannotOpen, path: db.path,
        message: "\(db.path): this is another program's database; name another state directory")
    }
    guard version <= supported else {
      throw StoreError(
        kind: .newer, path: db.path,
        message: "\(db.path): the store has version \(version) and this bailiff knows up to \(supported); "
          + "install the bailiff that wrote it, or move the file away to start a new one")
    }
    return version
  }

  /// Brings the store to the current version, each step in a transaction of its own. Returns the copy that was kept of an
  /// older one.
  static func migrate(_ db: Database, steps: [@Sendable (Database) throws -> Void] = steps) throws -> String? {
    let version = try db.snapshot { try check(db, supported: steps.count) }
    guard version < steps.count else { return nil }
    let copy = version > 0 ? try keepCopy(of: db, version) : nil
    for (index, step) in steps.enumerated() where index >= version {
      try db.transaction {
        try step(db)
        try db.execute("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(index + 1)")
      }
    }
    return copy
  }

  private static func keepCopy(of db: Database, _ version: Int) throws -> String {
    let target = "\(db.path).version\(version)"
    // Safe: the path is read during the call.
    _ = unsafe unlink(target)
    // https://www.sqlite.org/lang_vacuum.html#vacuuminto: a consistent copy, whatever is in the write-ahead log.
    try db.run("VACUUM INTO ?", target)
    return target
  }
}
