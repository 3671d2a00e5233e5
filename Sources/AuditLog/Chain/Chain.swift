internal import Model
internal import SQLite

/// Where the chain ends: the last transaction, its hash, and the last row of each kind.
struct ChainHead: Equatable {
  var sequence: Int64 = 0
  var hash = [UInt8](repeating: 0, count: 32)
  var origin: Int64 = 0
  var failure: Int64 = 0
  var decision: Int64 = 0
  var event: Int64 = 0

  init() {}

  init(_ db: Database) throws {
    guard
      let row = try db.rows(
        "SELECT sequence, hash, origin, failure, decision, event FROM chain ORDER BY sequence DESC LIMIT 1"
      ).next()
    else { return }
    sequence = row[0]
    hash = row[1]
    origin = row[2]
    failure = row[3]
    decision = row[4]
    event = row[5]
  }
}

/// One transaction's link: SHA-256 over the hash before, the numbers of the rows that were added, a sum of every row and a
/// digest of each kind of rows. The digests replace rows that retention removed later; the sums tell which row was
/// changed. Rows are numbered without gaps, so one that is missing or too many shows as surely as one that was changed.
///
/// ```
/// hash = SHA-256(hash before · sequence · time · last origin, failure, decision, event · sums
///                · digest of failures · of decisions · of events · of origins)      numbers: 8 bytes, little-endian
/// ```
struct ChainLink {
  /// Hashes of transactions between multiples of this are dropped: they can be worked out, and in a quiet store, with a
  /// failure a transaction, they would be the larger part of it.
  static let stride: Int64 = 64

  /// Rows of one kind in a transaction: their bytes, or the digest of bytes that are gone.
  struct Part {
    var writer = ByteWriter()
    var sums: [UInt8] = []
    var digest: [UInt8]?

    /// Sums the row whose bytes have been written since `start`.
    mutating func close(from start: Int) {
      sums.append(sum: RecordSum.of(writer.bytes.span.extracting(start..<writer.bytes.count)))
    }

    var hash: [UInt8] {
      if let digest { return digest }
      return writer.bytes.isEmpty ? [] : SHA256.hash(writer.bytes)
    }
  }

  private(set) var tip: ChainHead
  let time: Instant
  private let before: [UInt8]
  var failures = Part()
  var decisions = Part()
  var events = Part()
  var origins = Part()

  init(after tip: ChainHead, time: Instant) {
    before = tip.hash
    self.tip = tip
    self.tip.sequence += 1
    self.time = time
  }

  /// A link as it is stored, to be worked out again.
  init(after tip: ChainHead, stored: ChainHead, time: Instant) {
    before = tip.hash
    self.tip = stored
    self.time = time
  }

  mutating func append(_ origin: Origin, number: UInt32) {
    tip.origin = Int64(number)
    write(origin, number: Int64(number))
  }

  mutating func write(_ origin: Origin, number: Int64) {
    let start = origins.writer.bytes.count
    origins.writer.integer(number)
    for text in [origin.jail, origin.filter, origin.pattern, origin.file, origin.source, origin.journal] {
      origins.writer.text(text)
    }
    origins.close(from: start)
  }

  /// What the encoder made of a batch. Borrowing its memory saves a copy.
  mutating func append(_ records: borrowing BatchEncoder) {
    tip.failure += Int64(records.count)
    failures.sums = records.sums
    failures.digest = records.count == 0 ? [] : records.digest
  }

  /// Gives the decision its number.
  mutating func append(_ decision: DecisionRecord) -> Int64 {
    tip.decision += 1
    write(decision)
    return tip.decision
  }

  mutating func write(_ decision: DecisionRecord) {
    let start = decisions.writer.bytes.count
    decision.write(to: &decisions.writer)
    decisions.close(from: start)
  }

  mutating func append(_ event: AuditEvent) -> Int64 {
    tip.event += 1
    write(EventRecord(event))
    return tip.event
  }

  mutating func write(_ event: EventRecord) {
    let start = events.writer.bytes.count
    event.write(to: &events.writer)
    events.close(from: start)
  }

  /// One sum a row, in this order.
  var sums: [UInt8] { failures.sums + decisions.sums + events.sums + origins.sums }

