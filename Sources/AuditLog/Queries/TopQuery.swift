public import Model
internal import SQLite

/// What `top` counts by.
public enum TopKey: String, Sendable, CaseIterable {
  case ip
  /// /24 of IPv4, /48 of IPv6.
  case prefix
  case user
  case jail
  case pattern
  case source
  /// Of web application firewalls.
  case rule
  case hour
}

public struct TopEntry: Hashable, Sendable {
  public var name: String
  public var failures: Int
  /// Bans that began in the time asked about; only by ip, prefix and jail.
  public var bans: Int
  /// What is known of it: of a rule, its message.
  public var detail = ""

  public init(name: String, failures: Int, bans: Int = 0) {
    self.name = name
    self.failures = failures
    self.bans = bans
  }
}

public struct TopResult: Hashable, Sendable {
  /// What was counted: by ip and prefix to the moment; else, where an hour holds very many failures, whole hours, so this
  /// may be up to an hour earlier than asked.
  public var since: Instant
  public var until: Instant
  /// Most failures first; hours in their order.
  public var entries: [TopEntry]
  /// All failures of that time, also those not listed.
  public var total: Int
  /// How many different names there were.
  public var distinct: Int

  public init(since: Instant, until: Instant, entries: [TopEntry], total: Int, distinct: Int) {
    self.since = since
    self.until = until
    self.entries = entries
    self.total = total
    self.distinct = distinct
  }
}

extension AuditReader {
  /// The `limit` names with the most failures from `since` to before `until`.
  public func top(
    by key: TopKey, since: Instant, until: Instant = Instant(microseconds: .max), limit: Int = 20
  ) throws -> TopResult {
    try read { db, lookups in
      switch key {
      case .ip, .prefix: try Self.topAddresses(key, since, until, limit, db)
      case .rule: try Self.topRules(since, until, limit, &lookups, db)
      default: try Self.topNames(key, since, until, limit, &lookups, db)
      }
    }
  }

  // MARK: Addresses

  private static func topAddresses(
    _ key: TopKey, _ since: Instant, _ until: Instant, _ limit: Int, _ db: Database
  ) throws -> TopResult {
    var sums: [Address: Int] = [:]
    var names: [String: Int] = [:]
    func add(_ row: Row) {
      let address = row.address(0)
      add(address, address == nil ? row[0] : "", row.integer(1))
    }
    func add(_ address: Address?, _ name: String, _ count: Int64) {
      if let address {
        sums[key == .ip ? address : prefix(of: address).base, default: 0] += Int(count)
      } else if key == .ip {
        names[name, default: 0] += Int(count)
      }
    }
    let last = until.microseconds
    // The index alone answers, in its own order.
    let whole = try db.cached(
      """
      SELECT address, sum(count) FROM failure INDEXED BY failure_address WHERE id >> \(Chunk.bits) = ? GROUP BY address
      """)
    let part = try db.cached(
      "SELECT address, count FROM failure NOT INDEXED WHERE id BETWEEN ? AND ? AND time >= ? AND time < ?")
    for chunk in try Chunk.all(since: since.microseconds, until: last, db) {
      if chunk.first >= since.microseconds, chunk.last < last {
        whole.bind(chunk.id, 1)
        let rows = whole.rows
        while let row = try rows.next() { add(row) }
      } else {
        part.bind(chunk.rows.lowerBound, 1)
        part.bind(chunk.rows.upperBound, 2)
        part.bind(since.microseconds, 3)
        part.bind(last, 4)
        let rows = part.rows
        while let row = try rows.next() { add(row) }
      }
    }
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    try PendingFailures.forEach(
      db, where: { record, _ in record.head.time >= since.microseconds && record.head.time < last }
    ) {
      add($0.address, String(decoding: $0.name, as: UTF8.self), $0.count)
    }
    let total = sums.values.reduce(0, +) + names.values.reduce(0, +)
    let distinct = sums.count + names.count
    var entries = highest(sums, limit).map { address, count in
      TopEntry(name: key == .ip ? address.description : prefix(of: address).description, failures: count)
    }
    entries = (entries + highest(names, limit).map { TopEntry(name: $0, failures: $1) }).sorted(by: isBefore)
    entries = Array(entries.prefix(limit))
    for i in entries.indices {
      var sql = Conditions()
      sql.add(about: Identity(entries[i].name))
      // `+`: by its address, not through every decision of that time.
      sql.add("action = 'ban' AND +time >= ? AND +time < ?", since.microseconds, last)
      entries[i].bans =
        try db.first("SELECT count(*) FROM decision WHERE \(sql.text)", sql.arguments) as Int? ?? 0
    }
    return TopResult(since: since, until: until, entries: entries, total: total, distinct: distinct)
  }

