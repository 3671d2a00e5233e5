public import Model
internal import SQLite

extension AuditStore {
  /// The newest stored failure of `jail`; nil when there is none.
  public func newestFailure(jail: String) throws -> Instant? {
    try read { db in
      var newest: Int64?
      let origins = try Self.origins(of: jail, db)
      try PendingFailures.forEachHead(db) { record, _ in
        guard origins.contains(Int64(record.head.origin.number)) else { return }
        newest = max(newest ?? .min, record.head.time)
      }
      let hour: Int64? = try db.first(
        "SELECT max(hour) FROM hourly WHERE is_user = 0 AND key IN (SELECT id FROM origin WHERE jail = ?)", jail)
      let chunks = try hour.map { try Chunk.all(since: Hour.start($0), db) } ?? []
      for chunk in chunks.reversed() where chunk.last > newest ?? .min {
        let found: Int64? = try db.first(
          """
          SELECT max(time) FROM failure WHERE id BETWEEN ? AND ? AND origin IN (SELECT id FROM origin WHERE jail = ?)
          """, chunk.rows.lowerBound, chunk.rows.upperBound, jail)
        if let found { newest = max(newest ?? .min, found) }
      }
      return newest.map { Instant(microseconds: $0) }
    }
  }

  /// Up to when the failures of an id no longer count, because a ban covers them: the end of its last ban, or the
  /// moment when a person lifted it. Only bans of `jail` that reach past `since` are looked at.
  public func cutoffs(jail: String, since: Instant) throws -> [Identity: Instant] {
    try read { db in
      let rows = try db.rows(
        """
        SELECT identity, max(CASE end_cause WHEN 'operator' THEN ended ELSE coalesce(until, \(Int64.max)) END) FROM ban
        WHERE jail = ? AND (until IS NULL OR until > ?) GROUP BY identity
        """, jail, since.microseconds)
      var cutoffs: [Identity: Instant] = [:]
      while let row = try rows.next() { cutoffs[Identity(row[0] as String)] = Instant(microseconds: row[1]) }
      return cutoffs
    }
  }
}
