public import Model
internal import SQLite

/// An alert, as it is stored.
public struct AlertRow: Hashable, Sendable {
  /// The number of its event.
  public var number: Int64
  public var alert: Alert
}

/// Which alerts are wanted. Everything that is set must hold.
public struct AlertFilter: Hashable, Sendable {
  public var since: Instant?
  public var until: Instant?
  public var subnet: Subnet?
  public var user: String?
  public var kinds: Set<Alert.Kind> = []
  /// Alerts with a smaller number.
  public var before: Int64?
  /// This one.
  public var number: Int64?

  public init() {}
}

/// Questions about alerts.
enum AlertTable {
  /// At most `limit` alerts, newest first.
  static func rows(_ filter: AlertFilter, limit: Int, _ db: Database) throws -> [AlertRow] {
    var parts = ["1"]
    var values: [(any Bindable)?] = []
    func add(_ condition: String, _ value: (any Bindable)?...) {
      parts.append(condition)
      values += value
    }
    if let since = filter.since { add("a.time >= ?", since.microseconds) }
    if let until = filter.until { add("a.time < ?", until.microseconds) }
    if let subnet = filter.subnet {
      add("a.address BETWEEN ? AND ?", AddressKey(subnet.base), AddressKey(subnet.last))
    }
    if let user = filter.user { add("a.user = ?", user) }
    if let before = filter.before { add("a.id < ?", before) }
    if let number = filter.number { add("a.id = ?", number) }
    if !filter.kinds.isEmpty {
      parts.append("a.kind IN (\(filter.kinds.map { "'\($0.rawValue)'" }.sorted().joined(separator: ",")))")
    }
    let rows = try db.rows(
      """
      SELECT a.id, a.kind, a.time, a.since, a.user, a.address, a.jail, a.count, e.detail
      FROM alert a LEFT JOIN event e ON e.id = a.id WHERE \(parts.joined(separator: " AND "))
      ORDER BY a.id DESC LIMIT ?
      """, values + [limit])
    var found: [AlertRow] = []
    while let row = try rows.next() {
      guard let kind = Alert.Kind(rawValue: row[1]) else { continue }
      let alert = Alert(
        kind, time: Instant(microseconds: row[2]), since: Instant(microseconds: row[3]), user: row[4],
        address: row.address(5), jail: row[6], count: row[7], text: row[8] as String? ?? "")
      found.append(AlertRow(number: row[0], alert: alert))
    }
    return found
  }
}

extension AuditReader {
  /// At most `limit` alerts, newest first.
  public func alerts(_ filter: AlertFilter = AlertFilter(), limit: Int) throws -> [AlertRow] {
    try read { db, _ in try AlertTable.rows(filter, limit: limit, db) }
  }

  /// The lines of an alert, oldest first: failures and activities of its account and its address, from the first that counts for
  /// it up to the one that raised it; the last `limit` of each.
  public func evidence(of alert: Alert, limit: Int = 20) throws -> (failures: [AuditRow], activities: [ActivityRow]) {
    var filter = AuditFilter()
    filter.kinds = [.failure]
    filter.since = alert.since
    filter.until = alert.time.adding(TimeSpan(microseconds: 1))
    var activity = ActivityFilter()
    activity.since = filter.since
    activity.until = filter.until
    if let address = alert.address {
      filter.identity = .network(Subnet(address))
      activity.subnet = Subnet(address)
    }
    if alert.address == nil || alert.kind == .newNetwork || alert.kind == .firstPrivilege {
      filter.user = alert.user
      activity.user = alert.user
    }
    let failures =
      switch alert.kind {
      case .loginAfterFailures, .manyAddresses, .manyAccounts, .bannedLogin:
        try distinct(page(filter, limit: 4 * limit).rows, limit)
      case .newNetwork, .firstPrivilege: [AuditRow]()
      }
    let activities =
      switch alert.kind {
      case .manyAddresses, .manyAccounts: [ActivityRow]()
      case .loginAfterFailures, .newNetwork, .bannedLogin, .firstPrivilege:
        try self.activities(activity, limit: limit)
      }
    return (failures.reversed(), activities.reversed())
  }

  /// Each line once, however many jails counted it.
  private func distinct(_ rows: [AuditRow], _ limit: Int) -> [AuditRow] {
    struct Place: Hashable {
      var source: String
      var offset: Int64?
      var cursor: String?
    }
    var seen: Set<Place> = []
    return Array(
      rows.filter { seen.insert(Place(source: $0.source, offset: $0.offset, cursor: $0.cursor)).inserted }
        .prefix(limit))
  }
}

extension AuditStore {
  /// The alerts from `since` on, newest first: what was told is not told again.
  public func alerts(since: Instant) throws -> [Alert] {
    var filter = AlertFilter()
    filter.since = since
    return try read { db in try AlertTable.rows(filter, limit: 100_000, db).map(\.alert) }
  }

  /// Where accounts were seen.
  public func sightings() throws -> [Sighting] {
    try read { db in
      let rows = try db.rows("SELECT service, user, network, first, last FROM sighting")
      var found: [Sighting] = []
      while let row = try rows.next() {
        let network: String = row[2]
        let key = Sighting.Key(service: row[0], user: row[1], network: Subnet(network))
        found.append(Sighting(key, first: Instant(microseconds: row[3]), last: Instant(microseconds: row[4])))
      }
      return found
    }
  }
}
