internal import GRDB
internal import Model

/// A question about failures, worked out: what it means in numbers, and which way through the indexes is short.
struct FailureSearch {
  private let filter: AuditFilter
  private let before: AuditCursor?
  private let origins: [Int64]?
  private let users: [Int64]?
  private let subnet: Subnet?
  private let name: [UInt8]?

  /// Nil when nothing can match: no failure ever had that jail or pattern.
  init?(_ filter: AuditFilter, before: AuditCursor?, _ lookups: inout Lookups, _ db: Database) throws {
    self.filter = filter
    self.before = before
    origins = try lookups.origins(for: filter, db)
    if let origins, origins.isEmpty { return nil }
    users = try filter.user.map {
      try Int64.fetchAll(
        db, sql: "SELECT id FROM user_name WHERE name = ? OR name = CAST(? AS BLOB)", arguments: [$0, $0])
    }
    switch filter.identity {
    case .network(let subnet): (self.subnet, name) = (subnet, nil)
    case .name(let text): (subnet, name) = (nil, Array(text.utf8))
    case nil: (subnet, name) = (nil, nil)
    }
  }

  /// Does a pending record answer the question?
  func wants(_ record: FailureRecord, _ bytes: [UInt8]) -> Bool {
    if let since = filter.since, record.head.time < since.microseconds { return false }
    if let until = filter.until, record.head.time >= until.microseconds { return false }
    if let subnet {
      guard let address = record.head.address, subnet.contains(address) else { return false }
    }
    if let name, !bytes[record.name].elementsEqual(name) { return false }
    if let origins, !origins.contains(Int64(record.head.origin.number)) { return false }
    if let user = filter.user, !bytes[record.user].elementsEqual(user.utf8) { return false }
    if let before, record.head.time > before.time.microseconds { return false }
    return true
  }

  /// Pending rows carry their number only after `wants`.
  func isBehind(_ row: FailureRow) -> Bool {
    guard let before else { return true }
    return before.isNewer(than: AuditCursor(time: Instant(microseconds: row.time), rank: 0, number: row.number))
  }

  /// What a row of `failure f` must fulfil, whichever index finds it.
  var numberConditions: Conditions {
    var sql = conditions()
    if let subnet { sql.add(addressesIn: subnet) }
    return sql
  }

  /// Lends failures, first and last row by origin, in parts that the caller adds up. For an address or a block the index
  /// alone answers. (A join of `chunk` and `failure` would scan the index: SQLite does not see through the expression.)
  func countsByOrigin(_ db: Database, _ body: (_ origin: Int64, _ count: Int, _ first: Int64, _ last: Int64) -> Void)
    throws
  {
    func add(_ rows: RowCursor) throws {
      while let row = try rows.next() { body(row[0], row[1], row[2], row[3]) }
    }
    let columns = "f.origin, sum(f.count), min(f.id), max(f.id)"
    guard let subnet else {
      let sql = conditions()
      return try add(
        Row.fetchCursor(
          db, sql: "SELECT \(columns) FROM failure f WHERE \(sql.text) GROUP BY 1", arguments: sql.arguments))
    }
    for chunk in try chunks(db) {
      var sql = conditions()
      sql.add("f.id >> \(Chunk.bits) = ?", chunk.id)
      sql.add(addressesIn: subnet)
      // The same text for each of them: prepared once.
      try add(
        Row.fetchCursor(
          db.cachedStatement(
            sql: "SELECT \(columns) FROM failure f INDEXED BY failure_address WHERE \(sql.text) GROUP BY 1"),
          arguments: sql.arguments))
    }
  }

  func rowStream() -> any RowStream {
    if subnet != nil { return ChunkStream(self) }
    return TimeStream(self)
  }

