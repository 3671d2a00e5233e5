public import Model

/// A ban in force.
public struct BanReply: Hashable, Sendable, Codable {
  public var id: String
  public var jail: String
  public var since: Instant
  /// Nil: permanent.
  public var until: Instant?
  /// How many failures made it.
  public var count: Int
  /// Which ban of this id it is, from 1.
  public var number: Int
  /// Does the firewall hold it?
  public var applied: Bool
  /// Where it is from, by the databases of the settings: the country's code, the autonomous system's number and name.
  public var country: String?
  public var network: UInt32?
  public var networkName: String?

  public init(_ ban: Ban) {
    id = ban.identity.description
    jail = ban.jail
    since = ban.since
    until = ban.until
    count = ban.count
    number = ban.number
    applied = ban.applied
  }

  public mutating func add(_ facts: GeoFacts) {
    (country, network, networkName) = (facts.country, facts.network, facts.networkName)
  }

  public var origin: GeoFacts { GeoFacts(country: country, network: network, networkName: networkName) }

  public var ban: Ban {
    Ban(
      jail: jail, identity: Identity(id), since: since, until: until, count: count, number: number, applied: applied)
  }
}

/// What `ban` and `confirm` brought about: the ban's own members, and these.
public struct BannedReply: Hashable, Sendable, Codable {
  public var ban: BanReply
  /// The ban lifts itself at this moment unless it is confirmed.
  public var confirmBy: Instant?
  /// What the operator should know: an ignored address that was forced, a dry run.
  public var notes: [String]

  public init(ban: Ban, confirmBy: Instant? = nil, notes: [String] = []) {
    self.ban = BanReply(ban)
    self.confirmBy = confirmBy
    self.notes = notes
  }

  private enum CodingKeys: CodingKey { case confirmBy, notes }

  public init(from decoder: any Decoder) throws {
    ban = try BanReply(from: decoder)
    let members = try decoder.container(keyedBy: CodingKeys.self)
    confirmBy = try members.decodeIfPresent(Instant.self, forKey: .confirmBy)
    notes = try members.decode([String].self, forKey: .notes)
  }

  public func encode(to encoder: any Encoder) throws {
    try ban.encode(to: encoder)
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encodeIfPresent(confirmBy, forKey: .confirmBy)
    try members.encode(notes, forKey: .notes)
  }
}

/// What `unban` lifted. Nothing lifted is an error of kind `no`, not an empty reply.
public struct UnbannedReply: Hashable, Sendable, Codable {
  /// What was asked for; nil: every ban, or several ids.
  public var id: String?
  /// How many bans, counted once a jail.
  public var count: Int
  public var jails: [String]
  /// What was lifted: for an address that was banned as a part of a block, the block; for a block what was within it.
  public var ids: [String]
  /// Of several, those that were not banned.
  public var notBanned: [String]
  /// Wider bans that go on covering what was asked for.
  public var covering: [Covering]?

  public struct Covering: Hashable, Sendable, Codable {
    public var id: String
    public var jail: String

    public init(id: String, jail: String) {
      self.id = id
      self.jail = jail
    }
  }

  public init(
    id: String?, count: Int, jails: [String], ids: [String] = [], notBanned: [String] = [], covering: [Covering]? = nil
  ) {
    self.covering = covering
    self.id = id
    self.count = count
    self.jails = jails
    self.ids = ids
    self.notBanned = notBanned
  }
}

/// What became of a failure that was reported.
public struct FailureReply: Hashable, Sendable, Codable {
  public var jail: String
  public var id: String
  /// Is the address banned in the jail now?
  public var banned: Bool

  public init(jail: String, id: String, banned: Bool) {
    self.jail = jail
    self.id = id
    self.banned = banned
  }
}

/// A token, without its secret.
public struct TokenReply: Hashable, Sendable, Codable {
  public var name: String
  public var role: Role
  public var created: Instant
  /// Nil: never.
  public var expires: Instant?
  public var lastUsed: Instant?

  init(_ token: AccessFile.Token) {
    name = token.name
    role = token.role
    created = token.created
    expires = token.expires
    lastUsed = token.lastUsed
  }
}

public struct NewTokenReply: Hashable, Sendable, Codable {
  public var name: String
  public var role: Role
  public var expires: Instant?
  /// The secret, which is kept nowhere.
  public var token: String
}

/// Somebody who may log in to the dashboard.
public struct UserReply: Hashable, Sendable, Codable {
  public var name: String
  public var role: Role
  /// Is a one-time password asked for?
  public var totp: Bool
  public var created: Instant
  public var lastLogin: Instant?

  init(_ user: AccessFile.User) {
    name = user.name
    role = user.role
    totp = user.totp != nil
    created = user.created
    lastLogin = user.lastLogin
  }
}

public struct NewUserReply: Hashable, Sendable, Codable {
  public var name: String
  public var role: Role
  /// The secret of the one-time passwords in base32, for an authenticator program, told this once; nil: none was made.
  public var totp: String?
}

public struct RevokedReply: Hashable, Sendable, Codable {
  public var name: String
}

/// What `reload` changed, a line each: `jail sshd: maxretry 5 → 3`.
public struct ReloadReply: Hashable, Sendable, Codable {
  public var changes: [String]
  public var warnings: [String]
  /// The settings before are in force again at this moment unless somebody confirms.
  public var confirmBy: Instant?
  /// Of `preview`: the values of the files that differ from those in force.
  public var values: [SettingDifference]?

  public init(
    changes: [String], warnings: [String] = [], confirmBy: Instant? = nil, values: [SettingDifference]? = nil
  ) {
    self.values = values
    self.confirmBy = confirmBy
    self.changes = changes
    self.warnings = warnings
  }
}

/// A value in the settings' files that is not the one in force; a secret is `…`.
public struct SettingDifference: Hashable, Sendable, Codable {
  public struct Value: Hashable, Sendable, Codable {
    /// As YAML writes it in one line.
    public var value: String
    public var file: String
    public var line: Int

    public init(value: String, file: String, line: Int) {
      self.value = value
      self.file = file
      self.line = line
    }
  }

  /// `jails.sshd.maxretry`
  public var key: String
  /// Nil: it is not set in what is in force.
  public var before: Value?
  /// Nil: it is not set in the files.
  public var after: Value?

  public init(key: String, before: Value?, after: Value?) {
    self.key = key
    self.before = before
    self.after = after
  }
}

/// What an error looks like on the wire: `{"error":{"kind":"no","message":"192.0.2.7 is not banned","remedy":null}, …}`, and over
/// HTTP the same as a problem document (RFC 9457).
public struct ErrorReply: Codable, Sendable {
  public var error: RequestError
  /// What the status says, the status, and what is wrong with what would help; nil outside HTTP.
  public var title: String?
  public var status: Int?
  public var detail: String?

  public init(error: RequestError) { self.error = error }

  private enum CodingKeys: CodingKey { case error, title, status, detail }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(error, forKey: .error)
    try members.encodeIfPresent(title, forKey: .title)
    try members.encodeIfPresent(status, forKey: .status)
    try members.encodeIfPresent(detail, forKey: .detail)
  }
}
