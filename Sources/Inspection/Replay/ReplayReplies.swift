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
  }

  public var summary: Summary

  public init(_ summary: Replay.Summary) {
    self.summary = Summary(
      lines: summary.lines, bytes: summary.bytes, matched: summary.matched, ignored: summary.ignored,
      tooLong: summary.tooLong, failures: summary.failures, hostNames: summary.hostNames,
      bans: summary.bans)
  }
}
