public import Model
internal import SQLite

/// How the store is doing, for `status`.
public struct StoreStatistics: Hashable, Sendable {
  public struct JailTotals: Hashable, Sendable {
    public var jail: String
    /// Failures that are stored; what retention removed does not count.
    public var failures: Int
    public var bansInForce: Int
    public var bans: Int
  }

  public var path: String
  /// Of the database file, without its write-ahead log.
  public var bytes: Int64
  public var failures: Int
  /// Rows, of which a flood's may represent many failures each.
  public var rows: Int
  public var bans: Int
  public var events: Int
  /// Failures that are committed but not yet rows.
  public var unindexed: Int
  public var oldest: Instant?
  public var newest: Instant?
  public var transactions: Int64
  public var jails: [JailTotals]
}

extension AuditReader {
  /// Counts of the whole store; takes milliseconds, however large it is. Bans in force are those at `time`.
  public func statistics(at time: Instant) throws -> StoreStatistics {
    try read { db, lookups in
      let tip = try ChainHead(db)
      var failures: [String: Int] = [:]
      var rows = 0
      let found = try db.rows("SELECT key, sum(failures), sum(rows) FROM hourly WHERE is_user = 0 GROUP BY key")
      while let row = try found.next() {
        failures[try lookups.origin(row[0], db).jail, default: 0] += row[1] as Int
        rows += row[2] as Int
      }
      var unindexed = 0
      var pending: [Int64: Int] = [:]
      try PendingFailures.forEach(
        db,
        where: { record, _ in
          pending[Int64(record.head.origin.number), default: 0] += Int(record.head.count)
          unindexed += 1
          return false
        }
      ) { _ in }
      for (origin, count) in pending { failures[try lookups.origin(origin, db).jail, default: 0] += count }
      var jails: [String: StoreStatistics.JailTotals] = [:]
      for (jail, count) in failures {
        jails[jail] = StoreStatistics.JailTotals(jail: jail, failures: count, bansInForce: 0, bans: 0)
      }
      let bans = try db.rows(
        """
        SELECT jail, count(*), count(*) FILTER (WHERE ended IS NULL AND (until IS NULL OR until > ?)) FROM ban GROUP BY jail
        """, time.microseconds
      )
      while let row = try bans.next() {
        let jail: String = row[0]
        var totals =
          jails[jail] ?? StoreStatistics.JailTotals(jail: jail, failures: 0, bansInForce: 0, bans: 0)
        totals.bans = row[1]
        totals.bansInForce = row[2]
        jails[jail] = totals
      }
      let size =
        (try db.first("PRAGMA page_count") as Int64? ?? 0) * (try db.first("PRAGMA page_size") as Int64? ?? 0)
      return StoreStatistics(
        path: path, bytes: size, failures: failures.values.reduce(0, +), rows: rows + unindexed,
        bans: jails.values.reduce(0) { $0 + $1.bans },
        events: try db.first("SELECT count(*) FROM event") as Int? ?? 0,
        unindexed: unindexed,
        oldest: (try db.first("SELECT min(first_time) FROM chunk") as Int64?).map { Instant(microseconds: $0) },
        newest: (try db.first("SELECT max(last_time) FROM chunk") as Int64?).map { Instant(microseconds: $0) },
        transactions: tip.sequence, jails: jails.values.sorted { $0.jail < $1.jail })
    }
  }
}
