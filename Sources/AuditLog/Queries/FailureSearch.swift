internal import Model
internal import SQLite

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
      try db.column("SELECT id FROM user_name WHERE name = ? OR name = CAST(? AS BLOB)", $0, $0)
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

  /// Those of `numbers`, in their order.
  func rows(_ numbers: ClosedRange<Int64>, _ lookups: inout Lookups, _ db: Database) throws -> [AuditRow] {
    var sql = conditions()
    if let subnet { sql.add(addressesIn: subnet) }
    sql.add("f.id BETWEEN ? AND ?", numbers.lowerBound, numbers.upperBound)
    let indexed = try db.rows(
      """
      SELECT \(FailureRow.columns) FROM failure f NOT INDEXED \(FailureRow.join) WHERE \(sql.text) ORDER BY f.id
      """, sql.arguments)
    var rows: [AuditRow] = []
    while let row = try indexed.next() { rows.append(try FailureRow(row, &lookups, db).auditRow(&lookups, db)) }
    var pending: [FailureRow] = []
    try PendingFailures.forEach(db, where: wants) { if numbers.contains($0.number) { pending.append($0) } }
    for row in pending { rows.append(try row.auditRow(&lookups, db)) }
    return rows
  }

  /// Lends failures, first and last row by origin, in parts that the caller adds up. For an address or a block the index
  /// alone answers. (A join of `chunk` and `failure` would scan the index: SQLite does not see through the expression.)
  func countsByOrigin(_ db: Database, _ body: (_ origin: Int64, _ count: Int, _ first: Int64, _ last: Int64) -> Void)
    throws
  {
    let isAllOfOne = subnet?.isSingleAddress == true && filter.isNothingButIdentity && before == nil
    for chunk in try chunks(db) {
      if isAllOfOne, let subnet {
        let counted = try db.rows(
          "SELECT origin, failures, first, last FROM frequent WHERE chunk = ? AND address = ?", chunk.id,
          AddressKey(subnet.base))
        var isCounted = false
        while let row = try counted.next() {
          body(row[0], row[1], row[2], row[3])
          isCounted = true
        }
        if isCounted { continue }
      }
      let query = query("f.origin, sum(f.count), min(f.id), max(f.id)", of: chunk)
      let rows = try db.rows(query.text + " GROUP BY 1", query.arguments)
      while let row = try rows.next() { body(row[0], row[1], row[2], row[3]) }
    }
  }

  /// Lends what the failures weigh, in parts that the caller adds up.
  func weights(_ db: Database, _ body: (Int) -> Void) throws {
    for chunk in try chunks(db) {
      let query = query("sum(f.count * f.weight)", of: chunk)
      body(try db.first(query.text, query.arguments) as Int? ?? 0)
    }
  }

  /// Rows of a chunk, through the index on addresses where an id is asked for. The same text for every chunk: prepared once.
  fileprivate func query(_ columns: String, of chunk: Chunk) -> (text: String, arguments: [(any Bindable)?]) {
    var sql = conditions()
    let isByID = subnet != nil || name != nil
    if isByID {
      sql.add("f.id >> \(Chunk.bits) = ?", chunk.id)
    } else {
      sql.add("f.id BETWEEN ? AND ?", chunk.rows.lowerBound, chunk.rows.upperBound)
    }
    if let subnet { sql.add(addressesIn: subnet) }
    let path = isByID ? "INDEXED BY failure_address" : "NOT INDEXED"
    return ("SELECT \(columns) FROM failure f \(path) WHERE \(sql.text)", sql.arguments)
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
    if let name {
      let text = String(decoding: name, as: UTF8.self)
      sql.add("f.address IN (?, CAST(? AS BLOB))", text, text)
    }
    return sql
  }

  /// Stretches of time that can hold answers, oldest first: the hours in which the user or the origins were seen.
  private func stretches(_ db: Database) throws -> [ClosedRange<Int64>] {
    let first = filter.since?.microseconds ?? .min
    let last = filter.until.map { $0.microseconds } ?? .max
    guard users != nil || origins != nil else { return [first...max(first, last)] }
    let condition =
      users.map { "is_user = 1 AND key IN (\($0.map(String.init).joined(separator: ",")))" }
      ?? "is_user = 0 AND key IN (\((origins ?? []).map(String.init).joined(separator: ",")))"
    let hours: [Int64] = try db.column(
      """
      WITH RECURSIVE hours (hour) AS (
        SELECT min(hour) FROM hourly WHERE hour >= ?
        UNION ALL SELECT (SELECT min(hour) FROM hourly WHERE hour > hours.hour) FROM hours WHERE hours.hour IS NOT NULL
      )
      SELECT hour FROM hours WHERE hour <= ?
        AND EXISTS (SELECT 1 FROM hourly WHERE hourly.hour = hours.hour AND \(condition))
      """, filter.since.map { Hour.of($0.microseconds) } ?? .min,
      filter.until.map { Hour.of($0.microseconds) } ?? Int64.max)
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

  /// Chunk by chunk. Chunks overlap in time, so rows are given out only when no chunk that is still closed can hold a newer
  /// one.
  struct ChunkStream: RowStream {
    private static let one = "SELECT \(FailureRow.columns) FROM failure f \(FailureRow.join) WHERE f.id = ?"

    private let search: FailureSearch
    /// Oldest first, by their last time; nil until they are known.
    private var chunks: [Chunk]?
    /// Oldest first.
    private var rows: [(time: Int64, number: Int64)] = []

    init(_ search: FailureSearch) { self.search = search }

    mutating func next(_ lookups: inout Lookups, _ db: Database) throws -> AuditRow? {
      var left = try chunks ?? search.chunks(db)
      defer { chunks = left }
      while let chunk = left.last, rows.last.map({ $0.time <= chunk.last }) ?? true {
        left.removeLast()
        let query = search.query("f.time, f.id", of: chunk)
        let found = try db.rows(query.text, query.arguments)
        let before = rows.count
        while let row = try found.next() { rows.append((row[0], row[1])) }
        if rows.count > before { rows.sort { ($0.time, $0.number) < ($1.time, $1.number) } }
      }
      guard let newest = rows.popLast(),
        let row = try db.rows(Self.one, newest.number).next()
      else { return nil }
      return try FailureRow(row, &lookups, db).auditRow(&lookups, db)
    }
  }

  private func chunks(_ db: Database) throws -> [Chunk] {
    let until = min(filter.until?.microseconds ?? .max, before?.time.microseconds ?? .max)
    let chunks = try Chunk.all(since: filter.since?.microseconds ?? .min, until: until, db)
    guard subnet == nil, name == nil else { return chunks }
    let stretches = try stretches(db)
    return chunks.filter { chunk in
      stretches.contains { $0.lowerBound <= chunk.last && chunk.first <= $0.upperBound }
    }
  }
}
