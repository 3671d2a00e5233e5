internal import Model
internal import SQLite

/// Where the chain ends: the last transaction, its hash, and the last row of each kind.
struct ChainHead: Equatable {
  var sequence: Int64 = 0
  var hash = [UInt8](repeating: 0, count: SHA256.size)
  var failure: Int64 = 0
  var decision: Int64 = 0
  var event: Int64 = 0

  init() {}

  init(_ db: Database) throws {
    for table in ["batch", "link"] {
      let rows = try db.rows("SELECT id, hash, failure, decision, event FROM \(table) ORDER BY id DESC LIMIT 1")
      if let row = try rows.next() {
        self.init(row)
        return
      }
    }
    self.init()
  }

  /// Of a row that begins with these columns.
  init(_ row: Row) {
    sequence = row[0]
    hash = row[1]
    failure = row[2]
    decision = row[3]
    event = row[4]
  }

  subscript(kind: RecordKind) -> Int64 {
    switch kind {
    case .failures: failure
    case .decisions: decision
    case .events: event
    }
  }
}

/// One transaction's link: SHA-256 over the hash before, the numbers of the rows that were added, a sum of every row and a
/// digest of each kind of rows. The digests replace rows that retention removed later; the sums tell which row was
/// changed. Rows are numbered without gaps, so one that is missing or too many shows as surely as one that was changed.
///
/// ```
/// hash = SHA-256(hash before · sequence · time · last failure, decision, event · sums of decisions and events
///                · digest of failures · of decisions · of events)                   numbers: 8 bytes, little-endian
/// ```
/// The digest of failures is over their sums, too, and over what they refer to (templates, origins): see `BatchText.digest`.
struct ChainLink {
  /// Hashes of transactions between multiples of this are dropped: they can be worked out, and in a quiet store, with a
  /// failure a transaction, they would be the larger part of it.
  static let stride: Int64 = 64

  /// Rows of one kind in a transaction: their bytes, or the digest of bytes that are gone.
  struct Part {
    var writer = ByteWriter()
    var sums: [UInt8] = []
    var digest: [UInt8]?

    init() {}

    init(digest: [UInt8], sums: [UInt8]) {
      self.digest = digest
      self.sums = sums
    }

    /// Sums the row whose bytes have been written since `start`.
    mutating func close(from start: Int) {
      sums.append(sum: RecordSum.of(writer.bytes.span.extracting(start..<writer.bytes.count)))
    }

    var hash: [UInt8] {
      if let digest { return digest }
      return writer.bytes.isEmpty ? [] : SHA256.hash(writer.bytes)
    }
  }

  private(set) var head: ChainHead
  let time: Instant
  private let before: [UInt8]
  var failures = Part()
  var decisions = Part()
  var events = Part()

  init(after head: ChainHead, time: Instant) {
    before = head.hash
    self.head = head
    self.head.sequence += 1
    self.time = time
  }

  /// A link as it is stored, to be worked out again.
  init(after head: ChainHead, stored: ChainHead, time: Instant) {
    before = head.hash
    self.head = stored
    self.time = time
  }

  mutating func append(_ text: borrowing BatchText) {
    guard text.count > 0 else { return }
    head.failure += Int64(text.count)
    failures = Part(digest: text.digest, sums: text.sums)
  }

  /// Gives the decision its number.
  mutating func append(_ decision: DecisionRecord) -> Int64 {
    head.decision += 1
    write(decision)
    return head.decision
  }

  mutating func write(_ decision: DecisionRecord) {
    let start = decisions.writer.bytes.count
    decision.write(to: &decisions.writer)
    decisions.close(from: start)
  }

  mutating func append(_ event: AuditEvent) -> Int64 {
    head.event += 1
    write(EventRecord(event))
    return head.event
  }

  mutating func write(_ event: EventRecord) {
    let start = events.writer.bytes.count
    event.write(to: &events.writer)
    events.close(from: start)
  }

  /// One sum a row, decisions first.
  var sums: [UInt8] { decisions.sums + events.sums }

  /// The hash over everything, with `sums` as they are stored.
  func hash(sums: [UInt8]) -> [UInt8] {
    var header = ByteWriter()
    for number in [head.sequence, time.microseconds, head.failure, head.decision, head.event] { header.integer(number) }
    var hasher = SHA256()
    hasher.update(before)
    hasher.update(header.bytes)
    hasher.update(sums)
    for part in [failures, decisions, events] { hasher.update(part.hash) }
    return hasher.finish()
  }

  /// The chain's end with this link.
  var end: ChainHead {
    var end = head
    end.hash = hash(sums: sums)
    return end
  }
}
