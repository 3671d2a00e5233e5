internal import Model
internal import SQLite

/// What a jail has seen since its store was begun, retention or not.
public struct JailTotals: Hashable, Sendable {
  public var failures = 0
  /// Rows, of which a flood's may represent many failures each.
  public var rows = 0
  public var bans = 0
}

extension AuditStore {
  /// Ever, by jail: what is stored, and what retention removed.
  /// - Parameter isDryRun: for a dry run, for which its own bans count too.
  public func totals(isDryRun: Bool = false) throws -> [String: JailTotals] {
    try read { db in try Totals.all(db, isDryRun: isDryRun) }
  }
}

extension AuditReader {
  /// Ever, by jail: what is stored, and what retention removed.
  public func totals() throws -> [String: JailTotals] { try read { db, _ in try Totals.all(db, isDryRun: true) } }
}

private enum Totals {
  static func all(_ db: Database, isDryRun: Bool) throws -> [String: JailTotals] {
    var totals: [String: JailTotals] = [:]
    let removed = try db.rows("SELECT jail, failures, rows, bans FROM total")
    while let row = try removed.next() { totals[row[0]] = JailTotals(failures: row[1], rows: row[2], bans: row[3]) }
    var lookups = Lookups()
    func add(_ template: Int64, _ failures: Int, _ rows: Int) throws {
      let origin = try lookups.template(template, db)?.key.origin ?? 0
      let jail = try lookups.origin(origin, db).jail
      totals[jail, default: JailTotals()].failures += failures
      totals[jail, default: JailTotals()].rows += rows
    }
    for region in try Region.all(db) {
      if let segment = region.segment {
        for count in try SegmentTable.counts(of: segment, db) {
          try add(count.template, Int(clamping: count.failures), Int(clamping: count.rows))
        }
      } else {
        try region.forEachBatch(db) { batch in
          var reader = batch.reader
          while let row = reader.next(batch.rows.span) { try add(row.template, Int(row.count), 1) }
        }
      }
    }
    let only = isDryRun ? "" : " AND dry_run = 0"
    let bans = try db.rows("SELECT jail, count(*) FROM decision WHERE action = 'ban'\(only) GROUP BY jail")
    while let row = try bans.next() { totals[row[0], default: JailTotals()].bans += row[1] }
    return totals
  }
}
