internal import Foundation
internal import GRDB
internal import Model

/// Failures that are committed but not yet rows.
enum PendingFailures {
  /// Lends those that `wanted` lets through, in the order of their commit.
  static func forEach(
    _ db: Database, where wanted: (FailureRecord, [UInt8]) -> Bool, _ body: (FailureRow) throws -> Void
  ) throws {
    let batches = try Row.fetchCursor(db, sql: "SELECT sequence, records FROM pending ORDER BY sequence")
    while let batch = try batches.next() {
      var number = try WriterState.firstFailure(of: batch[0], db)
      let bytes = Array(batch[1] as Data)
      let text = bytes.span
      var offset = 0
      while let record = FailureRecord(text, at: &offset) {
        if wanted(record, bytes) { try body(FailureRow(record, number: number, bytes: bytes)) }
        number += 1
      }
    }
  }
}
