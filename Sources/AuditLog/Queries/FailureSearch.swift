internal import Model
internal import SQLite

/// A question about failures, worked out: what it means in numbers, and which way through the index is short.
struct FailureSearch {
  let filter: AuditFilter
  private let before: AuditCursor?
  private let origins: Set<UInt32>?
  private let templates: Set<Int64>?
  private let subnet: Subnet?
  private let name: [UInt8]?
  private let user: [UInt8]?
  private let numbers: ClosedRange<Int64>?
  /// The transactions that these are in.
  private let batches: ClosedRange<Int64>
  let since: Int64
  let until: Int64
  private let postings: PostingCache

  /// Nil when nothing can match: no failure ever had that jail or pattern.
  init?(
    _ filter: AuditFilter, before: AuditCursor? = nil, numbers: ClosedRange<Int64>? = nil, _ lookups: inout Lookups,
    _ db: Database
  ) throws {
    self.filter = filter
    self.before = before
    postings = lookups.postings
    self.numbers = numbers
    guard let batches = try Self.batches(numbers, db) else { return nil }
    self.batches = batches
    origins = try lookups.origins(for: filter, db)
    templates = try origins.map { try lookups.templates(of: $0, db) }
    if let templates, templates.isEmpty { return nil }
    user = filter.user.map { Array($0.utf8) }
    switch filter.identity {
    case .network(let subnet): (self.subnet, name) = (subnet, nil)
    case .name(let text): (subnet, name) = (nil, Array(text.utf8))
    case nil: (subnet, name) = (nil, nil)
    }
    since = filter.since?.microseconds ?? .min
    let end = filter.until.map { $0.microseconds &- 1 } ?? .max
    until = min(end, before?.time.microseconds ?? .max)
  }

  /// Nil when the numbers are all behind the last row.
  private static func batches(_ numbers: ClosedRange<Int64>?, _ db: Database) throws -> ClosedRange<Int64>? {
    guard let numbers else { return 0 ... .max }
    guard let links = try ChainSearch(.failures, db),
      let first = try links.link(after: numbers.lowerBound - 1, from: links.first)
    else { return nil }
    let last = try links.link(after: numbers.upperBound - 1, from: first)
    return first...(last ?? .max)
  }

  private var isByID: Bool { subnet != nil || name != nil }

  private var keys: ClosedRange<PostingBound>? {
    if let subnet { return PostingBound.addresses(in: subnet) }
    return name.map { PostingBound.only(PostingKey.of(name: $0)) }
  }

  // MARK: A row

  /// Is the row what is asked for? The user is read where it is asked about.
  func wants(_ row: BatchRow, number: Int64, _ decoder: inout RowDecoder, _ db: Database) throws -> Bool {
    guard row.time >= since, row.time <= until else { return false }
    if let numbers, !numbers.contains(number) { return false }
    if let templates, !templates.contains(row.template) { return false }
    if let subnet {
      guard let address = row.address, subnet.contains(address) else { return false }
    }
    if let before {
      let mark = AuditCursor(time: Instant(microseconds: row.time), rank: 0, number: number)
      guard before.isNewer(than: mark) else { return false }
    }
    guard name != nil || user != nil else { return true }
    try decoder.readNames(row, number: number, db)
    if let name { guard row.address == nil, decoder.name == name else { return false } }
    if let user { guard decoder.user == user else { return false } }
    return true
  }

  // MARK: Regions

  /// Those that may hold answers, oldest rows first.
  func regions(_ db: Database) throws -> [Region] {
    try Region.all(db).compactMap { region in
      guard region.overlaps(since, until), region.batches.overlaps(batches) else { return nil }
      var region = region
      region.batches = region.batches.clamped(to: batches)
      return region
    }
  }

  /// The rows of a segment that the index has for the id that is asked for; nil: the index cannot tell.
  private func indexedRows(_ segment: Segment, _ db: Database) throws -> [Int64]? {
    guard let keys else { return nil }
    var rows: [Int64] = []
    try forEachGroup(segment, keys, db) { group in
      guard origins?.contains(group.origin) ?? true else { return }
      for row in group.rows { rows.append(segment.first + Int64(row)) }
    }
    return rows.sorted()
  }

  private func forEachGroup(
    _ segment: Segment, _ keys: ClosedRange<PostingBound>, _ db: Database, _ body: (Posting.Group) -> Void
  ) throws {
    if keys.lowerBound == keys.upperBound {
      for group in try postings.groups(segment, keys.lowerBound, db) { body(group) }
    } else {
      try PostingIndex.forEach(segment, keys, db) { posting, block in
        for group in posting.groups(block) { body(group) }
      }
    }
  }

  /// Can the segment have answers at all?
  private func mayHave(_ segment: Segment, _ db: Database) throws -> Bool {
    if let user {
      var isThere = false
      try PostingIndex.forEach(segment, PostingBound.only(PostingKey.of(user: user)), db) { _, _ in isThere = true }
      if !isThere { return false }
    }
    if let templates, !isByID {
      return try SegmentTable.counts(of: segment, db).contains { templates.contains($0.template) }
    }
    return true
  }

  /// A batch that may have answers, not opened yet.
  struct Candidate {
    var sequence: Int64
    var newest: Int64
    /// Nil: any of its rows.
    var rows: [Int64]?
  }

