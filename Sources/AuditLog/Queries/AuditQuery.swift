internal import Model
internal import SQLite

extension AuditReader {
  /// A page of rows, newest first; `before` is where the last page ended. The order is total (time, then kind, then
  /// number), so pages neither repeat nor skip rows while others are added.
  ///
  /// A text is looked for in row after row. After the transaction in which `mostRead` rows without it are reached the page ends,
  /// with `readThrough` set, and the next one goes on from there.
  public func page(
    _ filter: AuditFilter, limit: Int = 50, before: AuditCursor? = nil, mostRead: Int = .max
  ) throws -> AuditPage {
    var page = AuditPage(rows: [], next: nil)
    try forEachStep(filter, before: before, mostRead: mostRead) { step in
      switch step {
      case .row(let row):
        guard page.rows.count < limit else {
          page.next = page.rows.last?.mark
          return false
        }
        page.rows.append(row)
        return true
      case .readThrough(let mark):
        page.next = mark
        page.readThrough = mark.time
        return false
      case .end: return false
      }
    }
    return page
  }

  /// Lends rows, newest first, until `body` returns false. Memory stays small however many there are.
  public func forEach(
    _ filter: AuditFilter, before: AuditCursor? = nil, _ body: (AuditRow) throws -> Bool
  ) throws {
    try forEachStep(filter, before: before, mostRead: .max) { step in
      if case .row(let row) = step { try body(row) } else { false }
    }
  }

  private func forEachStep(
    _ filter: AuditFilter, before: AuditCursor?, mostRead: Int, _ body: (StreamStep) throws -> Bool
  ) throws {
    try checkRange(filter)
    try read { db, lookups in
      var streams: [any RowStream] = []
      if filter.wants(.failures), let search = try FailureSearch(filter, before: before, &lookups, db) {
        streams.append(FailureStream(search, mostRead: mostRead))
      }
      if filter.wants(.decisions) { streams.append(try DecisionStream(filter, before: before, db)) }
      if filter.wants(.events) { streams.append(try EventStream(filter, before: before, db)) }
      var heads: [StreamStep] = []
      for i in streams.indices { heads.append(try streams[i].next(&lookups, db)) }
      while let newest = heads.indices.max(by: { heads[$0].isOlder(than: heads[$1]) }), heads[newest].mark != nil {
        guard try body(heads[newest]) else { return }
        heads[newest] = try streams[newest].next(&lookups, db)
      }
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

/// Rows in the audit's order, one at a time.
protocol RowStream {
  mutating func next(_ lookups: inout Lookups, _ db: Database) throws -> StreamStep
}

enum StreamStep {
  case row(AuditRow)
  /// What is older was not looked through: there were too many rows without answers.
  case readThrough(AuditCursor)
  case end

  var mark: AuditCursor? {
    switch self {
    case .row(let row): row.mark
    case .readThrough(let mark): mark
    case .end: nil
    }
  }

  func isOlder(than other: StreamStep) -> Bool {
    guard let otherMark = other.mark else { return false }
    return mark.map { otherMark.isNewer(than: $0) } ?? true
  }
}

extension RowStream {
  mutating func all(_ lookups: inout Lookups, _ db: Database) throws -> [AuditRow] {
    var rows: [AuditRow] = []
    while case .row(let row) = try next(&lookups, db) { rows.append(row) }
    return rows
  }
}

/// Bans, extensions and unbans.
struct DecisionStream: RowStream {
  private let rows: Rows
  private let needle: TextNeedle?

  /// `numbers`: of these alone, in their order.
  init(
    _ filter: AuditFilter, before: AuditCursor? = nil, numbers: ClosedRange<Int64>? = nil, _ db: Database
  ) throws {
    needle = filter.text.map(TextNeedle.init)
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
    if filter.isReal { sql.add("dry_run = 0") }
    if !filter.kinds.isEmpty {
      var allowed: [String] = []
      if filter.kinds.contains(.ban) { allowed.append("action <> 'unban'") }
      if filter.kinds.contains(.unban) { allowed.append("action = 'unban'") }
      if filter.kinds.contains(.operator) { allowed.append("cause = 'operator'") }
      sql.add("(" + allowed.joined(separator: " OR ") + ")")
    }
    return (
      """
      SELECT id, time, action, jail, identity, until, count, number, cause, uid, command, dry_run FROM decision
      WHERE \(sql.text) ORDER BY \(numbers == nil ? "\(time) DESC, id DESC" : "id")
      """, sql.arguments
    )
  }

  mutating func next(_ lookups: inout Lookups, _ db: Database) throws -> StreamStep {
    while let row = try rows.next().map(Self.row) {
      if needle?.isIn(row.command) ?? true { return .row(row) }
    }
    return .end
  }

  private static func row(_ row: Row) -> AuditRow {
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
    result.isDryRun = row[11] != 0
    return result
  }
}

/// What else happened.
struct EventStream: RowStream {
  private let rows: Rows
  private let needle: TextNeedle?

  /// `numbers`: of these alone, in their order.
  init(
    _ filter: AuditFilter, before: AuditCursor? = nil, numbers: ClosedRange<Int64>? = nil, _ db: Database
  ) throws {
    needle = filter.text.map(TextNeedle.init)
    var sql = Conditions(filter, before: before, rank: 2)
    if let numbers { sql.add(numbers: numbers) }
    sql.add("subject", in: filter.jails)
    rows = try db.rows(
      """
      SELECT id, time, action, subject, detail, uid, command FROM event WHERE \(sql.text)
        ORDER BY \(numbers == nil ? "time DESC, id DESC" : "id")
      """, sql.arguments)
  }

  mutating func next(_ lookups: inout Lookups, _ db: Database) throws -> StreamStep {
    while let row = try rows.next().map(Self.row) {
      if let needle, !needle.isIn(row.command), !needle.isIn(row.detail), !needle.isIn(row.subject) { continue }
      return .row(row)
    }
    return .end
  }

  private static func row(_ row: Row) -> AuditRow {
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
