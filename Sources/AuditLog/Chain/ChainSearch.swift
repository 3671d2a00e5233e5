internal import SQLite

/// Finds links by the rows that they added. Links are numbered without gaps, and so are rows, so a search by halves reads a
/// few links however many there are.
struct ChainSearch {
  let first: Int64
  let last: Int64
  private let statement: Statement

  /// Nil for an empty chain.
  init?(_ kind: RecordKind, _ db: Database) throws {
    guard let first: Int64 = try db.first("SELECT min(sequence) FROM chain"),
      let last: Int64 = try db.first("SELECT max(sequence) FROM chain")
    else { return nil }
    self.first = first
    self.last = last
    statement = try db.cached("SELECT \(kind.table) FROM chain WHERE sequence = ?")
  }

  /// The first link, from `start` on, after which there are rows with numbers above `row`; nil when there is none.
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

  /// The last row of the kind that a link added, or one before it; nil for a link that somebody removed.
  func lastRow(of sequence: Int64) throws -> Int64? { try statement.first(sequence) }

  /// A link that is missing ends the search: nothing is removed that it could be found by.
  private func rows(after sequence: Int64) throws -> Int64 { try lastRow(of: sequence) ?? .max }
}
