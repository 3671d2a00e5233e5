public import Model
internal import SQLite

/// A stored failure, as far as counting needs it.
public struct CountedFailure: Hashable, Sendable {
  public var time: Instant
  /// Nil when the id is a name.
  public var address: Address?
  public var name: String?
  /// How many failures the row represents, and what each of them counts.
  public var count: UInt32
  public var weight: UInt32
  /// Whom it was tried as, where that was asked for.
  public var user: [UInt8] = []

  public init(time: Instant, address: Address?, name: String?, count: UInt32, weight: UInt32) {
    self.time = time
    self.address = address
    self.name = name
    self.count = count
    self.weight = weight
  }
}

extension AuditStore {
  /// Lends the failures of `jail` that happened at or after `since`, in the order in which they were committed: what the
  /// windows held.
  /// - Parameters:
  ///   - isDryRun: for a dry run, for which its own failures count too.
  ///   - readsUsers: with the users.
  public func recentFailures(
    jail: String, since: Instant, isDryRun: Bool = false, readsUsers: Bool = false,
    _ body: (CountedFailure) throws -> Void
  ) throws {
    try read { db in
      let paper = isDryRun ? 0 : try DryRuns(db).failures
      guard paper < .max else { return }
      var lookups = Lookups()
      var filter = AuditFilter()
      filter.jail = jail
      filter.since = since
      let numbers = paper > 0 ? paper + 1 ... .max : nil
      guard let search = try FailureSearch(filter, numbers: numbers, &lookups, db) else { return }
      try search.forEachCounted(readsUsers: readsUsers, &lookups, db, body)
    }
  }

  /// The newest stored failure of `jail`; nil when there is none.
  public func newestFailure(jail: String) throws -> Instant? {
    try read { db in
      var lookups = Lookups()
      var filter = AuditFilter()
      filter.jail = jail
      guard let search = try FailureSearch(filter, &lookups, db) else { return nil }
      var newest: Int64?
      for region in try search.regions(db).sorted(by: { $0.times.upperBound > $1.times.upperBound })
      where newest.map({ region.times.upperBound > $0 }) ?? true {
        for candidate in try search.candidates(region, db).reversed()
        where newest.map({ candidate.newest > $0 }) ?? true {
          try search.forEachRow(of: candidate, db) { row, _, _ in newest = max(newest ?? .min, row.time) }
        }
      }
      return newest.map { Instant(microseconds: $0) }
    }
  }

  /// Up to when the failures of an id no longer count, because a ban covers them: the end of its last ban, or the
  /// moment when a person lifted it. Only bans of `jail` that reach past `since` are looked at.
  /// - Parameter isDryRun: for a dry run, for which its own bans count too.
  public func cutoffs(jail: String, since: Instant, isDryRun: Bool = false) throws -> [Identity: Instant] {
    let only = isDryRun ? "" : " AND dry_run = 0"
    return try read { db in
      let rows = try db.rows(
        """
        SELECT identity, max(CASE end_cause WHEN 'operator' THEN ended ELSE coalesce(until, \(Int64.max)) END) FROM ban
        WHERE jail = ? AND (until IS NULL OR until > ?)\(only) GROUP BY identity
        """, jail, since.microseconds)
      var cutoffs: [Identity: Instant] = [:]
      while let row = try rows.next() { cutoffs[Identity(row[0] as String)] = Instant(microseconds: row[1]) }
      return cutoffs
    }
  }

  /// A ban as far as it counts towards a ban of its block.
  public struct CountedBan: Hashable, Sendable {
    public var identity: Identity
    public var since: Instant
    /// Did a jail's limit make it?
    public var isByLimit: Bool
    /// Did a person lift it?
    public var isLifted: Bool
  }

  /// The bans of `jail` that began less than `span` before its newest one, in the order in which they were made.
  public func latestBans(jail: String, within span: TimeSpan, isDryRun: Bool) throws -> [CountedBan] {
    let only = isDryRun ? "" : " AND dry_run = 0"
    return try read { db in
      try db.rows(
        """
        SELECT identity, since, start_cause = 'limit', end_cause IS 'operator' FROM ban
        WHERE jail = ?1 AND since > (SELECT max(since) FROM ban WHERE jail = ?1) - ?2\(only) ORDER BY id
        """, jail, span.microseconds
      ).map { row in
        CountedBan(
          identity: Identity(row[0] as String), since: Instant(microseconds: row[1]), isByLimit: row[2] != 0,
          isLifted: row[3] != 0)
      }
    }
  }
}

extension AuditReader {
  /// Lends the failures that `filter` lets through in the order in which they were committed, as the decider counted them,
  /// until `body` returns false. Memory stays small however many there are.
  public func countedFailures(_ filter: AuditFilter, _ body: (CountedFailure) -> Bool) throws {
    struct Enough: Error {}
    try read { db, lookups in
      guard let search = try FailureSearch(filter, &lookups, db) else { return }
      do {
        try search.forEachCounted(readsUsers: false, &lookups, db) { guard body($0) else { throw Enough() } }
      } catch is Enough {}
    }
  }
}

extension FailureSearch {
  fileprivate func forEachCounted(
    readsUsers: Bool, _ lookups: inout Lookups, _ db: Database, _ body: (CountedFailure) throws -> Void
  ) throws {
    try forEachRow(db) { row, index, decoder in
      if row.address == nil || readsUsers { try decoder.readNames(row, number: decoder.number(index), db) }
      var failure = CountedFailure(
        time: Instant(microseconds: row.time), address: row.address,
        name: row.address == nil ? String(decoding: decoder.name, as: UTF8.self) : nil, count: row.count,
        weight: try lookups.template(row.template, db)?.key.weight ?? 1)
      if readsUsers { failure.user = Array(decoder.user) }
      try body(failure)
    }
  }
}
