internal import Model
internal import SQLite

/// Makes the segments and their index again from the rows, and compares.
struct IndexCheck {
  typealias Problem = (kind: Verification.Problem.Kind, row: String)

  private let segments: [Segment]
  private var next = 0
  private var builder = SegmentBuilder()
  private var problem: Problem?
  private let db: Database

  init(_ db: Database) throws {
    self.db = db
    segments = try SegmentTable.all(db)
  }

  /// The row behind the last one.
  mutating func add(_ row: BatchRow, _ number: Int64, _ texts: RowDecoder, _ template: Template?) throws {
    while next < segments.count, segments[next].last < number { try close() }
    guard problem == nil, next < segments.count, segments[next].first <= number, let template else { return }
    builder.add(
      row: number, batch: texts.batch.sequence, time: row.time, address: row.address, name: texts.name.span,
      user: texts.user.span, template: template, count: row.count)
  }

  /// All rows of the next segment have been added.
  private mutating func close() throws {
    let stored = segments[next]
    next += 1
    let (made, blocks) = builder.finish()
    builder.removeAll()
    let counts: [UInt8] = try db.first("SELECT counts FROM segment WHERE first = ?", stored.first) ?? []
    var isSame =
      made.first == stored.first && made.last == stored.last && made.times == stored.times
      && made.batches == stored.batches && made.countBytes == counts
    let rows = try db.rows("SELECT first, block FROM posting WHERE segment = ? ORDER BY first", stored.first)
    for block in blocks where isSame {
      guard let row = try rows.next() else {
        isSame = false
        break
      }
      isSame = row[0] == block.first && row[1] == block.bytes
    }
    if isSame { isSame = try rows.next() == nil }
    guard !isSame, problem == nil else { return }
    problem = (.changed, "the index of failures \(stored.first) to \(stored.last)")
  }

  /// What is not as it should be; nil: all is.
  mutating func finish(_ db: Database) throws -> Problem? {
    while next < segments.count { try close() }
    if let problem { return problem }
    let stray: Int64? = try db.first(
      "SELECT min(segment) FROM posting WHERE segment NOT IN (SELECT first FROM segment)")
    return stray.map { (.inserted, "the index of failure \($0)") }
  }
}
