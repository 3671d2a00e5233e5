internal import Model
internal import SQLite

/// The failures that are asked for, newest first. Regions and batches overlap in time, so rows are given out only when nothing that
/// is still closed can hold a newer one.
struct FailureStream: RowStream {
  private let search: FailureSearch
  private let needle: TextNeedle?
  /// Closed, the one with the newest row last.
  private var regions: [Region]?
  private var batches: [FailureSearch.Candidate] = []
  /// Oldest first.
  private var rows: [FailureRow] = []
  /// How many rows without the text may still be read.
  private var left: Int

  /// A text is looked for in row after row, in `mostRead` of them.
  init(_ search: FailureSearch, mostRead: Int = .max) {
    self.search = search
    needle = search.filter.text.map(TextNeedle.init)
    left = mostRead
  }

  mutating func next(_ lookups: inout Lookups, _ db: Database) throws -> StreamStep {
    if regions == nil {
      regions = try search.regions(db).sorted { $0.times.upperBound < $1.times.upperBound }
    }
    while true {
      let closed = max(regions?.last?.times.upperBound ?? .min, batches.last?.newest ?? .min)
      let isAllOpen = regions?.isEmpty ?? true && batches.isEmpty
      if let row = rows.last, isAllOpen || row.time > closed {
        rows.removeLast()
        return .row(try row.auditRow(&lookups, db))
      }
      if isAllOpen { return .end }
      if left <= 0 {
        return .readThrough(
          AuditCursor(time: Instant(microseconds: closed), rank: AuditCursor.ranks.upperBound, number: .max))
      }
      if let region = regions?.last, region.times.upperBound >= batches.last?.newest ?? .min {
        regions?.removeLast()
        batches += try search.candidates(region, db)
        batches.sort { ($0.newest, $0.sequence) < ($1.newest, $1.sequence) }
      } else {
        try open(batches.removeLast(), &lookups, db)
      }
    }
  }

  private mutating func open(_ candidate: FailureSearch.Candidate, _ lookups: inout Lookups, _ db: Database) throws {
    var found: [FailureRow] = []
    var skipped = 0
    try search.forEachRow(of: candidate, db) { row, index, decoder in
      if let needle {
        let template = try lookups.template(row.template, db)
        try decoder.readLine(row, number: decoder.number(index), template, db)
        guard needle.isIn(decoder.line) || needle.isIn(decoder.user) || needle.isIn(decoder.lastLine) else {
          skipped += 1
          return
        }
      }
      found.append(try decoder.decode(row, index: index, &lookups, db))
    }
    left -= skipped
    guard !found.isEmpty else { return }
    rows += found
    rows.sort { ($0.time, $0.number) < ($1.time, $1.number) }
  }
}

/// A text that is looked for whatever its case.
struct TextNeedle {
  private let bytes: [UInt8]
  private let text: String
  private let isASCII: Bool

  init(_ text: String) {
    self.text = text.lowercased()
    bytes = Array(self.text.utf8)
    isASCII = bytes.allSatisfy { $0 < 0x80 }
  }

  func isIn(_ text: String) -> Bool { isIn(Array(text.utf8)) }

  /// Letters beyond ASCII are compared only where the text that is looked for has some.
  func isIn(_ line: [UInt8]) -> Bool {
    guard let first = bytes.first else { return true }
    guard isASCII else { return String(decoding: line, as: UTF8.self).lowercased().contains(text) }
    guard line.count >= bytes.count else { return false }
    let span = line.span
    for start in 0...line.count - bytes.count where Self.lower(span[start]) == first {
      var i = 1
      while i < bytes.count, Self.lower(span[start + i]) == bytes[i] { i += 1 }
      if i == bytes.count { return true }
    }
    return false
  }

  private static func lower(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }
}
