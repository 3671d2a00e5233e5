internal import Model
internal import SQLite

extension AuditReader {
  /// The end of the audit as it is now.
  public func end() throws -> AuditPosition { try read { db, _ in try AuditPosition(endOf: db) } }

  /// Before everything.
  public func beginning() throws -> AuditPosition {
    try read { db, _ in .beginning(of: try StoreIdentity.load(db)) }
  }

  /// Rows that were stored after `position`, in the order in which they were stored: of each transaction its failures, then its
  /// decisions, then events; about `limit` at most. Cheap enough to be asked several times a second.
  ///
  /// Throws `StoreError` with kind `usage` for a position of another store.
  public func rows(after position: AuditPosition, _ filter: AuditFilter, limit: Int = 4096) throws -> AuditDelivery {
    try read { db, lookups in
      guard position.store == (try StoreIdentity.load(db)) else {
        throw StoreError(
          kind: .usage, path: path,
          message: "\(path): the position \(position) is of another store, which this one has replaced")
      }
      var delivery = Delivery(after: position, filter)
      try delivery.plan(limit: limit, db)
      return try delivery.run(&lookups, db)
    }
  }
}

extension AuditPosition {
  init(endOf db: Database) throws {
    let head = try ChainHead(db)
    self.init(
      store: try StoreIdentity.load(db), failure: head.failure, decision: head.decision, event: head.event)
  }
}

/// Reads what transactions added, one after the other.
private struct Delivery {
  /// Rows of one kind that follow one another, and the position behind the last of them.
  private struct Span {
    var kind: RecordKind
    var first: Int64
    var end: AuditPosition
  }

  private let filter: AuditFilter
  private var spans: [Span] = []
  private var end: AuditPosition
  private var hasMore = false

  init(after position: AuditPosition, _ filter: AuditFilter) {
    self.filter = filter
    end = position
  }

  /// Finds out which rows come next.
  mutating func plan(limit: Int, _ db: Database) throws {
    guard let start = try firstLink(db) else { return }
    let links = try db.rows(
      """
      SELECT failure, decision, event, id FROM link WHERE id >= ?1
      UNION ALL SELECT failure, decision, event, id FROM batch WHERE id >= ?1 ORDER BY id
      """, start)
    var left = Int64(limit)
    while let row = try links.next() {
      for (column, kind) in RecordKind.allCases.enumerated() where row.integer(column) > end[kind] {
        let (first, last) = (end[kind] + 1, row.integer(column))
        guard filter.wants(kind) else {
          end[kind] = last
          continue
        }
        let count = min(last - first + 1, left)
        left -= count
        hasMore = count < last - first + 1
        if count > 0 {
          end[kind] = first + count - 1
          spans.append(Span(kind: kind, first: first, end: end))
        }
        if hasMore { return }
      }
    }
  }

  /// The first transaction that added a row behind the position.
  private func firstLink(_ db: Database) throws -> Int64? {
    var first: Int64?
    for kind in RecordKind.allCases {
      guard let links = try ChainSearch(kind, db) else { return nil }
      guard let link = try links.link(after: end[kind], from: links.first) else { continue }
      first = min(first ?? link, link)
    }
    return first
  }

  func run(_ lookups: inout Lookups, _ db: Database) throws -> AuditDelivery {
    var result = AuditDelivery(rows: [], end: end, hasMore: hasMore)
    var rows: [RecordKind: ArraySlice<AuditRow>] = [:]
    for kind in RecordKind.allCases {
      let numbers = spans.filter { $0.kind == kind }
      guard let first = numbers.first?.first, let last = numbers.last?.end[kind] else { continue }
      rows[kind] = try read(kind, first...last, &lookups, db)[...]
    }
    for span in spans {
      while var row = rows[span.kind]?.first, row.number <= span.end[span.kind] {
        rows[span.kind]?.removeFirst()
        var position = span.end
        position[span.kind] = row.number
        row.position = position
        result.rows.append(row)
      }
    }
    return result
  }

  private func read(
    _ kind: RecordKind, _ numbers: ClosedRange<Int64>, _ lookups: inout Lookups, _ db: Database
  ) throws -> [AuditRow] {
    switch kind {
    case .failures:
      guard let search = try FailureSearch(filter, numbers: numbers, &lookups, db) else { return [] }
      let needle = filter.text.map(TextNeedle.init)
      var found: [AuditRow] = []
      try search.forEachRow(db) { row, index, decoder in
        let failure = try decoder.decode(row, index: index, &lookups, db)
        if let needle, !needle.isIn(failure.line), !needle.isIn(failure.user) { return }
        found.append(try failure.auditRow(&lookups, db))
      }
      return found
    case .decisions:
      var stream = try DecisionStream(filter, numbers: numbers, db)
      return try stream.all(&lookups, db)
    case .events:
      var stream = try EventStream(filter, numbers: numbers, db)
      return try stream.all(&lookups, db)
    }
  }
}
