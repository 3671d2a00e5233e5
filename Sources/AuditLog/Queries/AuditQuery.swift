internal import Model
internal import SQLite

extension AuditReader {
  /// A page of rows, newest first; `before` is where the last page ended. The order is total (time, then kind, then
  /// number), so pages neither repeat nor skip rows while others are added.
  ///
  /// A text is looked for in row after row. After `mostRead` rows without enough answers the page ends, with `readThrough`
  /// set, and the next one goes on from there.
  public func page(
    _ filter: AuditFilter, limit: Int = 50, before: AuditCursor? = nil, mostRead: Int = .max
  ) throws -> AuditPage {
    var page = AuditPage(rows: [], next: nil)
    var left = mostRead
    func skipped(_ row: AuditRow) -> Bool {
      left -= 1
      guard left <= 0 else { return true }
      page.next = row.mark
      page.readThrough = row.time
      return false
    }
    try forEach(filter, before: before, skipped: skipped) { row in
      if page.rows.count == limit {
        page.next = page.rows.last?.mark
        return false
      }
      page.rows.append(row)
      return true
    }
    return page
  }

  /// Lends rows, newest first, until `body` returns false. Memory stays small however many there are.
  /// `skipped` is lent rows in which the text is not, and may end it, too.
  public func forEach(
    _ filter: AuditFilter, before: AuditCursor? = nil, skipped: (AuditRow) throws -> Bool = { _ in true },
    _ body: (AuditRow) throws -> Bool
  ) throws {
    try checkRange(filter)
    try read { db, lookups in
      var streams: [any RowStream] = []
      if filter.wants(.failures) {
        if let search = try FailureSearch(filter, before: before, &lookups, db) {
          streams.append(try PendingStream(search, &lookups, db))
          streams.append(FailureSearch.ChunkStream(search))
        }
      }
      if filter.wants(.decisions) { streams.append(try DecisionStream(filter, before: before, db)) }
      if filter.wants(.events) { streams.append(try EventStream(filter, before: before, db)) }
      try Self.merge(&streams, filter.text, &lookups, db, skipped, body)
    }
  }

  private static func merge(
    _ streams: inout [any RowStream], _ text: String?, _ lookups: inout Lookups, _ db: Database,
    _ skipped: (AuditRow) throws -> Bool, _ body: (AuditRow) throws -> Bool
  ) throws {
    var heads: [AuditRow?] = []
    for i in streams.indices { heads.append(try streams[i].next(&lookups, db)) }
    while true {
      var newest: Int?
      for (i, head) in heads.enumerated() {
        guard let head else { continue }
        if let best = newest, let other = heads[best], !head.mark.isNewer(than: other.mark) { continue }
        newest = i
      }
      guard let newest, let row = heads[newest] else { return }
      heads[newest] = try streams[newest].next(&lookups, db)
      if let text, !row.contains(text) {
        guard try skipped(row) else { return }
        continue
      }
      guard try body(row) else { return }
    }
  }

  private func checkRange(_ filter: AuditFilter) throws {
    if let since = filter.since, let until = filter.until, since >= until {
      throw StoreError(
        kind: .usage, path: path,
        message: "the range is empty: since \(since.rfc3339()) is not before until \(until.rfc3339())")
    }
  }
}

extension AuditRow {
  func contains(_ text: String) -> Bool {
    let needle = text.lowercased()
    return [line, lastLine ?? "", user, command, detail, subject].contains { $0.lowercased().contains(needle) }
  }
}

/// Rows in the audit's order, one at a time.
protocol RowStream {
  mutating func next(_ lookups: inout Lookups, _ db: Database) throws -> AuditRow?
}

extension RowStream {
  mutating func all(_ lookups: inout Lookups, _ db: Database) throws -> [AuditRow] {
    var rows: [AuditRow] = []
    while let row = try next(&lookups, db) { rows.append(row) }
    return rows
  }
}

/// The failures that wait to be indexed.
struct PendingStream: RowStream {
  /// Oldest first, taken from the end.
  private var rows: [FailureRow] = []

  init(_ search: FailureSearch, _ lookups: inout Lookups, _ db: Database) throws {
    var found: [FailureRow] = []
    try PendingFailures.forEach(db, where: search.wants) { if search.isBehind($0) { found.append($0) } }
    rows = found.sorted { ($0.time, $0.number) < ($1.time, $1.number) }
  }

  mutating func next(_ lookups: inout Lookups, _ db: Database) throws -> AuditRow? {
    try rows.popLast()?.auditRow(&lookups, db)
  }
}

/// Bans, extensions and unbans.
struct DecisionStream: RowStream {
  private let rows: Rows

  /// `numbers`: of these alone, in their order.
  init(
    _ filter: AuditFilter, before: AuditCursor? = nil, numbers: ClosedRange<Int64>? = nil, _ db: Database
  ) throws {
    let query = Self.query(filter, before: before, numbers: numbers)
    rows = try db.rows(query.sql, query.arguments)
  }

