internal import GRDB
public import Model

/// Decisions, as they were made, and the bans that follow from them.
struct DecisionTable {
  private let decisions: BoundStatement
  private let bans: BoundStatement
  private let extend: BoundStatement
  private let end: BoundStatement

  init(_ db: Database) throws {
    decisions = try BoundStatement(
      db,
      sql: """
        INSERT INTO decision (id, time, action, jail, identity, address, prefix, until, count, number, cause, uid, command)
        VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
        """)
    bans = try BoundStatement(
      db,
      sql: """
        INSERT INTO ban (jail, identity, address, prefix, since, until, count, number, applied, start_cause, start_uid,
          start_command)
        VALUES (?,?,?,?,?,?,?,?,?,?,?,?)
        """)
    extend = try BoundStatement(
      db, sql: "UPDATE ban SET until = ?, count = max(count, ?) WHERE identity = ? AND jail = ? AND ended IS NULL")
    end = try BoundStatement(
      db,
      sql: """
        UPDATE ban SET ended = ?, end_cause = ?, end_uid = ?, end_command = ?
        WHERE identity = ? AND jail = ? AND ended IS NULL
        """)
  }

  func insert(_ decision: Decision, id: Int64, applied: Instant?, _ db: Database) throws {
    let identity = decision.identity.description
    let subnet = decision.identity.subnet
    let until = decision.until?.microseconds
    let uid = decision.cause.uid.map(Int64.init)
    func bindIdentity(_ statement: BoundStatement, _ first: Int32) {
      statement.bind(identity, first)
      if let subnet { statement.bind(subnet.base, first + 1) } else { statement.bindNull(first + 1) }
      statement.bind(subnet.map { Int64($0.length) }, first + 2)
    }
    decisions.bind(id, 1)
    decisions.bind(decision.time.microseconds, 2)
    decisions.bind(decision.action.rawValue, 3)
    decisions.bind(decision.jail, 4)
    bindIdentity(decisions, 5)
    decisions.bind(until, 8)
    decisions.bind(Int64(decision.count), 9)
    decisions.bind(Int64(decision.number), 10)
    decisions.bind(decision.cause.name, 11)
    decisions.bind(uid, 12)
    decisions.bind(decision.cause.command, 13)
    try decisions.run(db)
    switch decision.action {
    case .ban:
      // A ban while one is in force replaces it: the earlier one ends where this one begins.
      try finish(decision, identity: identity, cause: "replaced", db)
      bans.bind(decision.jail, 1)
      bindIdentity(bans, 2)
      bans.bind(decision.time.microseconds, 5)
      bans.bind(until, 6)
      bans.bind(Int64(decision.count), 7)
      bans.bind(Int64(decision.number), 8)
      bans.bind(applied?.microseconds, 9)
      bans.bind(decision.cause.name, 10)
      bans.bind(uid, 11)
      bans.bind(decision.cause.command, 12)
      try bans.run(db)
    case .extend:
      extend.bind(until, 1)
      extend.bind(Int64(decision.count), 2)
      extend.bind(identity, 3)
      extend.bind(decision.jail, 4)
      try extend.run(db)
    case .unban:
      try finish(decision, identity: identity, cause: decision.cause.name, db)
    }
  }

  private func finish(_ decision: Decision, identity: String, cause: String, _ db: Database) throws {
    end.bind(decision.time.microseconds, 1)
    end.bind(cause, 2)
    end.bind(decision.cause.uid.map(Int64.init), 3)
    end.bind(decision.cause.command, 4)
    end.bind(identity, 5)
    end.bind(decision.jail, 6)
    try end.run(db)
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
