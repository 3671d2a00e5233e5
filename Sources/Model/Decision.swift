/// A change of who is banned.
public struct Decision: Hashable, Sendable {
  public enum Action: String, Sendable { case ban, extend, unban }

  /// Who or what decided.
  public enum Cause: Hashable, Sendable {
    /// The jail's limit was reached.
    case limit
    /// So many ids of the block were banned that all of it is (`escalate`).
    case escalated
    /// A person asked, through the control socket.
    case `operator`(uid: UInt32, command: String)
    /// The ban's time was over; the kernel let go by itself.
    case expired
    /// Servers counted together, or an operator of theirs asked: what, in words.
    case fleet(String)
    /// The firewall was found to differ from what is stored, and was put right.
    case reconciled
  }

  public var action: Action
  public var jail: String
  public var identity: Identity
  /// The time of the failure that tipped the scale, or of the operator's act.
  public var time: Instant
  /// When the ban ends; nil: never.
  public var until: Instant?
  /// The failures in the window when the limit was reached; of an escalated ban the ids of the block that were banned.
  public var count: Int
  /// Which ban of this id it is, from 1; `bantime_increment` grows with it.
  public var number: Int
  public var cause: Cause
  /// What of the id was counted by itself, where its jail counts so: `user alice`, `app shop.example`.
  public var part = ""

  public init(
    action: Action, jail: String, identity: Identity, time: Instant, until: Instant?, count: Int = 0, number: Int = 1,
    cause: Cause = .limit
  ) {
    self.action = action
    self.jail = jail
    self.identity = identity
    self.time = time
    self.until = until
    self.count = count
    self.number = number
    self.cause = cause
  }
}

/// A decision in force.
public struct Ban: Hashable, Sendable {
  public var jail: String
  public var identity: Identity
  public var since: Instant
  /// Nil: permanent.
  public var until: Instant?
  public var count: Int
  public var number: Int
  /// Does the firewall hold it? False in a dry run, for names, and for bans that were over when they were found.
  public var applied: Bool

  public init(
    jail: String, identity: Identity, since: Instant, until: Instant?, count: Int, number: Int, applied: Bool
  ) {
    self.jail = jail
    self.identity = identity
    self.since = since
    self.until = until
    self.count = count
    self.number = number
    self.applied = applied
  }
}
