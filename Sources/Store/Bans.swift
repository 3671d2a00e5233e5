internal import GRDB
public import Model

/// Decisions, as they were made, and the bans that follow from them.
struct DecisionTable {
  private let decisions: BoundStatement
  private let bans: BoundStatement
  private let extend: BoundStatement
  private let end: BoundStatement
  /// What the statements that insert are bound to, which most decisions have in common.
  private var bound: DecisionRecord?

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
        ON CONFLICT (identity, jail) WHERE ended IS NULL DO NOTHING
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

  /// - Parameter subnet: what `record.identity` stands for; nil for a name.
  mutating func insert(
    _ record: DecisionRecord, _ subnet: Subnet?, id: Int64, applied: Instant?, _ db: Database
  ) throws {
    func bindIdentity(_ statement: BoundStatement, _ first: Int32) {
      statement.bind(record.identity, first)
      if let subnet { statement.bind(subnet.base, first + 1) } else { statement.bindNull(first + 1) }
      statement.bind(subnet.map { Int64($0.length) }, first + 2)
    }
    bindCommon(record)
    decisions.bind(id, 1)
    decisions.bind(record.time, 2)
    bindIdentity(decisions, 5)
    decisions.bind(record.until, 8)
    decisions.bind(record.count, 9)
    decisions.bind(record.number, 10)
    try decisions.run(db)
    switch Decision.Action(rawValue: record.action) {
    case .ban:
      bindIdentity(bans, 2)
      bans.bind(record.time, 5)
      bans.bind(record.until, 6)
      bans.bind(record.count, 7)
      bans.bind(record.number, 8)
      bans.bind(applied?.microseconds, 9)
      try bans.run(db)
      if db.changesCount == 0 {
        // A ban while one is in force replaces it: the earlier one ends where this one begins.
        try finish(record, cause: "replaced", db)
        try bans.run(db)
      }
    case .extend:
      extend.bind(record.until, 1)
      extend.bind(record.count, 2)
      extend.bind(record.identity, 3)
      extend.bind(record.jail, 4)
      try extend.run(db)
    case .unban: try finish(record, cause: record.cause, db)
    case nil: break
    }
  }

  /// Texts are copied to be bound, so those that are bound already stay.
  private mutating func bindCommon(_ record: DecisionRecord) {
    if let bound, bound.action == record.action, bound.jail == record.jail, bound.cause == record.cause,
      bound.uid == record.uid, bound.command == record.command
    {
      return
    }
    bound = record
    decisions.bind(record.action, 3)
    decisions.bind(record.jail, 4)
    decisions.bind(record.cause, 11)
    decisions.bind(record.uid, 12)
    decisions.bind(record.command, 13)
    bans.bind(record.jail, 1)
    bans.bind(record.cause, 10)
    bans.bind(record.uid, 11)
    bans.bind(record.command, 12)
  }

  private func finish(_ record: DecisionRecord, cause: String, _ db: Database) throws {
    end.bind(record.time, 1)
    end.bind(cause, 2)
    end.bind(record.uid, 3)
    end.bind(record.command, 4)
    end.bind(record.identity, 5)
    end.bind(record.jail, 6)
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
