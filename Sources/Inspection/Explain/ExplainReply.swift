public import AuditLog
public import Model

/// Why an id is banned or not, and everything that is known of it.
public struct ExplainReply: Hashable, Sendable, Codable {
  public var id: String
  public var banned: Bool
  /// How many bans there were; `bans` holds the newest, newest first.
  public var banCount: Int
  public var bans: [BanStory]
  /// All failures that are stored, by jail.
  public var jails: [JailCount]
  /// How much of each jail's limit it has used up.
  public var windows: [WindowReply]
  /// Its newest failures, newest first.
  public var recent: [AuditRow]
  /// Why it is not banned, or its ban does not hold.
  public var reasons: [ReasonReply]
  /// Where it is from, by the databases of the settings: the country's code, the autonomous system's number and name.
  public var country: String?
  public var network: UInt32?
  public var networkName: String?

  public struct BanStory: Hashable, Sendable, Codable {
    public var jail: String
    public var id: String
    public var since: Instant
    public var until: Instant?
    public var count: Int
    /// Which ban of this id it was, from 1.
    public var number: Int
    /// `limit`, `escalated` (so many ids of the block were banned), `operator`, `fleet`, `reconciled`; who, and by which command; of
    /// `limit`, what of the id was counted by itself (`user alice`, `app shop.example`).
    public var cause: String
    public var uid: UInt32?
    public var command: String
    /// When the firewall had it; nil: never (a dry run, or it was over when it was found).
    public var applied: Instant?
    /// Did a dry run decide it? Then it was never carried out.
    public var dryRun: Bool
    /// When and why it ended: `expired`, `operator`, `fleet`, `reconciled`, `replaced`.
    public var ended: Instant?
    public var endCause: String
    public var endUid: UInt32?
    public var endCommand: String
    /// The failures that made the count, oldest first.
    public var failures: [AuditRow]
    /// The bans for which all of the block was banned, oldest first; empty unless `cause` is `escalated`.
    public var members: [Member]
    public var extensions: [AuditRow]

    public struct Member: Hashable, Sendable, Codable {
      public var id: String
      public var since: Instant
      public var count: Int
    }

    public init(_ story: Explanation.BanStory) {
      jail = story.jail
      id = story.identity.description
      since = story.since
      until = story.until
      count = story.count
      number = story.number
      cause = story.cause
      uid = story.uid
      command = story.command
      applied = story.applied
      dryRun = story.isDryRun
      ended = story.ended
      endCause = story.endCause
      endUid = story.endUID
      endCommand = story.endCommand
      failures = story.failures
      members = story.members.map { Member(id: $0.identity.description, since: $0.since, count: $0.count) }
      extensions = story.extensions
    }

    public func isInForce(at time: Instant) -> Bool { ended == nil && (until.map { $0 > time } ?? true) }
  }

  public struct JailCount: Hashable, Sendable, Codable {
    public var jail: String
    public var failures: Int
    public var first: Instant
    public var last: Instant
  }

  public init(_ known: Explanation, windows: [WindowReply], reasons: [ReasonReply], at now: Instant) {
    id = known.identity.description
    banned = !known.inForce(at: now).isEmpty
    banCount = known.banCount
    bans = known.bans.map { BanStory($0) }
    jails = known.jails.map { JailCount(jail: $0.jail, failures: $0.failures, first: $0.first, last: $0.last) }
    self.windows = windows
    recent = known.recent
    self.reasons = reasons
  }

  mutating func add(_ facts: GeoFacts) {
    (country, network, networkName) = (facts.country, facts.network, facts.networkName)
  }

  public var origin: GeoFacts { GeoFacts(country: country, network: network, networkName: networkName) }
}
