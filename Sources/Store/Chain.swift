internal import Crypto
internal import Foundation
internal import GRDB
internal import Model

/// Where the chain ends: the last transaction, its hash, and the last row of each kind.
struct ChainTip: Equatable {
  var sequence: Int64 = 0
  var hash = [UInt8](repeating: 0, count: 32)
  var origin: Int64 = 0
  var failure: Int64 = 0
  var decision: Int64 = 0
  var event: Int64 = 0

  init() {}

  init(_ db: Database) throws {
    guard
      let row = try Row.fetchOne(
        db, sql: "SELECT sequence, hash, origin, failure, decision, event FROM chain ORDER BY sequence DESC LIMIT 1")
    else { return }
    sequence = row[0]
    hash = Array(row[1] as Data)
    origin = row[2]
    failure = row[3]
    decision = row[4]
    event = row[5]
  }
}

/// One transaction's link: SHA-256 over the hash before, what was added, and how much of each kind. Rows are numbered
/// without gaps, so a row that is missing or too many shows as surely as one that was changed.
struct ChainLink {
  private var tip: ChainTip
  private let before: ChainTip
  private var time: Instant
  private var hasher = SHA256()
  private var scratch = ByteWriter()
  private var sums: [UInt8] = []

  init(after tip: ChainTip, time: Instant) {
    before = tip
    self.tip = tip
    self.tip.sequence += 1
    self.time = time
    hasher.update(data: tip.hash)
    scratch.integer(self.tip.sequence)
    scratch.integer(time.microseconds)
  }

  mutating func append(_ origin: Origin, number: UInt32) {
    tip.origin += 1
    scratch.integer(number)
    for text in [origin.jail, origin.filter, origin.pattern, origin.file, origin.source, origin.journal] {
      scratch.text(text)
    }
  }

  mutating func append(records encoder: FailureEncoder) {
    append(records: encoder.records, bytes: encoder.writer.bytes, sums: encoder.sums)
  }

  mutating func append(records: Int, bytes: [UInt8], sums: [UInt8]) {
    flush()
    tip.failure += Int64(records)
    hasher.update(data: bytes)
    hasher.update(data: sums)
    self.sums = sums
  }

  /// Gives the decision its number.
  mutating func append(_ decision: Decision) -> Int64 {
    tip.decision += 1
    decision.write(to: &scratch)
    return tip.decision
  }

  mutating func append(_ event: AuditEvent) -> Int64 {
    tip.event += 1
    event.write(to: &scratch)
    return tip.event
  }

  mutating func finished() -> ChainTip {
    for count in [tip.origin, tip.failure, tip.decision, tip.event] { scratch.integer(count) }
    flush()
    tip.hash = Array(hasher.finalize())
    return tip
  }

  func insert(_ db: Database) throws {
    try db.cachedStatement(
      sql: "INSERT INTO chain (sequence, time, origin, failure, decision, event, sums, hash) VALUES (?,?,?,?,?,?,?,?)"
    ).execute(arguments: [
      tip.sequence, time.microseconds, tip.origin, tip.failure, tip.decision, tip.event, Data(sums), Data(tip.hash),
    ])
  }

  private mutating func flush() {
    hasher.update(data: scratch.bytes)
    scratch.bytes.removeAll(keepingCapacity: true)
  }
}

extension Decision {
  /// The bytes that the chain covers.
  func write(to writer: inout ByteWriter) {
    writer.integer(time.microseconds)
    writer.text(action.rawValue)
    writer.text(jail)
    writer.text(identity.description)
    writer.optional(until?.microseconds)
    writer.integer(Int64(count))
    writer.integer(Int64(number))
    writer.text(cause.name)
    writer.optional(cause.uid)
    writer.text(cause.command ?? "")
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

  init?(name: String, uid: UInt32?, command: String?) {
    switch name {
    case "limit": self = .limit
    case "operator": self = .operator(uid: uid ?? 0, command: command ?? "")
    case "expired": self = .expired
    case "reconciled": self = .reconciled
    default: return nil
    }
  }
}

extension AuditEvent {
  func write(to writer: inout ByteWriter) {
    writer.integer(time.microseconds)
    writer.text(action.rawValue)
    writer.text(subject)
    writer.text(detail)
    writer.optional(uid)
    writer.text(command)
  }
}
