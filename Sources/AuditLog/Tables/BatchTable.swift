internal import Model
internal import SQLite

/// Transactions as they are stored.
enum BatchTable {
  /// Stores a link whose end is `end`, with its failures and the positions that moved with it.
  static func insert(
    _ link: ChainLink, _ end: ChainHead, _ text: borrowing BatchText, positions: [UInt8], _ db: Database
  ) throws {
    let statement = try db.cached(
      """
      INSERT INTO batch (id, time, failure, decision, event, first, base_time, base_place, unit, first_time, last_time,
        users, rows, row_sums, positions, sums, hash) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
      """)
    let numbers = [end.sequence, link.time.microseconds, end.failure, end.decision, end.event]
    for (i, number) in numbers.enumerated() { statement.bind(number, Int32(i + 1)) }
    if text.count > 0 {
      let first = end.failure - Int64(text.count) + 1
      let numbers = [
        first, text.base.time, text.base.place, text.unit, text.times.lowerBound, text.times.upperBound,
      ]
      for (i, number) in numbers.enumerated() { statement.bind(number, Int32(i + 6)) }
      if text.users.isEmpty { statement.bindNull(12) } else { statement.bind(text: text.users.span, 12) }
      statement.bind(text: text.rows.span, 13)
      statement.bind(blob: text.sums.span, 14)
      for raw in text.raw { try insert(raw, first, db) }
    } else {
      for index in 6...14 { statement.bindNull(Int32(index)) }
    }
    if positions.isEmpty { statement.bindNull(15) } else { statement.bind(text: positions.span, 15) }
    let sums = link.sums
    if sums.isEmpty { statement.bindNull(16) } else { statement.bind(blob: sums.span, 16) }
    statement.bind(blob: end.hash.span, 17)
    try statement.run()
    if (end.sequence - 1) % ChainLink.stride != 0 {
      try db.run("UPDATE batch SET hash = NULL WHERE id = ?", end.sequence - 1)
    }
  }

  private static func insert(_ raw: BatchText.Raw, _ first: Int64, _ db: Database) throws {
    let statement = try db.cached("INSERT INTO raw (id, name, user, line, last) VALUES (?,?,?,?,?)")
    statement.bind(first + Int64(raw.index), 1)
    for (i, text) in [raw.name, raw.user, raw.line, raw.last].enumerated() {
      if text.isEmpty { statement.bindNull(Int32(i + 2)) } else { statement.bind(text.span, Int32(i + 2)) }
    }
    try statement.run()
  }

  static let columns = "id, first, failure, base_time, base_place, unit, first_time, last_time, users, rows"
}

/// A transaction's failures, as they were read from the database.
struct Batch {
  let sequence: Int64
  /// The numbers of its rows.
  let numbers: ClosedRange<Int64>
  let base: (time: Int64, place: Int64)
  let unit: Int64
  let times: ClosedRange<Int64>
  let users: [UInt8]
  let rows: [UInt8]

  /// A row with `BatchTable.columns` from `column` on; nil without failures.
  init?(_ row: Row, from column: Int = 0) {
    guard !row.isNull(column + 9) else { return nil }
    sequence = row.integer(column)
    let (first, last) = (row.integer(column + 1), row.integer(column + 2))
    guard first <= last else { return nil }
    numbers = first...last
    base = (row.integer(column + 3), row.integer(column + 4))
    unit = row.integer(column + 5)
    let (oldest, newest) = (row.integer(column + 6), row.integer(column + 7))
    times = oldest...max(oldest, newest)
    users = row[column + 8]
    rows = row[column + 9]
  }

  var reader: BatchReader { BatchReader(base: base, unit: unit) }

  /// Where its users are in `users`, the first one at 0.
  func userRanges() -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var i = 1
    while i < users.count, users[i] == UInt8(ascii: "\"") {
      let start = i + 1
      i = start
      while i < users.count, users[i] != UInt8(ascii: "\"") { i += users[i] == UInt8(ascii: "\\") ? 2 : 1 }
      guard i < users.count else { break }
      ranges.append(start..<i)
      i += 2
    }
    return ranges
  }
}
