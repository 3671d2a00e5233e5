internal import Model
internal import SQLite

/// What is hashed of a transaction's failures, worked out from what is stored; and their sums, to tell which was changed.
struct BatchDigest {
  let digest: [UInt8]
  /// Four bytes a row.
  let sums: [UInt8]
  /// Failures and rows by template.
  let counts: [Int64: (failures: Int, rows: Int)]
  /// Of the rows that could be read.
  let times: ClosedRange<Int64>
  /// Rows that could be read, and whether these were all.
  let rows: Int
  let isWhole: Bool

  /// Lends every row that can be read.
  init(
    _ batch: Batch, _ lookups: inout Lookups, _ db: Database,
    _ body: (BatchRow, _ index: Int, Template?) throws -> Void = { _, _, _ in }
  ) throws {
    var reader = batch.reader
    var sums: [UInt8] = []
    var counts: [Int64: (failures: Int, rows: Int)] = [:]
    var templates = TemplateUse()
    var raw: [UInt8] = []
    var times = Int64.max...Int64.max
    while let row = reader.next(batch.rows.span) {
      sums.append(sum: RecordSum.of(batch.rows.span.extracting(row.text)))
      let old = counts[row.template] ?? (0, 0)
      counts[row.template] = (old.failures &+ Int(row.count), old.rows + 1)
      times =
        reader.index == 0 ? row.time...row.time : min(times.lowerBound, row.time)...max(times.upperBound, row.time)
      let template = try lookups.template(row.template, db)
      if let template { templates.note(template) }
      if row.isRaw { raw += try Self.raw(batch.numbers.lowerBound, reader.index, db) }
      try body(row, reader.index, template)
    }
    var hasher = SHA256()
    var header = ByteWriter()
    for number in [batch.base.time, batch.base.place, batch.unit, Int64(reader.index + 1), Int64(batch.users.count)] {
      header.integer(number)
    }
    hasher.update(header.bytes)
    hasher.update(batch.users)
    hasher.update(batch.rows)
    hasher.update(sums)
    for digest in templates.digests { hasher.update(digest) }
    hasher.update(raw)
    digest = hasher.finish()
    self.sums = sums
    self.counts = counts
    self.times = times
    rows = reader.index + 1
    isWhole = reader.isAtEnd(batch.rows.span)
  }

  private static func raw(_ first: Int64, _ index: Int, _ db: Database) throws -> [UInt8] {
    let rows = try db.rows("SELECT name, user, line, last FROM raw WHERE id = ?", first + Int64(index))
    guard let row = try rows.next() else { return [] }
    return BatchText.Raw(index: index, name: row[0], user: row[1], line: row[2], last: row[3]).bytes
  }
}