  /// The hash over everything, with `sums` as they are stored.
  func hash(sums: [UInt8]) -> [UInt8] {
    var header = ByteWriter()
    for number in [tip.sequence, time.microseconds, tip.origin, tip.failure, tip.decision, tip.event] {
      header.integer(number)
    }
    var hasher = SHA256()
    hasher.update(before)
    hasher.update(header.bytes)
    hasher.update(sums)
    for part in [failures, decisions, events, origins] { hasher.update(part.hash) }
    return hasher.finish()
  }

  /// The chain's end with this link.
  var end: ChainHead {
    var end = tip
    end.hash = hash(sums: sums)
    return end
  }

  /// Stores the link, whose end is `end`.
  func insert(_ end: ChainHead, _ db: Database) throws {
    let statement = try db.cached(
      """
      INSERT INTO chain (sequence, time, origin, failure, decision, event, sums, hash) VALUES (?,?,?,?,?,?,?,?)
      """)
    let numbers = [tip.sequence, time.microseconds, tip.origin, tip.failure, tip.decision, tip.event]
    for (i, number) in numbers.enumerated() { statement.bind(number, Int32(i + 1)) }
    statement.bind(blob: sums.span, 7)
    statement.bind(blob: end.hash.span, 8)
    try statement.run()
    if (tip.sequence - 1) % Self.stride != 0 {
      let forget = try db.cached("UPDATE chain SET hash = NULL WHERE sequence = ?")
      forget.bind(tip.sequence - 1, 1)
      try forget.run()
    }
  }
}

extension [UInt8] {
  mutating func append(sum: UInt32) {
    append(UInt8(truncatingIfNeeded: sum))
    append(UInt8(truncatingIfNeeded: sum >> 8))
    append(UInt8(truncatingIfNeeded: sum >> 16))
    append(UInt8(truncatingIfNeeded: sum >> 24))
  }
}

/// A decision as it is in its row: what the chain covers.
struct DecisionRecord {
  var time: Int64
  var action: String
  var jail: String
  var identity: String
  var until: Int64?
  var count: Int64
  var number: Int64
  var cause: String
  var uid: Int64?
  var command: String?

  func write(to writer: inout ByteWriter) {
    writer.integer(time)
    writer.text(action)
    writer.text(jail)
    writer.text(identity)
    writer.optional(until)
    writer.integer(count)
    writer.integer(number)
    writer.text(cause)
    writer.optional(uid)
    writer.text(command ?? "")
  }
}

extension DecisionRecord {
  static let select =
    "SELECT id, time, action, jail, identity, until, count, number, cause, uid, command, address, prefix FROM decision"

  init(_ row: Row) {
    self.init(
      time: row[1], action: row[2], jail: row[3], identity: row[4], until: row[5], count: row[6], number: row[7],
      cause: row[8], uid: row[9], command: row[10])
  }

  init(_ decision: Decision) {
    self.init(
      time: decision.time.microseconds, action: decision.action.rawValue, jail: decision.jail,
      identity: decision.identity.description, until: decision.until?.microseconds, count: Int64(decision.count),
      number: Int64(decision.number), cause: decision.cause.name, uid: decision.cause.uid.map(Int64.init),
      command: decision.cause.command)
  }
}

/// An event as it is in its row.
struct EventRecord {
  var time: Int64
  var action: String
  var subject: String
  var detail: String
  var uid: Int64?
  var command: String

  func write(to writer: inout ByteWriter) {
    writer.integer(time)
    writer.text(action)
    writer.text(subject)
    writer.text(detail)
    writer.optional(uid)
    writer.text(command)
  }
}

extension EventRecord {
  static let select = "SELECT id, time, action, subject, detail, uid, command FROM event"

  init(_ row: Row) {
    self.init(time: row[1], action: row[2], subject: row[3], detail: row[4], uid: row[5], command: row[6])
  }

  init(_ event: AuditEvent) {
    self.init(
      time: event.time.microseconds, action: event.action.rawValue, subject: event.subject, detail: event.detail,
      uid: event.uid.map(Int64.init), command: event.command)
  }
}

extension Decision.Cause {
  var name: String {
    switch self {
    case .limit: "limit"
    case .operator: "operator"
    case .expired: "expired"
    case .reconciled: "reconciled"
    }
  }

  var uid: UInt32? { if case .operator(let uid, _) = self { uid } else { nil } }

  var command: String? { if case .operator(_, let command) = self { command } else { nil } }
}
