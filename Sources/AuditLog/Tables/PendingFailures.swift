internal import Model
internal import SQLite

/// Failures that are committed but not yet rows.
enum PendingFailures {
  /// Lends all of them without their lines, with the bytes that their texts are ranges of.
  static func forEachHead(_ db: Database, _ body: (FailureRecord, [UInt8]) throws -> Void) throws {
    let batches = try db.rows("SELECT heads FROM pending ORDER BY sequence")
    while let batch = try batches.next() {
      let heads = batch[0] as [UInt8]
      var reader = HeadReader()
      while let record = reader.next(heads.span) { try body(record, heads) }
    }
  }

  /// Lends those that `wanted` lets through, in the order of their commit. Lines are opened only where one is wanted.
  static func forEach(
    _ db: Database, of transaction: Int64? = nil, where wanted: (FailureRecord, [UInt8]) -> Bool = { _, _ in true },
    _ body: (FailureRow) throws -> Void
  ) throws {
    let batches = try db.rows(
      "SELECT sequence, heads FROM pending WHERE sequence = coalesce(?, sequence) ORDER BY sequence", transaction)
    while let batch = try batches.next() {
      let heads = batch[1] as [UInt8]
      var reader = HeadReader()
      var records: [FailureRecord] = []
      var found: [Int] = []
      while let record = reader.next(heads.span) {
        if wanted(record, heads) { found.append(records.count) }
        records.append(record)
      }
      guard let last = found.last else { continue }
      let first = try WriterState.firstFailure(of: batch[0], db)
      let data = try db.first("SELECT lines FROM pending WHERE sequence = ?", batch[0] as Int64) as [UInt8]?
      let lines = data ?? []
      var lineReader = LineReader()
      var next = found[...]
      for (index, record) in records[...last].enumerated() {
        guard let ranges = lineReader.next(record, heads.span, lines.span) else { break }
        guard index == next.first else { continue }
        next.removeFirst()
        try body(FailureRow(record, number: first + Int64(index), heads, lineReader.delta, ranges))
      }
    }
  }
}
