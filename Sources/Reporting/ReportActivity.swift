internal import AuditLog
internal import Inspection
internal import Model

/// Who was let in, and what a person should have looked at.
struct ReportActivity: Sendable {
  struct Account: Sendable {
    var name: String
    var logins: Int
    var addresses: Set<Address>
    var last: Instant
  }

  /// How often, in the order of `ActivityEvent`.
  var counts: [(event: ActivityEvent, count: Int)]
  /// Who logged in, most often first.
  var accounts: [Account]
  /// Newest first.
  var alerts: [AlertReply]
  /// Are there more than were looked at?
  var isCut: Bool

  static let most = 50_000
  static let mostAlerts = 200

  init(_ audit: AuditInspection, since: Instant, until: Instant) throws {
    var filter = ActivityFilter()
    (filter.since, filter.until) = (since, until)
    var found: [ActivityEvent: Int] = [:]
    var logins: [String: Account] = [:]
    var looked = 0
    // In pages: so many rows are never in memory at once.
    while looked < Self.most {
      let rows = try audit.reader.activities(filter, limit: 4096)
      for row in rows {
        found[row.event, default: 0] += 1
        guard row.event == .login else { continue }
        let name = row.user.isEmpty ? row.target : row.user
        logins[name, default: Account(name: name, logins: 0, addresses: [], last: row.time)].add(row)
      }
      looked += rows.count
      guard rows.count == 4096 else { break }
      filter.before = rows.last?.number
    }
    isCut = looked >= Self.most
    counts = ActivityEvent.allCases.compactMap { event in found[event].map { (event, $0) } }
    accounts = logins.values.sorted { ($1.logins, $0.name) < ($0.logins, $1.name) }
    var wanted = AlertFilter()
    (wanted.since, wanted.until) = (since, until)
    alerts = try audit.alerts(wanted, limit: Self.mostAlerts, hasLines: false)
  }
}

extension ReportActivity.Account {
  fileprivate mutating func add(_ row: ActivityRow) {
    logins += 1
    if let address = row.address, addresses.count < 1000 { addresses.insert(address) }
    last = max(last, row.time)
  }
}

/// What people did, and what else happened to the daemon.
struct ReportActs: Sendable {
  /// Newest first.
  var people: [AuditRow] = []
  var others: [AuditRow] = []
  /// How many there are of each.
  var peopleCount = 0
  var otherCount = 0

  static let shown = 100
  static let most = 20_000

  init(_ reader: AuditReader, since: Instant, until: Instant) throws {
    var filter = AuditFilter()
    (filter.since, filter.until, filter.kinds) = (since, until, [.operator])
    try reader.forEach(filter) { row in
      // An alert is told as a finding.
      if row.action == AuditEvent.Action.alert.rawValue { return true }
      if row.uid != nil {
        if people.count < Self.shown { people.append(row) }
        peopleCount += 1
      } else {
        if others.count < Self.shown { others.append(row) }
        otherCount += 1
      }
      return peopleCount + otherCount < Self.most
    }
  }

  /// Warnings that were raised in that time.
  var warnings: [AuditRow] { others.filter { $0.action == AuditEvent.Action.warningRaised.rawValue } }
}
