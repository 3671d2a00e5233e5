internal import Model
internal import SQLite

/// Segments and the index on ids and users.
enum SegmentTable {
  static func insert(_ segment: Segment, _ blocks: [PostingBlock], _ db: Database) throws {
    let statement = try db.cached(
      """
      INSERT INTO segment (first, last, first_time, last_time, first_batch, last_batch, counts) VALUES (?,?,?,?,?,?,?)
      """)
    let numbers = [
      segment.first, segment.last, segment.times.lowerBound, segment.times.upperBound, segment.batches.lowerBound,
      segment.batches.upperBound,
    ]
    for (i, number) in numbers.enumerated() { statement.bind(number, Int32(i + 1)) }
    statement.bind(blob: segment.countBytes.span, 7)
    try statement.run()
    let posting = try db.cached("INSERT INTO posting (segment, first, block) VALUES (?,?,?)")
    posting.bind(segment.first, 1)
    for block in blocks {
      posting.bind(blob: block.first.span, 2)
      posting.bind(blob: block.bytes.span, 3)
      try posting.run()
    }
  }

  private static let select =
    "SELECT first, last, first_time, last_time, first_batch, last_batch, counts FROM segment"

  /// All of them, the oldest rows first; without `counts`, which are read when they are wanted.
  static func all(_ db: Database) throws -> [Segment] {
    try db.rows("SELECT first, last, first_time, last_time, first_batch, last_batch FROM segment ORDER BY first")
      .map(segment)
  }

  static func last(_ db: Database) throws -> Segment? {
    try db.rows(select + " ORDER BY first DESC LIMIT 1").map(segment).first
  }

  private static func segment(_ row: Row) -> Segment {
    let (first, last) = (row.integer(2), row.integer(3))
    let (firstBatch, lastBatch) = (row.integer(4), row.integer(5))
    return Segment(
      first: row.integer(0), last: row.integer(1), times: first...max(first, last),
      batches: firstBatch...max(firstBatch, lastBatch), counts: [])
  }

  static func counts(of segment: Segment, _ db: Database) throws -> [Segment.HourCount] {
    let bytes: [UInt8] = try db.first("SELECT counts FROM segment WHERE first = ?", segment.first) ?? []
    return Segment.counts(bytes.span)
  }

  static func remove(_ segment: Segment, _ db: Database) throws {
    try db.run("DELETE FROM posting WHERE segment = ?", segment.first)
    try db.run("DELETE FROM segment WHERE first = ?", segment.first)
  }
}

extension Segment {
  /// A number for each: hour, template, failures and rows, the first two as the distance from the one before.
  var countBytes: [UInt8] {
    var bytes: [UInt8] = []
    var last = HourCount(hour: 0, template: 0, failures: 0, rows: 0)
    for count in counts {
      for distance in [count.hour &- last.hour, count.template &- last.template] {
        bytes.append(varint: UInt64(bitPattern: distance << 1 ^ distance >> 63))
      }
      bytes.append(varint: count.failures)
      bytes.append(varint: count.rows)
      last = count
    }
    return bytes
  }

  static func counts(_ bytes: borrowing Span<UInt8>) -> [HourCount] {
    var reader = ByteReader(offset: 0)
    var counts: [HourCount] = []
    var last = HourCount(hour: 0, template: 0, failures: 0, rows: 0)
    func signed(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
    while let hour = reader.varint(bytes), let template = reader.varint(bytes), let failures = reader.varint(bytes),
      let rows = reader.varint(bytes)
    {
      last.hour &+= signed(hour)
      last.template &+= signed(template)
      (last.failures, last.rows) = (failures, rows)
      counts.append(last)
    }
    return counts
  }
}
