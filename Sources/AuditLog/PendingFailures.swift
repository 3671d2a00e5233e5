internal import Foundation
internal import GRDB
internal import Model

/// Failures that are committed but not yet rows.
enum PendingFailures {
  /// Lends all of them without their lines, with the bytes that their texts are ranges of.
  static func forEachHead(_ db: Database, _ body: (FailureRecord, [UInt8]) throws -> Void) throws {
    let batches = try Row.fetchCursor(db, sql: "SELECT heads FROM pending ORDER BY sequence")
    while let batch = try batches.next() {
      let heads = Array(batch[0] as Data)
      var reader = HeadReader()
      while let record = reader.next(heads.span) { try body(record, heads) }
    }
  }

  /// Lends those that `wanted` lets through, in the order of their commit. Lines are opened only where one is wanted.
  static func forEach(
    _ db: Database, of transaction: Int64? = nil, where wanted: (FailureRecord, [UInt8]) -> Bool = { _, _ in true },
    _ body: (FailureRow) throws -> Void
  ) throws {
    let batches = try Row.fetchCursor(
      db, sql: "SELECT sequence, heads FROM pending WHERE sequence = coalesce(?, sequence) ORDER BY sequence",
      arguments: [transaction])
    while let batch = try batches.next() {
      let heads = Array(batch[1] as Data)
      var reader = HeadReader()
      var records: [FailureRecord] = []
      var found: [Int] = []
      while let record = reader.next(heads.span) {
        if wanted(record, heads) { found.append(records.count) }
        records.append(record)
      }
      guard let last = found.last else { continue }
      let first = try WriterState.firstFailure(of: batch[0], db)
      let data = try Data.fetchOne(
        db, sql: "SELECT lines FROM pending WHERE sequence = ?", arguments: [batch[0] as Int64])
      let lines = Array(data ?? Data())
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
