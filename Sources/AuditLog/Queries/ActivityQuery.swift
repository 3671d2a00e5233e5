public import Model
internal import SQLite

/// What somebody did who was let in, as it is stored.
public struct ActivityRow: Hashable, Sendable {
  public var number: Int64
  public var time: Instant
  public var event: ActivityEvent
  /// Who did it; may be empty.
  public var user: String
  /// As whom, or to which account.
  public var target: String
  /// From where; nil where the line does not say.
  public var address: Address?
  /// The command, or what was changed.
  public var detail: String
  public var jail: String
  public var filter: String
  public var pattern: String
  public var source: String
  /// The file offset of the line's first byte; nil for the journal.
  public var offset: Int64?
  /// As `journalctl --cursor=` takes it; nil for files.
  public var cursor: String?
  public var line: String
}

/// Which rows are wanted. Everything that is set must hold.
public struct ActivityFilter: Hashable, Sendable {
  public var since: Instant?
  public var until: Instant?
  /// An address or a block.
  public var subnet: Subnet?
  /// Who did it, or to whom.
  public var user: String?
  /// Empty: all.
  public var events: Set<ActivityEvent> = []
  public var jail: String?
  /// Rows with a smaller number.
  public var before: Int64?
  /// Rows with a larger number, oldest first.
  public var after: Int64?

  public init() {}

  fileprivate var conditions: (sql: String, values: [(any Bindable)?]) {
    var parts = ["1"]
    var values: [(any Bindable)?] = []
    func add(_ condition: String, _ value: (any Bindable)?...) {
      parts.append(condition)
      values += value
    }
    if let since { add("time >= ?", since.microseconds) }
    if let until { add("time < ?", until.microseconds) }
    if let subnet { add("address BETWEEN ? AND ?", AddressKey(subnet.base), AddressKey(subnet.last)) }
    if let user { add("(user = ? OR target = ?)", user, user) }
    if let jail { add("jail = ?", jail) }
    if let before { add("id < ?", before) }
    if let after { add("id > ?", after) }
    if !events.isEmpty {
      parts.append("event IN (\(events.map { "'\($0.rawValue)'" }.sorted().joined(separator: ",")))")
    }
    return (parts.joined(separator: " AND "), values)
  }
}

extension AuditReader {
  /// At most `limit` rows, newest first; with `after` the oldest first.
  public func activities(_ filter: ActivityFilter, limit: Int) throws -> [ActivityRow] {
    try read { db, _ in
      let (condition, values) = filter.conditions
      let rows = try db.rows(
        """
        SELECT id, time, event, user, target, address, detail, jail, filter, pattern, source, place, cursor, line
        FROM activity WHERE \(condition) ORDER BY id \(filter.after == nil ? "DESC" : "ASC") LIMIT ?
        """, values + [limit])
      var found: [ActivityRow] = []
      while let row = try rows.next() {
        guard let event = ActivityEvent(rawValue: row[2]) else { continue }
        found.append(
          ActivityRow(
            number: row[0], time: Instant(microseconds: row[1]), event: event, user: row[3], target: row[4],
            address: row.address(5), detail: row[6], jail: row[7], filter: row[8], pattern: row[9], source: row[10],
            offset: row[11], cursor: row[12], line: row[13]))
      }
      return found
    }
  }

  /// The number of the last activity that was ever stored.
  public func lastActivity() throws -> Int64 { try read { db, _ in try ActivityTable.last(db) } }
}
