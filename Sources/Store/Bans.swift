internal import GRDB
public import Model

/// Decisions, as they were made, and the bans that follow from them.
enum DecisionTable {
  static func insert(_ decision: Decision, id: Int64, applied: Instant?, _ db: Database) throws {
    let identity = decision.identity.description
    let subnet = decision.identity.subnet
    let address = subnet.map { AddressKey($0.base) }
    try db.cachedStatement(
      sql: """
        INSERT INTO decision (id, time, action, jail, identity, address, prefix, until, count, number, cause, uid, command)
        VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
        """
    ).execute(arguments: [
      id, decision.time.microseconds, decision.action.rawValue, decision.jail, identity, address, subnet?.length,
      decision.until?.microseconds, decision.count, decision.number, decision.cause.name, decision.cause.uid,
      decision.cause.command,
    ])
    switch decision.action {
    case .ban:
      // A ban while one is in force replaces it: the earlier one ends where this one begins.
      try end(decision, identity: identity, cause: "replaced", db)
      try db.cachedStatement(
        sql: """
          INSERT INTO ban (jail, identity, address, prefix, since, until, count, number, applied, start_cause, start_uid,
            start_command)
          VALUES (?,?,?,?,?,?,?,?,?,?,?,?)
          """
      ).execute(arguments: [
        decision.jail, identity, address, subnet?.length, decision.time.microseconds, decision.until?.microseconds,
        decision.count, decision.number, applied?.microseconds, decision.cause.name, decision.cause.uid,
        decision.cause.command,
      ])
    case .extend:
      try db.cachedStatement(
        sql: "UPDATE ban SET until = ?, count = max(count, ?) WHERE identity = ? AND jail = ? AND ended IS NULL"
      ).execute(arguments: [decision.until?.microseconds, decision.count, identity, decision.jail])
    case .unban:
      try end(decision, identity: identity, cause: decision.cause.name, db)
    }
  }

  private static func end(_ decision: Decision, identity: String, cause: String, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        UPDATE ban SET ended = ?, end_cause = ?, end_uid = ?, end_command = ?
        WHERE identity = ? AND jail = ? AND ended IS NULL
        """
    ).execute(arguments: [
      decision.time.microseconds, cause, decision.cause.uid, decision.cause.command, identity, decision.jail,
    ])
  }

  static let columns = "jail, address, prefix, identity, since, until, count, number, applied"

  static func ban(_ row: Row) -> Ban {
    // The address as it is stored: reading it from its text would take most of the time of a start with many bans.
    let address = AddressKey.fromDatabaseValue(row[1] as DatabaseValue)?.address
    let identity =
      address.map { Identity.network(Subnet($0, length: row[2] ?? 128)) } ?? Identity(row[3] as String)
    return Ban(
      jail: row[0], identity: identity, since: Instant(microseconds: row[4]),
      until: (row[5] as Int64?).map { Instant(microseconds: $0) }, count: row[6], number: row[7],
      applied: (row[8] as Int64?) != nil)
  }
}

/// How often an id was banned before.
public struct BanHistory: Hashable, Sendable {
  /// In the jail that was asked about.
  public var inJail: Int
  public var inAllJails: Int

  public init(inJail: Int, inAllJails: Int) {
    self.inJail = inJail
    self.inAllJails = inAllJails
  }
}

extension AuditStore {
  /// The bans that have neither been lifted nor are over at `time`, oldest first.
  public func bansInForce(at time: Instant) throws -> [Ban] {
    try bans(where: "ended IS NULL AND (until IS NULL OR until > ?)", time)
  }

  /// The bans whose time is over at `time` though no unban has been recorded yet: what ended while nobody watched.
  public func bansOver(at time: Instant) throws -> [Ban] {
    try bans(where: "ended IS NULL AND until <= ?", time)
  }

  private func bans(where condition: String, _ time: Instant) throws -> [Ban] {
    try read { db in
      let rows = try Row.fetchCursor(
        db, sql: "SELECT \(DecisionTable.columns) FROM ban WHERE \(condition) ORDER BY since, id",
        arguments: [time.microseconds])
      var bans: [Ban] = []
      while let row = try rows.next() { bans.append(DecisionTable.ban(row)) }
      return bans
    }
  }

  /// How often `identity` was banned so far, for `bantime_increment`. Bans that began before `since` do not count.
  public func banHistory(jail: String, identity: Identity, since: Instant = Instant(microseconds: .min)) throws
    -> BanHistory
  {
    try read { db in
      let row = try db.cachedStatement(
        sql: "SELECT count(*) FILTER (WHERE jail = ?), count(*) FROM ban WHERE identity = ? AND since >= ?")
      let counts = try Row.fetchOne(row, arguments: [jail, identity.description, since.microseconds])
      return BanHistory(inJail: counts?[0] ?? 0, inAllJails: counts?[1] ?? 0)
    }
  }

  /// Every id that was banned since `since`, with how often in each jail: to fill the decider's memory at the start.
  public func banCounts(
    since: Instant = Instant(microseconds: .min),
    _ body: (_ jail: String, _ identity: Identity, _ bans: Int) throws -> Void
  ) throws {
    try read { db in
      let rows = try Row.fetchCursor(
        db, sql: "SELECT jail, identity, count(*) FROM ban WHERE since >= ? GROUP BY identity, jail",
        arguments: [since.microseconds])
      while let row = try rows.next() { try body(row[0], Identity(row[1] as String), row[2]) }
    }
  }
}
