internal import SQLite

/// Finds transactions by the rows that they added. They are numbered without gaps, and so are rows, so a search by halves reads a
/// few of them however many there are.
struct ChainSearch {
  let first: Int64
  let last: Int64
  private let statement: Statement

  /// Nil for an empty chain.
  init?(_ kind: RecordKind, _ db: Database) throws {
    let firstLink: Int64? = try db.first("SELECT min(id) FROM link")
    let lastLink: Int64? = try db.first("SELECT max(id) FROM link")
    let firstBatch: Int64? = try db.first("SELECT min(id) FROM batch")
    let lastBatch: Int64? = try db.first("SELECT max(id) FROM batch")
    guard let first = firstLink ?? firstBatch, let last = lastBatch ?? lastLink else { return nil }
    self.first = first
    self.last = last
    statement = try db.cached(
      "SELECT \(kind.table) FROM batch WHERE id = ?1 UNION ALL SELECT \(kind.table) FROM link WHERE id = ?1")
  }

  /// The first transaction, from `start` on, after which there are rows with numbers above `row`; nil when there is none.
  func link(after row: Int64, from start: Int64) throws -> Int64? {
    // What is looked for is mostly near, so the steps grow.
    var low = max(start, first)
    var high = low
    var step: Int64 = 1
    while high <= last, try rows(after: high) <= row {
      low = high + 1
      high += step
      step *= 2
    }
    high = min(high, last + 1)
    while low < high {
      let middle = low + (high - low) / 2
      if try rows(after: middle) > row { high = middle } else { low = middle + 1 }
    }
    return low <= last ? low : nil
  }

  /// The last row of the kind that a transaction added, or one before it; nil for one that somebody removed.
  func lastRow(of sequence: Int64) throws -> Int64? { try statement.first(sequence) }

  /// A transaction that is missing ends the search: nothing is removed that it could be found by.
  private func rows(after sequence: Int64) throws -> Int64 { try lastRow(of: sequence) ?? .max }
}