  private func conditions() -> Conditions {
    var sql = Conditions()
    if let since = filter.since { sql.add("f.time >= ?", since.microseconds) }
    if let until = filter.until { sql.add("f.time < ?", until.microseconds) }
    if let before {
      sql.add("f.time <= ?", before.time.microseconds)
      sql.add("(f.time < ? OR f.id < ?)", before.time.microseconds, before.rank > 0 ? Int64.max : before.number)
    }
    if let origins { sql.add("f.origin IN (\(origins.map(String.init).joined(separator: ",")))") }
    if let users { sql.add("f.user IN (\(users.map(String.init).joined(separator: ",")))") }
    if let name { sql.add("(f.address = ? OR f.address = CAST(? AS BLOB))", text(name), text(name)) }
    return sql
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// Newest first along the index on time, hour by hour where the counts an hour say where to look.
  struct TimeStream: RowStream {
    private let search: FailureSearch
    /// Stretches of time that can hold answers, oldest first; nil until they are known.
    private var stretches: [ClosedRange<Int64>]?
    private var rows: RowCursor?

    init(_ search: FailureSearch) { self.search = search }

    mutating func next(_ lookups: inout Lookups, _ db: Database) throws -> AuditRow? {
      var left = try stretches ?? search.stretches(db)
      defer { stretches = left }
      while true {
        if let row = try rows?.next() { return try FailureRow(row, &lookups, db).auditRow(&lookups, db) }
        guard let stretch = left.popLast() else { return nil }
        var sql = search.conditions()
        sql.add("f.time BETWEEN ? AND ?", stretch.lowerBound, stretch.upperBound)
        rows = try Row.fetchCursor(
          db,
          sql: """
            SELECT \(FailureRow.columns) FROM failure f INDEXED BY failure_time \(FailureRow.join)
            WHERE \(sql.text) ORDER BY f.time DESC, f.id DESC
            """, arguments: sql.arguments)
      }
    }
  }

  private func stretches(_ db: Database) throws -> [ClosedRange<Int64>] {
    let first = filter.since?.microseconds ?? .min
    let last = filter.until.map { $0.microseconds } ?? .max
    guard users != nil || origins != nil else { return [first...max(first, last)] }
    let condition =
      users.map { "is_user = 1 AND key IN (\($0.map(String.init).joined(separator: ",")))" }
      ?? "is_user = 0 AND key IN (\((origins ?? []).map(String.init).joined(separator: ",")))"
    let hours = try Int64.fetchAll(
      db,
      sql: """
        WITH RECURSIVE hours (hour) AS (
          SELECT min(hour) FROM hourly WHERE hour >= ?
          UNION ALL SELECT (SELECT min(hour) FROM hourly WHERE hour > hours.hour) FROM hours WHERE hours.hour IS NOT NULL
        )
        SELECT hour FROM hours WHERE hour <= ?
          AND EXISTS (SELECT 1 FROM hourly WHERE hourly.hour = hours.hour AND \(condition))
        """,
      arguments: [
        filter.since.map { Hour.of($0.microseconds) } ?? .min,
        filter.until.map { Hour.of($0.microseconds) } ?? Int64.max,
      ])
    var stretches: [ClosedRange<Int64>] = []
    for hour in hours {
      let start = Hour.start(hour)
      let end = start.addingReportingOverflow(3_599_999_999).partialValue
      guard end > start else { return [first...max(first, last)] }
      if let previous = stretches.last, previous.upperBound + 1 == start {
        stretches[stretches.count - 1] = previous.lowerBound...end
      } else {
        stretches.append(start...end)
      }
    }
    return stretches
  }

  /// One address or block: chunk by chunk through the index on addresses. Chunks overlap in time, so rows are given out
  /// only when no chunk that is still closed can hold a newer one.
  struct ChunkStream: RowStream {
    private let search: FailureSearch
    /// Oldest first, by their last time; nil until they are known.
    private var chunks: [(id: Int64, last: Int64)]?
    /// Oldest first.
    private var rows: [(time: Int64, number: Int64)] = []

    init(_ search: FailureSearch) { self.search = search }

    mutating func next(_ lookups: inout Lookups, _ db: Database) throws -> AuditRow? {
      guard let subnet = search.subnet else { return nil }
      var left = try chunks ?? search.chunks(db)
      defer { chunks = left }
      while let chunk = left.last, rows.last.map({ $0.time <= chunk.last }) ?? true {
        left.removeLast()
        var sql = search.conditions()
        sql.add("f.id >> \(Chunk.bits) = ?", chunk.id)
        sql.add(addressesIn: subnet)
        let found = try Row.fetchCursor(
          db.cachedStatement(
            sql: "SELECT f.time, f.id FROM failure f INDEXED BY failure_address WHERE \(sql.text)"),
          arguments: sql.arguments)
        let before = rows.count
        while let row = try found.next() { rows.append((row[0], row[1])) }
        if rows.count > before { rows.sort { ($0.time, $0.number) < ($1.time, $1.number) } }
      }
      guard let newest = rows.popLast() else { return nil }
      let row = try Row.fetchOne(
        db.cachedStatement(
          sql: "SELECT \(FailureRow.columns) FROM failure f \(FailureRow.join) WHERE f.id = ?"),
        arguments: [newest.number])
      guard let row else { return nil }
      return try FailureRow(row, &lookups, db).auditRow(&lookups, db)
    }
  }

  private func chunks(_ db: Database) throws -> [(id: Int64, last: Int64)] {
    let last = min(filter.until?.microseconds ?? .max, before?.time.microseconds ?? .max)
    return try Row.fetchAll(
      db, sql: "SELECT id, last_time FROM chunk WHERE last_time >= ? AND first_time <= ? ORDER BY last_time, id",
      arguments: [filter.since?.microseconds ?? .min, last]
    ).map { ($0[0], $0[1]) }
  }
}
