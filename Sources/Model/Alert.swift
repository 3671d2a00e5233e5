/// Something that a person should look at: what it is about, and by which lines. An alert bans nobody.
public struct Alert: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
    /// An address that had failed was let in.
    case loginAfterFailures = "login-after-failures"
    /// An account was used from a network from which it was not used lately.
    case newNetwork = "new-network"
    /// Many addresses try one account.
    case manyAddresses = "many-addresses"
    /// One address tries many accounts.
    case manyAccounts = "many-accounts"
    /// An address that is banned was let in.
    case bannedLogin = "banned-login"
    /// An account became root, or used sudo, for the first time.
    case firstPrivilege = "first-privilege"
  }

  public var kind: Kind
  /// When the line happened that raised it.
  public var time: Instant
  /// The first line that counts for it.
  public var since: Instant
  /// Empty where it is about an address alone.
  public var user: String
  /// Nil where it is about an account alone.
  public var address: Address?
  public var jail: String
  /// How many failures, addresses or accounts.
  public var count: Int
  /// One sentence.
  public var text: String

  public init(
    _ kind: Kind, time: Instant, since: Instant, user: String, address: Address?, jail: String, count: Int, text: String
  ) {
    self.kind = kind
    self.time = time
    self.since = since
    self.user = user
    self.address = address
    self.jail = jail
    self.count = count
    self.text = text
  }
}

/// That an account was seen somewhere: what alerts remember of those who were let in.
public struct Sighting: Sendable, Hashable {
  public struct Key: Sendable, Hashable {
    /// The jail by which it was seen: accounts of different services are different accounts.
    public var service: String
    public var user: String
    /// The network; nil: it became root, or used sudo.
    public var network: Subnet?

    public init(service: String, user: String, network: Subnet?) {
      self.service = service
      self.user = user
      self.network = network
    }
  }

  public var key: Key
  public var first: Instant
  /// To the hour.
  public var last: Instant

  public init(_ key: Key, first: Instant, last: Instant) {
    self.key = key
    self.first = first
    self.last = last
  }
}
