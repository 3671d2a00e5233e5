internal import Model
internal import SQLite

/// How much of the audit has been seen.
public struct AuditPosition: Hashable, Sendable {
  /// Before everything.
  public static let beginning = AuditPosition(failure: 0, decision: 0, event: 0)

  var failure: Int64
  var decision: Int64
  var event: Int64
}

extension AuditReader {
  /// The end of the audit as it is now.
  public func mark() throws -> AuditPosition {
    try read { db, _ in
      let tip = try ChainHead(db)
      return AuditPosition(failure: tip.failure, decision: tip.decision, event: tip.event)
    }
  }

  /// Rows that were committed after `mark`, oldest first, which moves behind them; at most `limit` of each kind at once.
  /// For `audit --follow`: cheap enough to be asked several times a second.
  public func rows(after mark: inout AuditPosition, _ filter: AuditFilter, limit: Int = 4096) throws -> [AuditRow] {
    let from = mark
    let (rows, to) = try read { db, lookups in try Self.rows(after: from, filter, limit, &lookups, db) }
    mark = to
    return rows
  }

  private static func rows(
    after mark: AuditPosition, _ filter: AuditFilter, _ limit: Int, _ lookups: inout Lookups, _ db: Database
  ) throws -> ([AuditRow], AuditPosition) {
    let tip = try ChainHead(db)
    var end = mark
    var rows: [AuditRow] = []
    let last = min(tip.failure, mark.failure + Int64(limit))
    if filter.wants(.failure), tip.failure > mark.failure,
      let search = try FailureSearch(filter, before: nil, &lookups, db)
    {
      var conditions = search.numberConditions
      conditions.add("f.id > ? AND f.id <= ?", mark.failure, last)
      let indexed = try db.rows(
        "SELECT \(FailureRow.columns) FROM failure f NOT INDEXED \(FailureRow.join) WHERE \(conditions.text) ORDER BY f.id",
        conditions.arguments)
      while let row = try indexed.next() { rows.append(try FailureRow(row, &lookups, db).auditRow(&lookups, db)) }
      var pending: [FailureRow] = []
      try PendingFailures.forEach(db, where: search.wants) {
        if $0.number > mark.failure, $0.number <= last { pending.append($0) }
      }
      for row in pending { rows.append(try row.auditRow(&lookups, db)) }
    }
    end.failure = last
    if !filter.isAboutFailures {
      if filter.wants(.ban) || filter.wants(.unban) || filter.wants(.operator) {
        var stream = try DecisionStream(filter, before: nil, after: mark.decision, db)
        while let row = try stream.next(&lookups, db) { rows.append(row) }
      }
      if filter.wants(.operator), filter.identity == nil {
        var stream = try EventStream(filter, before: nil, after: mark.event, db)
        while let row = try stream.next(&lookups, db) { rows.append(row) }
      }
    }
    end.decision = tip.decision
    end.event = tip.event
    if let text = filter.text { rows.removeAll { !$0.contains(text) } }
    return (rows.sorted { $1.mark.isNewer(than: $0.mark) }, end)
  }
}

extension AuditPosition {
  /// Has everything that `other` has seen been seen?
  public func hasReached(_ other: AuditPosition) -> Bool {
    failure >= other.failure && decision >= other.decision && event >= other.event
  }
}
