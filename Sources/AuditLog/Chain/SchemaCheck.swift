internal import SQLite

/// Are the tables, indexes and views those that the store was made with? A view that was changed would show other programs what
/// was never stored, and a trigger would change what is.
enum SchemaCheck {
  static func problem(_ db: Database) throws -> IndexCheck.Problem? {
    let model = try Database(path: ":memory:", .readWrite)
    for step in Migrations.steps { try step(model) }
    let expected = try objects(model)
    let found = try objects(db)
    for (name, sql) in expected.sorted(by: { $0.key < $1.key }) {
      guard let stored = found[name] else { return (.removed, name) }
      guard stored == sql else { return (.changed, name) }
    }
    return found.keys.sorted().first { expected[$0] == nil }.map { (.inserted, $0) }
  }

  /// Do the indexes have what is in their tables? Questions about decisions, bans and events go through them.
  /// https://www.sqlite.org/pragma.html#pragma_integrity_check
  static func indexProblem(_ db: Database) throws -> IndexCheck.Problem? {
    for table in ["decision", "ban", "event"] {
      guard let said: String = try db.first("PRAGMA integrity_check('\(table)')"), said != "ok" else { continue }
      guard let name = said.firstRange(of: "index ") else { return (.changed, "table \(table)") }
      return (.changed, "index \(said[name.upperBound...])")
    }
    return nil
  }

  private static func objects(_ db: Database) throws -> [String: String] {
    var objects: [String: String] = [:]
    let rows = try db.rows("SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")
    while let row = try rows.next() { objects["\(row[0] as String) \(row[1] as String)"] = row[2] }
    return objects
  }
}
