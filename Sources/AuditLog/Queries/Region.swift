internal import Model
internal import SQLite

/// Rows of failures that follow one another: a segment, or what is in none (behind the last one, and where retention has begun one).
struct Region {
  /// The transactions that the rows are in.
  var batches: ClosedRange<Int64>
  /// No row is older, none younger.
  var times: ClosedRange<Int64>
  /// Nil: rows are looked through one by one.
  var segment: Segment?

  /// All that is stored, oldest first.
  static func all(_ db: Database) throws -> [Region] {
    guard let first: Int64 = try db.first("SELECT min(id) FROM batch"),
      let last: Int64 = try db.first("SELECT max(id) FROM batch")
    else { return [] }
    var regions: [Region] = []
    var next = first
    for segment in try SegmentTable.all(db) where segment.batches.upperBound >= next {
      if segment.batches.lowerBound > next {
        regions.append(between(next, segment.batches.lowerBound - 1))
      }
      regions.append(Region(batches: segment.batches, times: segment.times, segment: segment))
      next = segment.batches.upperBound + 1
    }
    if next <= last { regions.append(between(next, last)) }
    return regions
  }

  private static func between(_ first: Int64, _ last: Int64) -> Region {
    Region(batches: first...last, times: .min ... .max, segment: nil)
  }

  func overlaps(_ since: Int64, _ until: Int64) -> Bool { times.upperBound >= since && times.lowerBound <= until }

  /// Lends the batches that may have rows from `since` to `until`, in their order.
  func forEachBatch(
    _ db: Database, since: Int64 = .min, until: Int64 = .max, _ body: (Batch) throws -> Void
  ) throws {
    let rows = try db.rows(
      """
      SELECT \(BatchTable.columns) FROM batch
      WHERE id BETWEEN ? AND ? AND last_time >= ? AND first_time <= ? ORDER BY id
      """, batches.lowerBound, batches.upperBound, since, until)
    while let row = try rows.next() { if let batch = Batch(row) { try body(batch) } }
  }
}

/// The index on ids and users.
enum PostingIndex {
  /// Lends the postings of a segment with these keys.
  static func forEach(
    _ segment: Segment, _ keys: ClosedRange<PostingBound>, _ db: Database,
    _ body: (borrowing PostingReader, borrowing Span<UInt8>) throws -> Void
  ) throws {
    let lower = keys.lowerBound.bytes
    let start: [UInt8] =
      try db.first("SELECT max(first) FROM posting WHERE segment = ? AND first <= ?", segment.first, lower) ?? lower
    let rows = try db.rows(
      "SELECT block FROM posting WHERE segment = ? AND first BETWEEN ? AND ? ORDER BY first", segment.first, start,
      keys.upperBound.bytes)
    while let row = try rows.next() {
      try row.withBytes(0) { block in
        var reader = PostingReader()
        while reader.next(block) {
          if reader.key.lexicographicallyPrecedes(lower) { continue }
          if keys.upperBound.bytes.lexicographicallyPrecedes(reader.key) { break }
          try body(reader, block)
        }
      }
    }
  }
}

/// What the index has of keys that were asked for before: one answer asks several times. Segments never change.
final class PostingCache {
  private struct Key: Hashable {
    var segment: Int64
    var bytes: [UInt8]
  }

  private static let most = 4096
  private var known: [Key: [Posting.Group]] = [:]

  func groups(_ segment: Segment, _ key: PostingBound, _ db: Database) throws -> [Posting.Group] {
    let place = Key(segment: segment.first, bytes: key.bytes)
    if let groups = known[place] { return groups }
    var groups: [Posting.Group] = []
    try PostingIndex.forEach(segment, key...key, db) { posting, block in groups += posting.groups(block) }
    if known.count >= Self.most { known.removeAll() }
    known[place] = groups
    return groups
  }
}

/// A key, as the end of a range of keys.
struct PostingBound: Comparable {
  let bytes: [UInt8]

  static func < (a: PostingBound, b: PostingBound) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }

  /// The keys of a block's addresses.
  static func addresses(in subnet: Subnet) -> ClosedRange<PostingBound> {
    PostingBound(bytes: PostingKey.of(subnet.base))...PostingBound(bytes: PostingKey.of(subnet.last))
  }

  static func only(_ key: [UInt8]) -> ClosedRange<PostingBound> { PostingBound(bytes: key)...PostingBound(bytes: key) }

  static let ids = PostingBound(bytes: [PostingKey.name])...PostingBound(bytes: [PostingKey.user - 1, 0xFF])
  static let users = PostingBound(bytes: [PostingKey.user])...PostingBound(bytes: [PostingKey.user + 1])
}