  private static func prefix(of address: Address) -> Subnet { Subnet(address, ipv4Prefix: 24, ipv6Prefix: 48) }

  private static func isBefore(_ a: TopEntry, _ b: TopEntry) -> Bool {
    a.failures != b.failures ? a.failures > b.failures : a.name < b.name
  }

  /// The highest `limit` of very many, without sorting them all.
  private static func highest<Name: Comparable>(_ sums: [Name: Int], _ limit: Int) -> [(Name, Int)] {
    guard limit > 0 else { return [] }
    var best: [(Name, Int)] = []
    for (name, count) in sums where best.count < limit || count >= best[best.count - 1].1 {
      let at = best.firstIndex { count > $0.1 || (count == $0.1 && name < $0.0) } ?? best.count
      best.insert((name, count), at: at)
      if best.count > limit { best.removeLast() }
    }
    return best
  }

  // MARK: Rules of web application firewalls

  private static func topRules(
    _ since: Instant, _ until: Instant, _ limit: Int, _ lookups: inout Lookups, _ db: Database
  ) throws -> TopResult {
    var sums: [String: Int] = [:]
    var details: [String: String] = [:]
    func add(_ rule: WAFRule, _ count: Int) {
      sums[rule.id, default: 0] += count
      let detail = [rule.message, rule.severity].filter { !$0.isEmpty }.joined(separator: ", ")
      if !detail.isEmpty { details[rule.id] = detail }
    }
    let (first, last) = (since.microseconds, until.microseconds)
    let rows = try db.rows(
      """
      SELECT rule, sum(count) FROM failure INDEXED BY failure_rule
      WHERE rule IS NOT NULL AND time >= ? AND time < ? GROUP BY rule
      """, first, last)
    while let row = try rows.next() { add(try lookups.rule(row[0], db), row[1]) }
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    try PendingFailures.forEach(
      db, where: { record, _ in !record.rule.isEmpty && record.head.time >= first && record.head.time < last }
    ) { row in
      if let rule = row.rule { add(rule, Int(row.count)) }
    }
    let entries = highest(sums, limit).map { name, count in
      var entry = TopEntry(name: name, failures: count)
      entry.detail = details[name] ?? ""
      return entry
    }
    return TopResult(
      since: since, until: until, entries: entries, total: sums.values.reduce(0, +), distinct: sums.count)
  }

  // MARK: Everything else

