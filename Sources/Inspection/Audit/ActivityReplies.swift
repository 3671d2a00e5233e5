public import AuditLog
public import Model

/// What somebody did who was let in, as the commands and the API tell it. What does not apply is left out.
public struct ActivityReply: Hashable, Sendable, Codable {
  public var number: Int64
  public var time: Instant
  public var event: ActivityEvent
  public var user: String?
  /// As whom, or to which account.
  public var target: String?
  public var address: String?
  /// The command, or what was changed.
  public var detail: String?
  public var jail: String
  public var filter: String
  public var pattern: String
  public var source: String
  public var offset: Int64?
  public var cursor: String?
  public var line: String

  public init(_ row: ActivityRow) {
    number = row.number
    time = row.time
    event = row.event
    user = row.user.isEmpty ? nil : row.user
    target = row.target.isEmpty ? nil : row.target
    address = row.address?.description
    detail = row.detail.isEmpty ? nil : row.detail
    jail = row.jail
    filter = row.filter
    pattern = row.pattern
    source = row.source
    offset = row.offset
    cursor = row.cursor
    line = row.line
  }
}

/// An alert, with its lines where they are asked for.
public struct AlertReply: Hashable, Sendable, Codable {
  public var number: Int64
  public var time: Instant
  /// The first line that counts for it.
  public var since: Instant
  public var kind: Alert.Kind
  public var user: String?
  public var address: String?
  public var jail: String
  public var count: Int
  public var text: String
  /// By which lines, oldest first.
  public var failures: [AuditRow]?
  public var activities: [ActivityReply]?

  public init(_ row: AlertRow) {
    number = row.number
    time = row.alert.time
    since = row.alert.since
    kind = row.alert.kind
    user = row.alert.user.isEmpty ? nil : row.alert.user
    address = row.alert.address?.description
    jail = row.alert.jail
    count = row.alert.count
    text = row.alert.text
  }
}

extension AuditInspection {
  /// - Parameter hasLines: with their lines.
  public func alerts(_ filter: AlertFilter, limit: Int, hasLines: Bool) throws -> [AlertReply] {
    try reader.alerts(filter, limit: limit).map { row in
      var reply = AlertReply(row)
      if hasLines {
        let evidence = try reader.evidence(of: row.alert)
        reply.failures = evidence.failures
        reply.activities = evidence.activities.map { ActivityReply($0) }
      }
      return reply
    }
  }
}
