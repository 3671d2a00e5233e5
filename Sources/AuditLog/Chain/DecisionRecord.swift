internal import Model
internal import SQLite

/// A decision as it is in its row: what the chain covers.
struct DecisionRecord: Equatable {
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
  /// When the firewall had it; nil where it has not.
  var applied: Int64?
  /// Made where nothing is applied.
  var isDryRun: Bool

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
    writer.optional(applied)
    writer.integer(UInt8(isDryRun ? 1 : 0))
  }

  static let select = """
    SELECT id, time, action, jail, identity, until, count, number, cause, uid, command, applied, dry_run, address, prefix
    FROM decision
    """
  /// Of `select`; the prefix is behind it.
  static let addressColumn = 13

  init(_ row: Row) {
    time = row[1]
    action = row[2]
    jail = row[3]
    identity = row[4]
    until = row[5]
    count = row[6]
    number = row[7]
    cause = row[8]
    uid = row[9]
    command = row[10]
    applied = row[11]
    isDryRun = row.integer(12) != 0
  }

  init(_ decision: Decision, applied: Instant?, isDryRun: Bool) {
    self.applied = applied?.microseconds
    self.isDryRun = isDryRun
    time = decision.time.microseconds
    action = decision.action.rawValue
    jail = decision.jail
    identity = decision.identity.description
    until = decision.until?.microseconds
    count = Int64(decision.count)
    number = Int64(decision.number)
    cause = decision.cause.name
    uid = decision.cause.uid.map(Int64.init)
    command = decision.cause.command ?? (decision.part.isEmpty ? nil : decision.part)
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

  static let select = "SELECT id, time, action, subject, detail, uid, command FROM event"

  init(_ row: Row) {
    time = row[1]
    action = row[2]
    subject = row[3]
    detail = row[4]
    uid = row[5]
    command = row[6]
  }

  init(_ event: AuditEvent) {
    time = event.time.microseconds
    action = event.action.rawValue
    subject = event.subject
    detail = event.detail
    uid = event.uid.map(Int64.init)
    command = event.command
  }
}

extension Decision.Cause {
  var name: String {
    switch self {
    case .limit: "limit"
    case .escalated: "escalated"
    case .operator: "operator"
    case .expired: "expired"
    case .reconciled: "reconciled"
    case .fleet: "fleet"
    }
  }

  var uid: UInt32? { if case .operator(let uid, _) = self { uid } else { nil } }

  var command: String? {
    switch self {
    case .operator(_, let text), .fleet(let text): text
    case .limit, .escalated, .expired, .reconciled: nil
    }
  }
}