  static func query(_ filter: AuditFilter, before: AuditCursor?, numbers: ClosedRange<Int64>? = nil)
    -> (sql: String, arguments: [(any Bindable)?])
  {
    // Who is asked about narrows more than any stretch of time, which SQLite cannot know: `+` keeps it from the index on
    // time, through which it would read every decision of that stretch.
    let time = filter.identity == nil ? "time" : "+time"
    var sql = Conditions(filter, before: before, rank: 1, time: time)
    if let numbers { sql.add(numbers: numbers) }
    sql.add("jail", in: filter.jails)
    if let identity = filter.identity { sql.add(about: identity) }
    if !filter.kinds.isEmpty {
      var allowed: [String] = []
      if filter.kinds.contains(.ban) { allowed.append("action <> 'unban'") }
      if filter.kinds.contains(.unban) { allowed.append("action = 'unban'") }
      if filter.kinds.contains(.operator) { allowed.append("cause = 'operator'") }
      sql.add("(" + allowed.joined(separator: " OR ") + ")")
    }
    return (
      """
      SELECT id, time, action, jail, identity, until, count, number, cause, uid, command FROM decision
      WHERE \(sql.text) ORDER BY \(numbers == nil ? "\(time) DESC, id DESC" : "id")
      """, sql.arguments
    )
  }

  mutating func next(_ lookups: inout Lookups, _ db: Database) throws -> AuditRow? {
    try rows.next().map(Self.row)
  }

  static func row(_ row: Row) -> AuditRow {
    let action: String = row[2]
    var result = AuditRow(
      kind: action == "unban" ? .unban : .ban, number: row[0], time: Instant(microseconds: row[1]), action: action)
    result.jail = row[3]
    result.id = row[4]
    result.until = (row[5] as Int64?).map { Instant(microseconds: $0) }
    result.count = row[6]
    result.banNumber = row[7]
    result.cause = row[8]
    result.uid = row[9]
    result.command = row[10] ?? ""
    return result
  }
}

/// What else happened.
struct EventStream: RowStream {
  private let rows: Rows

  /// `numbers`: of these alone, in their order.
  init(
    _ filter: AuditFilter, before: AuditCursor? = nil, numbers: ClosedRange<Int64>? = nil, _ db: Database
  ) throws {
    var sql = Conditions(filter, before: before, rank: 2)
    if let numbers { sql.add(numbers: numbers) }
    sql.add("subject", in: filter.jails)
    rows = try db.rows(
      """
      SELECT id, time, action, subject, detail, uid, command FROM event WHERE \(sql.text)
        ORDER BY \(numbers == nil ? "time DESC, id DESC" : "id")
      """, sql.arguments)
  }

  mutating func next(_ lookups: inout Lookups, _ db: Database) throws -> AuditRow? {
    try rows.next().map(Self.row)
  }

  static func row(_ row: Row) -> AuditRow {
    var result = AuditRow(kind: .operator, number: row[0], time: Instant(microseconds: row[1]), action: row[2])
    result.subject = row[3]
    result.detail = row[4]
    result.uid = row[5]
    result.command = row[6]
    return result
  }
}

/// A WHERE clause under construction.
struct Conditions {
  private(set) var text = "1"
  private(set) var arguments = [(any Bindable)?]()

  init() {}

  /// The time range, and nothing before the place where the last page ended.
  init(_ filter: AuditFilter, before: AuditCursor?, rank: Int, time: String = "time") {
    if let since = filter.since { add("\(time) >= ?", since.microseconds) }
    if let until = filter.until { add("\(time) < ?", until.microseconds) }
    if let before {
      let number = rank < before.rank ? Int64.max : rank == before.rank ? before.number : Int64.min
      add("\(time) <= ?", before.time.microseconds)
      add("(\(time) < ? OR id < ?)", before.time.microseconds, number)
    }
  }

  mutating func add(_ condition: String, _ values: (any Bindable)?...) {
    text += " AND \(condition)"
    arguments += [(any Bindable)?](values)
  }

  mutating func add(numbers: ClosedRange<Int64>) {
    add("id BETWEEN ? AND ?", numbers.lowerBound, numbers.upperBound)
  }

  /// Empty: all.
  mutating func add(_ column: String, in names: Set<String>) {
    guard !names.isEmpty else { return }
    text += " AND \(column) IN (" + names.map { _ in "?" }.joined(separator: ",") + ")"
    arguments += names.sorted()
  }

  /// Failures of `subnet`. One address is found with `=`, behind which the index also sorts by what comes next.
  mutating func add(addressesIn subnet: Subnet) {
    if subnet.isSingleAddress { return add("f.address = ?", AddressKey(subnet.base)) }
    add("f.address BETWEEN ? AND ?", AddressKey(subnet.base), AddressKey(subnet.last))
  }

  /// Decisions, or bans, about an id. Names have no address, and are found by that.
  mutating func add(about identity: Identity) {
    switch identity {
    case .network(let subnet): add(addressesOverlapping: subnet)
    case .name(let name): add("address IS NULL AND identity = ?", name)
    }
  }

  /// Decisions about `subnet`, about a part of it, or about a block that contains it.
  mutating func add(addressesOverlapping subnet: Subnet) {
    var alternatives = ["address BETWEEN ? AND ?"]
    var values: [(any Bindable)?] = [AddressKey(subnet.base), AddressKey(subnet.last)]
    for length in (subnet.isIPv4 ? 96 : 0)..<max(subnet.length, subnet.isIPv4 ? 96 : 0) {
      alternatives.append("(address = ? AND prefix = ?)")
      values += [AddressKey(Subnet(subnet.base, length: length).base), Int64(length)]
    }
    text += " AND (" + alternatives.joined(separator: " OR ") + ")"
    arguments += [(any Bindable)?](values)
  }
}