  /// The batches of a region that may have answers, in their order.
  func candidates(_ region: Region, _ db: Database) throws -> [Candidate] {
    var wanted: ArraySlice<Int64>?
    if let segment = region.segment {
      guard try mayHave(segment, db) else { return [] }
      wanted = try indexedRows(segment, db)?[...]
      if let wanted, wanted.isEmpty { return [] }
      if let wanted, wanted.count * 16 < region.batches.count { return try candidates(of: wanted, in: region, db) }
    }
    let rows = try db.rows(
      """
      SELECT id, first, failure, last_time FROM batch
      WHERE id BETWEEN ? AND ? AND last_time >= ? AND first_time <= ? ORDER BY id
      """, region.batches.lowerBound, region.batches.upperBound, since, until)
    var candidates: [Candidate] = []
    while let row = try rows.next() {
      var candidate = Candidate(sequence: row.integer(0), newest: row.integer(3))
      let (first, last) = (row.integer(1), row.integer(2))
      if let numbers, last < numbers.lowerBound || first > numbers.upperBound { continue }
      if wanted != nil {
        wanted = wanted?.drop { $0 < first }
        let found = wanted?.prefix { $0 <= last } ?? []
        guard !found.isEmpty else { continue }
        candidate.rows = Array(found)
      }
      candidates.append(candidate)
    }
    return candidates
  }

  /// The batches that a few rows are in, each looked for by itself: that reads less than all that are between them.
  private func candidates(of rows: ArraySlice<Int64>, in region: Region, _ db: Database) throws -> [Candidate] {
    guard let links = try ChainSearch(.failures, db) else { return [] }
    var candidates: [Candidate] = []
    var left = rows
    var start = region.batches.lowerBound
    while let next = left.first, let sequence = try links.link(after: next - 1, from: start),
      sequence <= region.batches.upperBound
    {
      start = sequence
      let last = try links.lastRow(of: sequence) ?? next
      let found = left.prefix { $0 <= last }
      left = left.dropFirst(max(found.count, 1))
      let stored = try db.rows("SELECT first, first_time, last_time FROM batch WHERE id = ?", sequence)
      guard let batch = try stored.next(), !batch.isNull(0), batch.integer(2) >= since, batch.integer(1) <= until else {
        continue
      }
      candidates.append(
        Candidate(sequence: sequence, newest: batch.integer(2), rows: found.filter { $0 >= batch.integer(0) }))
    }
    return candidates
  }

  /// Lends those rows of a batch that are asked for, in their order; the body may read more of each with the decoder.
  func forEachRow(
    of candidate: Candidate, _ db: Database, _ body: (BatchRow, _ index: Int, inout RowDecoder) throws -> Void
  ) throws {
    let rows = try db.rows("SELECT \(BatchTable.columns) FROM batch WHERE id = ?", candidate.sequence)
    guard let stored = try rows.next(), let batch = Batch(stored) else { return }
    var decoder = RowDecoder(batch)
    var reader = batch.reader
    var left = candidate.rows?[...]
    while let row = reader.next(batch.rows.span) {
      let number = decoder.number(reader.index)
      if let next = left?.first {
        guard number == next else { continue }
        left?.removeFirst()
      } else if left != nil {
        return
      }
      if try wants(row, number: number, &decoder, db) { try body(row, reader.index, &decoder) }
    }
  }

  /// Lends every row that is asked for, in the order of storing.
  func forEachRow(_ db: Database, _ body: (BatchRow, _ index: Int, inout RowDecoder) throws -> Void) throws {
    for region in try regions(db) {
      for candidate in try candidates(region, db) { try forEachRow(of: candidate, db, body) }
    }
  }

  // MARK: Sums

  /// Failures, first and last row by origin, of an id that nothing else is asked about.
  func countsByOrigin(
    _ lookups: inout Lookups, _ db: Database,
    _ body: (_ origin: UInt32, _ failures: Int, _ first: Int64, _ last: Int64) -> Void
  ) throws {
    for region in try regions(db) {
      if let segment = region.segment, let keys {
        try forEachGroup(segment, keys, db) { group in
          guard let first = group.rows.first, let last = group.rows.last else { return }
          body(group.origin, Int(clamping: group.failures), segment.first + Int64(first), segment.first + Int64(last))
        }
      } else {
        for candidate in try candidates(region, db) {
          try forEachRow(of: candidate, db) { row, index, decoder in
            let number = decoder.number(index)
            body(try lookups.template(row.template, db)?.key.origin ?? 0, Int(row.count), number, number)
          }
        }
      }
    }
  }

  /// When a row happened.
  static func time(of number: Int64, _ db: Database) throws -> Int64? {
    guard let links = try ChainSearch(.failures, db),
      let sequence = try links.link(after: number - 1, from: links.first)
    else { return nil }
    let rows = try db.rows("SELECT \(BatchTable.columns) FROM batch WHERE id = ?", sequence)
    guard let stored = try rows.next(), let batch = Batch(stored) else { return nil }
    var reader = batch.reader
    while let row = reader.next(batch.rows.span) {
      if batch.numbers.lowerBound + Int64(reader.index) == number { return row.time }
    }
    return nil
  }
}
