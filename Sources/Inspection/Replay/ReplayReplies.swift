public import Model
public import Pipeline

/// A decision of a replay.
public struct DecisionReply: Hashable, Sendable, Codable {
  public var time: Instant
  public var action: String
  public var jail: String
  public var id: String
  public var count: Int
  public var until: Instant?

  public init(_ decision: Decision) {
    time = decision.time
    action = decision.action.rawValue
    jail = decision.jail
    id = decision.identity.description
    count = decision.count
    until = decision.until
  }
}

/// An alert of a replay.
public struct ReplayAlertReply: Hashable, Sendable, Codable {
  public var time: Instant
  public var action = "alert"
  public var kind: Alert.Kind
  public var jail: String
  public var user: String
  /// Null where it is about an account alone.
  public var address: String?
  public var count: Int
  public var text: String

  public init(_ alert: Alert) {
    time = alert.time
    kind = alert.kind
    jail = alert.jail
    user = alert.user
    address = alert.address?.description
    count = alert.count
    text = alert.text
  }
}

/// What a replay came to, its last line: `{"summary":{…}}`.
public struct ReplayReply: Hashable, Sendable, Codable {
  public struct Summary: Hashable, Sendable, Codable {
    public var lines: Int
    public var bytes: Int
    public var matched: Int
    public var ignored: Int
    public var tooLong: Int
    public var failures: Int
    /// Of host names, which a replay does not look up.
    public var hostNames: Int
    public var bans: Int
    public var activities: Int
    public var alerts: Int
  }

  public var summary: Summary

  public init(_ summary: Replay.Summary) {
    self.summary = Summary(
      lines: summary.lines, bytes: summary.bytes, matched: summary.matched, ignored: summary.ignored,
      tooLong: summary.tooLong, failures: summary.failures, hostNames: summary.hostNames,
      bans: summary.bans, activities: summary.activities, alerts: summary.alerts)
  }
}
