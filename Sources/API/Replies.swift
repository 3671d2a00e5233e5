public import Model

/// A ban in force, as the API writes it.
public struct BanReply: Hashable, Sendable, Codable {
  public var id: String
  public var jail: String
  public var since: Timestamp
  /// Nil: permanent.
  public var until: Timestamp?
  public var count: Int
  public var number: Int
  public var applied: Bool

  public init(_ ban: Ban) {
    id = ban.identity.description
    jail = ban.jail
    since = Timestamp(ban.since)
    until = ban.until.map(Timestamp.init)
    count = ban.count
    number = ban.number
    applied = ban.applied
  }

  public var ban: Ban {
    Ban(
      jail: jail, identity: Identity(id), since: since.instant, until: until?.instant, count: count, number: number,
      applied: applied)
  }
}

/// What `ban` and `confirm` brought about.
public struct BannedReply: Hashable, Sendable, Codable {
  public var ban: BanReply
  /// The ban lifts itself at this moment unless it is confirmed.
  public var confirmBy: Timestamp?
  /// What the operator should know: an ignored address that was forced, a dry run.
  public var notes: [String]

  public init(ban: Ban, confirmBy: Instant? = nil, notes: [String] = []) {
    self.ban = BanReply(ban)
    self.confirmBy = confirmBy.map(Timestamp.init)
    self.notes = notes
  }
}

/// What `unban` lifted. Nothing lifted is an error of kind `no`, not an empty reply.
public struct UnbannedReply: Hashable, Sendable, Codable {
  /// How many bans, counted once a jail.
  public var count: Int
  public var jails: [String]
  /// What was lifted, where it was named: for an address that was banned as a part of a block, the block.
  public var ids: [String]?

  public init(count: Int, jails: [String], ids: [String]? = nil) {
    self.count = count
    self.jails = jails
    self.ids = ids
  }
}

/// What `reload` changed, a line each: `jail sshd: maxretry 5 → 3`.
public struct ReloadReply: Hashable, Sendable, Codable {
  public var changes: [String]
  public var warnings: [String]

  public init(changes: [String], warnings: [String] = []) {
    self.changes = changes
    self.warnings = warnings
  }
}
