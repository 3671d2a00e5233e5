public import Model
internal import SQLite

/// What a report of a stretch of time shows beside what `top` counts.
public struct ReportData: Hashable, Sendable {
  /// A number of something from a moment on.
  public struct Point: Hashable, Sendable {
    public var start: Instant
    public var count: Int
  }

  public struct Offender: Hashable, Sendable {
    public var id: String
    public var bans: Int
    /// In how many jails.
    public var jails: Int
    public var last: Instant
  }

  /// By hour, without the hours that had none.
  public var failures: [Point]
  public var bans: [Point]
  public var banCount: Int
  public var bannedIDs: Int
  /// How long bans lasted, or will: those that ended, by their end; others by their time. Permanent ones are `permanent`.
  public var lengths: [TimeSpan]
  public var permanent: Int
  /// Lifted by an operator.
  public var lifted: Int
  /// Ids that were banned more than once, most often first.
  public var repeated: [Offender]
  /// What operators did, and what else happened; newest first.
  public var events: [AuditRow]
}

extension AuditReader {
  /// Everything from `since` to before `until`; at most `limit` offenders and events.
  public func report(since: Instant, until: Instant, limit: Int = 20) throws -> ReportData {
    let hours = try top(by: .hour, since: since, until: until).entries.compactMap { entry in
      Instant(rfc3339: entry.name).map { ReportData.Point(start: $0, count: entry.failures) }
    }
    var filter = AuditFilter()
    filter.since = since
    filter.until = until
    filter.kinds = [.operator]
    let events = try page(filter, limit: limit).rows
    return try read { db, _ in
      let range: [(any Bindable)?] = [since.microseconds, until.microseconds]
      let bans = try db.rows(
        """
        SELECT (time - CASE WHEN time < 0 THEN 3599999999 ELSE 0 END) / 3600000000, count(*) FROM decision
        WHERE action = 'ban' AND time >= ? AND time < ? GROUP BY 1 ORDER BY 1
        """, range
      ).map { ReportData.Point(start: Instant(microseconds: Hour.start($0[0])), count: $0[1]) }
      var lengths: [TimeSpan] = []
      var permanent = 0
      var lifted = 0
      let rows = try db.rows("SELECT since, until, ended, end_cause FROM ban WHERE since >= ? AND since < ?", range)
      while let row = try rows.next() {
        let start = Instant(microseconds: row[0])
        if row[3] as String? == "operator" { lifted += 1 }
        if let end = (row[2] as Int64?) ?? (row[1] as Int64?) {
          lengths.append(Instant(microseconds: end).since(start))
        } else {
          permanent += 1
        }
      }
      let repeated = try db.rows(
        """
        SELECT identity, count(*), count(DISTINCT jail), max(since) FROM ban WHERE since >= ? AND since < ?
        GROUP BY identity HAVING count(*) > 1 ORDER BY 2 DESC, identity LIMIT \(limit)
        """, range
      ).map { ReportData.Offender(id: $0[0], bans: $0[1], jails: $0[2], last: Instant(microseconds: $0[3])) }
      let ids = try db.first("SELECT count(DISTINCT identity) FROM ban WHERE since >= ? AND since < ?", range) as Int?
      return ReportData(
        failures: hours, bans: bans, banCount: bans.reduce(0) { $0 + $1.count }, bannedIDs: ids ?? 0, lengths: lengths,
        permanent: permanent, lifted: lifted, repeated: repeated, events: events)
    }
  }
}