  private static func topNames(
    _ key: TopKey, _ since: Instant, _ until: Instant, _ limit: Int, _ lookups: inout Lookups, _ db: Database
  ) throws -> TopResult {
    var sums: [Int64: Int] = [:]
    var texts: [String: Int] = [:]
    let isUser = key == .user
    let range = try HourRange(since, until, db)
    let rows = try db.rows(
      """
      SELECT \(key == .hour ? "hour" : "key"), sum(failures) FROM hourly
      WHERE hour >= ? AND hour < ? AND is_user = ? GROUP BY 1
      """, range.firstWhole, range.endWhole, isUser ? 1 : 0)
    while let row = try rows.next() { sums[row[0], default: 0] += row[1] as Int }
    let part = try db.cached(
      """
      SELECT \(isUser ? "user" : "origin"), time, count FROM failure NOT INDEXED
      WHERE id BETWEEN ? AND ? AND time BETWEEN ? AND ?
      """)
    for edge in range.edges {
      for chunk in try Chunk.all(since: edge.lowerBound, until: edge.upperBound, db) {
        let rows = part.rows(chunk.rows.lowerBound, chunk.rows.upperBound, edge.lowerBound, edge.upperBound)
        while let row = try rows.next() {
          guard let number = key == .hour ? Hour.of(row[1]) : row[0] as Int64? else { continue }
          sums[number, default: 0] += row[2] as Int
        }
      }
    }
    let first = range.since.microseconds
    let last = range.until.microseconds
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    try PendingFailures.forEach(db, where: { record, _ in record.head.time >= first && record.head.time < last }) {
      switch key {
      case .user where $0.user.isEmpty: break
      case .user: texts[String(decoding: $0.user, as: UTF8.self), default: 0] += Int($0.count)
      case .hour: sums[Hour.of($0.time), default: 0] += Int($0.count)
      default: sums[$0.origin, default: 0] += Int($0.count)
      }
    }
    // Users are many: look up the names of the highest only, unless names from pending rows may be the same.
    let listed = isUser && texts.isEmpty ? highest(sums, limit).map { ($0.0, $0.1) } : sums.map { ($0.key, $0.value) }
    for (number, count) in listed {
      let name: String
      switch key {
      case .user: name = String(decoding: try lookups.user(number, db), as: UTF8.self)
      case .jail: name = try lookups.origin(number, db).jail
      case .source: name = try lookups.origin(number, db).source
      case .hour: name = Instant(microseconds: Hour.start(number)).rfc3339()
      default:
        let origin = try lookups.origin(number, db)
        name = "\(origin.filter)/\(origin.pattern)"
      }
      texts[name, default: 0] += count
    }
    let total = isUser && listed.count < sums.count ? sums.values.reduce(0, +) : texts.values.reduce(0, +)
    var entries =
      key == .hour
      ? texts.sorted { $0.key < $1.key }.map { TopEntry(name: $0.key, failures: $0.value) }
      : highest(texts, limit).map { TopEntry(name: $0.0, failures: $0.1) }
    if key == .jail {
      for i in entries.indices {
        entries[i].bans =
          try db.first(
            "SELECT count(*) FROM decision WHERE action = 'ban' AND jail = ? AND time >= ? AND time < ?",
            entries[i].name, since.microseconds, until.microseconds) as Int? ?? 0
      }
    }
    return TopResult(
      since: range.since, until: range.until, entries: entries, total: total,
      distinct: isUser && listed.count < sums.count ? sums.count : texts.count)
  }
}

/// A stretch of time as whole hours, which are counted already, and what is left at both ends.
struct HourRange {
  /// Counting an hour's rows one by one pays up to here.
  static let edgeLimit = 50_000

  var since: Instant
  var until: Instant
  var firstWhole: Int64
  var endWhole: Int64
  var edges: [ClosedRange<Int64>] = []

  init(_ since: Instant, _ until: Instant, _ db: Database) throws {
    self.since = since
    self.until = until
    firstWhole = Hour.of(since.microseconds)
    endWhole = Hour.of(until.microseconds)
    let rows = try db.cached("SELECT coalesce(sum(rows), 0) FROM hourly WHERE hour = ? AND is_user = 0")
    if Hour.start(firstWhole) < since.microseconds {
      if try rows.first(firstWhole) as Int? ?? 0 <= Self.edgeLimit {
        let end = min(Hour.start(firstWhole + 1), until.microseconds) - 1
        if end >= since.microseconds { edges.append(since.microseconds...end) }
        firstWhole += 1
      } else {
        self.since = Instant(microseconds: Hour.start(firstWhole))
      }
    }
    if endWhole >= firstWhole, until.microseconds > Hour.start(endWhole) {
      if try rows.first(endWhole) as Int? ?? 0 <= Self.edgeLimit {
        edges.append(Hour.start(endWhole)...until.microseconds - 1)
      } else {
        self.until = Instant(microseconds: Hour.start(endWhole + 1))
        endWhole += 1
      }
    }
  }
}
