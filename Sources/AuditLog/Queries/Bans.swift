public import Model
internal import SQLite

extension DecisionTable {
  static let columns = "jail, address, prefix, identity, since, until, count, number, applied"

  static func ban(_ row: Row) -> Ban {
    // The address as it is stored: reading it from its text would take most of the time of a start with many bans.
    let address = row.address(1)
    let identity =
      address.map { Identity.network(Subnet($0, length: UInt8(clamping: row[2] as Int? ?? 128))) }
      ?? Identity(row[3] as String)
    return Ban(
      jail: row[0], identity: identity, since: Instant(microseconds: row[4]),
      until: (row[5] as Int64?).map { Instant(microseconds: $0) }, count: row[6], number: row[7],
      applied: (row[8] as Int64?) != nil)
  }

  /// Adds to a condition which bans are meant: those of a dry run, real ones, or both.
  static func kind(_ isDryRun: Bool?) -> String { isDryRun.map { " AND dry_run = \($0 ? 1 : 0)" } ?? "" }

  static func bans(where condition: String, _ time: Instant, _ db: Database) throws -> [Ban] {
    let rows = try db.rows("SELECT \(columns) FROM ban WHERE \(condition) ORDER BY since, id", time.microseconds)
    var bans: [Ban] = []
    while let row = try rows.next() { bans.append(ban(row)) }
    return bans
  }
}

extension AuditReader {
  /// As `AuditStore.bansInForce`, for whoever asks beside the daemon.
  public func bansInForce(at time: Instant, isDryRun: Bool? = nil) throws -> [Ban] {
    let condition = "ended IS NULL AND (until IS NULL OR until > ?)" + DecisionTable.kind(isDryRun)
    return try read { db, _ in try DecisionTable.bans(where: condition, time, db) }
  }
}

extension AuditStore {
  /// The bans that have neither been lifted nor are over at `time`, oldest first.
  /// - Parameter isDryRun: those that a dry run decided, or those that are real; nil: both.
  public func bansInForce(at time: Instant, isDryRun: Bool? = nil) throws -> [Ban] {
    try bans(where: "ended IS NULL AND (until IS NULL OR until > ?)", time, isDryRun)
  }

  /// The bans whose time is over at `time` though no unban has been recorded yet: what ended while nobody watched.
  public func expiredBans(at time: Instant, isDryRun: Bool? = nil) throws -> [Ban] {
    try bans(where: "ended IS NULL AND until <= ?", time, isDryRun)
  }

  private func bans(where condition: String, _ time: Instant, _ isDryRun: Bool?) throws -> [Ban] {
    try read { db in try DecisionTable.bans(where: condition + DecisionTable.kind(isDryRun), time, db) }
  }

  /// Every id of which a ban was in force at `since` or later, with how often it was banned in each jail and when the last of
  /// its bans is over (nil: never): to fill the decider's memory at the start.
  /// - Parameter isDryRun: for a dry run, for which its own bans count too.
  public func banCounts(
    since: Instant = Instant(microseconds: .min), isDryRun: Bool = false,
    _ body: (_ jail: String, _ identity: Identity, _ bans: Int, _ end: Instant?) throws -> Void
  ) throws {
    let only = isDryRun ? "" : "dry_run = 0 AND "
    try read { db in
      let rows = try db.rows(
        """
        SELECT jail, identity, count(*), max(ifnull(until, \(Int64.max))) AS last FROM ban WHERE \(only)1
        GROUP BY identity, jail HAVING last >= ?
        """, since.microseconds)
      while let row = try rows.next() {
        let last: Int64 = row[3]
        try body(row[0], Identity(row[1] as String), row[2], last == .max ? nil : Instant(microseconds: last))
      }
    }
  }
}
