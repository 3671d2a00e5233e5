public import Model

/// The recorded past under two settings of a jail: those in force and others.
public struct WhatIfReply: Hashable, Sendable, Codable {
  /// One of the two, and what it comes to.
  public struct Side: Hashable, Sendable, Codable {
    public var maxretry: Int
    /// Seconds.
    public var findtime: Int64
    /// Seconds; nil: permanent.
    public var bantime: Int64?
    public var bans: Int
    /// Different ids that are banned.
    public var banned: Int
    /// How many of them had logged in, or are spared by a list or by a person.
    public var honest: Int
  }

  /// Somebody whom one of the settings bans and the other does not.
  public struct Candidate: Hashable, Sendable, Codable {
    public var id: String
    /// When the first ban falls.
    public var time: Instant
    /// How many bans.
    public var bans: Int
    /// Why it may be somebody who should not be banned: successful logins, lists that spare it. Empty: nothing speaks for it.
    public var honest: [String]
  }

  public var jail: String
  public var since: Instant
  public var until: Instant
  /// Only this address or block; nil: everybody.
  public var id: String?
  /// Recorded failures that were counted.
  public var failures: Int
  /// Up to when the past was counted, where there was too much of it; nil: all of it.
  public var readThrough: Instant?
  public var now: Side
  public var then: Side
  /// Banned by the other settings alone, honest candidates first, then by time; the first of them.
  public var more: [Candidate]
  public var moreCount: Int
  /// Banned by those in force alone.
  public var fewer: [Candidate]
  public var fewerCount: Int
  /// Banned by both.
  public var both: Int
}

/// Other limits of a jail; nil: as they are.
public struct WhatIfLimits: Hashable, Sendable {
  public var maxretry: Int?
  public var findtime: TimeSpan?
  /// Negative: permanent.
  public var bantime: TimeSpan?

  public init(maxretry: Int? = nil, findtime: TimeSpan? = nil, bantime: TimeSpan? = nil) {
    (self.maxretry, self.findtime, self.bantime) = (maxretry, findtime, bantime)
  }

  public var isEmpty: Bool { maxretry == nil && findtime == nil && bantime == nil }
}
