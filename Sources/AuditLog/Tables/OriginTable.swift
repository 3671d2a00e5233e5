internal import Model
internal import SQLite

/// Where failures come from: jail, pattern, source and journal.
struct Origin: Hashable, Sendable {
  let jail: String
  let filter: String
  let pattern: String
  let file: String
  let source: String
  /// A journal cursor's constant part; empty for files.
  let journal: String
  /// The first 8 bytes of SHA-256 over all of it.
  let key: UInt64

  init(jail: String, filter: String, pattern: String, file: String, source: String, journal: String) {
    self.jail = jail
    self.filter = filter
    self.pattern = pattern
    self.file = file
    self.source = source
    self.journal = journal
    var writer = ByteWriter()
    for text in [jail, filter, pattern, file, source, journal] { writer.text(text) }
    key = SHA256.hash(writer.bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  static let select = "SELECT id, jail, filter, pattern, file, source, journal FROM origin"

  init(_ row: Row) {
    self.init(jail: row[1], filter: row[2], pattern: row[3], file: row[4], source: row[5], journal: row[6])
  }

  static let unknown = Origin(jail: "?", filter: "?", pattern: "?", file: "?", source: "?", journal: "")
}

/// Finds the number of a failure's jail, pattern and source, and gives out new ones.
struct OriginTable {
  /// The engine's numbers in one word; journals are numbered here.
  private struct Key: Hashable {
    var jail: UInt16
    var pattern: UInt32
    var source: UInt32
    var journal: UInt32
  }

  private var names = Names(jails: [], patterns: [], sources: [])
  private var byKey: [Key: UInt32] = [:]
  private var lastKey: Key?
  private var lastNumber: UInt32 = 0
  private var journals: [String: UInt32] = [:]
  private var lastJournal: [UInt8] = []
  private var lastJournalNumber: UInt32 = 0
  private var numbers: [Origin: UInt32] = [:]
  private(set) var origins: [UInt32: Origin] = [:]
  private var next: UInt32 = 1
  /// Numbers that no transaction has stored yet.
  private(set) var added: [UInt32] = []

  mutating func load(_ db: Database) throws {
    self = OriginTable()
    let rows = try db.rows(Origin.select)
    while let row = try rows.next() {
      let number: UInt32 = row[0]
      let origin = Origin(row)
      numbers[origin] = number
      origins[number] = origin
      next = max(next, number + 1)
    }
  }

  /// Stores what was added.
  mutating func store(_ db: Database) throws {
    for number in added {
      guard let origin = origins[number] else { continue }
      try db.run(
        "INSERT INTO origin (id, jail, filter, pattern, file, source, journal) VALUES (?,?,?,?,?,?,?)", number,
        origin.jail, origin.filter, origin.pattern, origin.file, origin.source, origin.journal)
    }
    added.removeAll(keepingCapacity: true)
  }

  subscript(number: UInt32) -> Origin { origins[number] ?? .unknown }

  /// The engine's numbers mean something else after a reload. Comparing is quick: the arrays are the same objects.
  mutating func use(_ names: Names) {
    guard
      names.jails != self.names.jails || names.patterns != self.names.patterns || names.sources != self.names.sources
    else { return }
    self.names = names
    byKey.removeAll(keepingCapacity: true)
    lastKey = nil
  }

  mutating func number(of failure: Failure, in batch: FailureBatch) -> UInt32 {
    let key = Key(
      jail: failure.jail, pattern: failure.pattern, source: failure.source,
      journal: failure.cursor.isEmpty ? 0 : journal(of: failure, in: batch))
    if key == lastKey { return lastNumber }
    lastNumber = byKey[key] ?? intern(key)
    lastKey = key
    return lastNumber
  }

  private mutating func intern(_ key: Key) -> UInt32 {
    func name(_ list: [String], _ index: Int) -> String { index < list.count ? list[index] : "" }
    let pattern = Int(key.pattern) < names.patterns.count ? names.patterns[Int(key.pattern)] : nil
    let journal = key.journal == 0 ? "" : journals.first { $0.value == key.journal }?.key ?? ""
    let origin = Origin(
      jail: name(names.jails, Int(key.jail)), filter: pattern?.filter ?? "", pattern: pattern?.name ?? "",
      file: pattern?.file ?? "", source: name(names.sources, Int(key.source)), journal: journal)
    if let number = numbers[origin] {
      byKey[key] = number
      return number
    }
    let number = next
    next += 1
    numbers[origin] = number
    origins[number] = origin
    byKey[key] = number
    added.append(number)
    return number
  }

  private mutating func journal(of failure: Failure, in batch: FailureBatch) -> UInt32 {
    // Entries of one journal follow one another: compare the constant part with the last one seen.
    let start = Int(failure.cursor.start)
    if lastJournal.count == 34, failure.cursor.count > 37, batch.bytes[start..<start + 34].elementsEqual(lastJournal) {
      return lastJournalNumber
    }
    guard let cursor = batch.withBytes(failure.cursor, { JournalCursor(parsing: $0) }) else { return 0 }
    if let known = journals[cursor.journal] {
      lastJournalNumber = known
    } else {
      lastJournalNumber = UInt32(journals.count) + 1
      journals[cursor.journal] = lastJournalNumber
    }
    lastJournal = cursor.sequence < 0 ? [] : Array(cursor.journal.utf8)
    return lastJournalNumber
  }
}
