internal import Model
internal import SQLite

/// Decisions, as they were made, and the bans that follow from them.
struct DecisionTable {
  /// A decision as it is stored.
  struct Entry {
    let record: DecisionRecord
    /// What `record.identity` represents; nil for a name.
    let subnet: Subnet?
    let id: Int64
  }

  /// In a flood there are hundreds of bans a transaction. So many in one statement cost a quarter less: its cursors on six
  /// B-trees are opened once.
  private static let groupSize = 8

  private var single: Inserts
  private var group: Inserts?
  private let extend: Statement
  private let end: Statement

  init(_ db: Database) throws {
    single = try Inserts(db, count: 1)
    extend = try db.cached(
      "UPDATE ban SET until = ?, count = max(count, ?) WHERE identity = ? AND jail = ? AND ended IS NULL AND dry_run = ?"
    )
    end = try db.cached(
      """
      UPDATE ban SET ended = ?, end_cause = ?, end_uid = ?, end_command = ?
      WHERE identity = ? AND jail = ? AND ended IS NULL
      """)
  }

  /// Stores them in their order.
  mutating func insert(_ entries: [Entry], _ db: Database) throws {
    var index = 0
    while index < entries.count {
      let next = entries[index...].prefix(Self.groupSize)
      if next.count == Self.groupSize, next.allSatisfy({ $0.record.isBan(like: next[index].record) }) {
        try insert(group: next, db)
        index += Self.groupSize
      } else {
        try insert(entries[index], db)
        index += 1
      }
    }
  }

  private mutating func insert(_ entry: Entry, _ db: Database) throws {
    let record = entry.record
    single.bind(entry, at: 0)
    try single.decisions.run()
    switch Decision.Action(rawValue: record.action) {
    case .ban: try insert(ban: entry, db)
    case .extend:
      extend.bind(record.until, 1)
      extend.bind(record.count, 2)
      extend.bind(record.identity, 3)
      extend.bind(record.jail, 4)
      // On paper no ban becomes longer that is real.
      extend.bind(Int64(record.isDryRun ? 1 : 0), 5)
      try extend.run()
    case .unban: try finish(record, cause: record.cause, db)
    case nil: break
    }
  }

  /// `single` is bound to it.
  private func insert(ban entry: Entry, _ db: Database) throws {
    try single.bans.run()
    guard db.changes == 0 else { return }
    // A ban while one is in force replaces it: the earlier one ends where this one begins.
    try finish(entry.record, cause: "replaced", db)
    try single.bans.run()
  }

  private mutating func insert(group entries: ArraySlice<Entry>, _ db: Database) throws {
    var statements = try group.take() ?? Inserts(db, count: Self.groupSize)
    defer { group = statements }
    for (place, entry) in entries.enumerated() { statements.bind(entry, at: place) }
    try statements.decisions.run()
    try statements.bans.run()
    let made = db.changes
    guard made < entries.count else { return }
    // One of them replaces a ban in force, nobody says which: without those that were made, once more in their order.
    if made > 0 {
      try db.run("DELETE FROM ban WHERE id > (SELECT max(id) FROM ban) - ?", made)
    }
    for entry in entries {
      single.bind(entry, at: 0)
      try insert(ban: entry, db)
    }
  }

  private func finish(_ record: DecisionRecord, cause: String, _ db: Database) throws {
    end.bind(record.time, 1)
    end.bind(cause, 2)
    end.bind(record.uid, 3)
    end.bind(record.command, 4)
    end.bind(record.identity, 5)
    end.bind(record.jail, 6)
    try end.run()
  }
}

extension DecisionRecord {
  /// A ban that has in common with another one what most bans of a jail have.
  fileprivate func isBan(like other: DecisionRecord) -> Bool {
    action == Decision.Action.ban.rawValue && hasTexts(of: other)
  }

  fileprivate func hasTexts(of other: DecisionRecord) -> Bool {
    action == other.action && jail == other.jail && cause == other.cause && uid == other.uid && command == other.command
      && isDryRun == other.isDryRun
  }
}

/// The statements that insert so many decisions and their bans at once.
private struct Inserts {
  let decisions: Statement
  let bans: Statement
  /// What each place is bound to, which most decisions have in common: texts are copied to be bound.
  private var bound: [DecisionRecord?]

  private static let decisionColumns: Int32 = 15
  private static let banColumns: Int32 = 13

  init(_ db: Database, count: Int) throws {
    func values(_ columns: Int32) -> String {
      let row = "(" + Array(repeating: "?", count: Int(columns)).joined(separator: ",") + ")"
      return Array(repeating: row, count: count).joined(separator: ",")
    }
    bound = Array(repeating: nil, count: count)
    // OR FAIL: else each page is copied before it is changed, so that the statement can be undone by itself
    // (https://www.sqlite.org/lang_conflict.html). What fails here ends the transaction.
    decisions = try db.cached(
      """
      INSERT OR FAIL INTO decision (id, time, action, jail, identity, address, prefix, until, count, number, cause, uid, command,
          applied, dry_run)
      VALUES \(values(Self.decisionColumns))
      """)
    bans = try db.cached(
      """
      INSERT OR FAIL INTO ban (jail, identity, address, prefix, since, until, count, number, applied, start_cause, start_uid,
        start_command, dry_run)
      VALUES \(values(Self.banColumns))
      ON CONFLICT (identity, jail) WHERE ended IS NULL DO NOTHING
      """)
  }

  mutating func bind(_ entry: DecisionTable.Entry, at place: Int) {
    let record = entry.record
    let decision = Int32(place) * Self.decisionColumns
    let ban = Int32(place) * Self.banColumns
    if bound[place]?.hasTexts(of: record) != true {
      bound[place] = record
      decisions.bind(record.action, decision + 3)
      decisions.bind(record.jail, decision + 4)
      decisions.bind(record.cause, decision + 11)
      decisions.bind(record.uid, decision + 12)
      decisions.bind(record.command, decision + 13)
      decisions.bind(Int64(record.isDryRun ? 1 : 0), decision + 15)
      bans.bind(record.jail, ban + 1)
      bans.bind(record.cause, ban + 10)
      bans.bind(record.uid, ban + 11)
      bans.bind(record.command, ban + 12)
      bans.bind(Int64(record.isDryRun ? 1 : 0), ban + 13)
    }
    decisions.bind(entry.id, decision + 1)
    decisions.bind(record.time, decision + 2)
    bind(entry, decisions, decision + 5)
    decisions.bind(record.until, decision + 8)
    decisions.bind(record.count, decision + 9)
    decisions.bind(record.number, decision + 10)
    decisions.bind(record.applied, decision + 14)
    bind(entry, bans, ban + 2)
    bans.bind(record.time, ban + 5)
    bans.bind(record.until, ban + 6)
    bans.bind(record.count, ban + 7)
    bans.bind(record.number, ban + 8)
    bans.bind(record.applied, ban + 9)
  }

  /// Identity, address and prefix, from the parameter `first` on.
  private func bind(_ entry: DecisionTable.Entry, _ statement: Statement, _ first: Int32) {
    statement.bind(entry.record.identity, first)
    if let subnet = entry.subnet { statement.bind(subnet.base, first + 1) } else { statement.bindNull(first + 1) }
    statement.bind(entry.subnet.map { Int64($0.length) }, first + 2)
  }
}
