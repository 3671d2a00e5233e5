public import Model

/// One address or block to be banned or let go in one jail.
public struct FirewallChange: Hashable, Sendable {
  public enum Action: String, Hashable, Sendable { case add, remove }

  public var action: Action
  public var jail: String
  public var subnet: Subnet
  /// When the ban ends; nil: never. Of no meaning for `remove`.
  public var until: Instant?

  public init(_ action: Action, jail: String, subnet: Subnet, until: Instant? = nil) {
    self.action = action
    self.jail = jail
    self.subnet = subnet
    self.until = until
  }
}

extension FirewallChange {
  /// Why no firewall can carry it out, whatever it holds.
  var refusal: FirewallError? {
    guard action == .add, subnet.prefixLength == 0 else { return nil }
    return FirewallError(.invalid, "\(subnet) is every address: it cannot be banned")
  }
}

/// What became of one change.
public enum ChangeOutcome: Hashable, Sendable {
  /// The kernel holds it (or, removed, holds it no more). Doing it again changes nothing.
  case applied
  /// The ban's end has passed; nothing was sent.
  case expired
  case failed(FirewallError)

  public var isApplied: Bool { self == .applied }
}

/// A ban as the firewall holds it.
public struct KernelBan: Hashable, Sendable {
  public var jail: String
  public var subnet: Subnet
  /// Time left, to the second; nil: permanent. At most 2,147,483 s, the ceiling of an ipset timeout, even if the ban lasts
  /// longer (`renewals`).
  public var remaining: TimeSpan?

  public init(jail: String, subnet: Subnet, remaining: TimeSpan?) {
    self.jail = jail
    self.subnet = subnet
    self.remaining = remaining
  }
}

/// What `restore` changed.
public struct RestoreReport: Hashable, Sendable {
  public var added = 0
  /// Bans whose end in the kernel differed from the one wanted.
  public var adjusted = 0
  /// Entries in our sets that nobody wants.
  public var removed = 0
  /// Bans that the kernel held already, as wanted.
  public var kept = 0
  /// Bans that are over, and identities that no firewall can block (names).
  public var skipped = 0
  public var failed: [Failed] = []

  public struct Failed: Hashable, Sendable {
    public var change: FirewallChange
    public var error: FirewallError
  }

  public init() {}
}

/// Something that works less well than asked for, without stopping the rest.
public struct FirewallNotice: Hashable, Sendable, CustomStringConvertible {
  /// One line: what, and what to do about it.
  public var description: String

  public init(_ description: String) { self.description = description }
}

/// Something that another program had taken away and that was put back.
public struct Repair: Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// Our chain was missing or its rules were not ours.
    case chain(AddressFamily)
    /// `parent` (INPUT, DOCKER-USER …) did not jump to our chain, or more than once.
    case hook(AddressFamily, parent: String)
    /// A jail's set was gone.
    case set(String)
    /// Bans that a jail's sets had lost.
    case bans(jail: String, count: Int)
  }

  public var kind: Kind

  public init(_ kind: Kind) { self.kind = kind }

  public var description: String {
    switch kind {
    case .chain(let family): "\(family): the rules of chain BAILIFF had been changed or removed; put back"
    case .hook(let family, let parent): "\(family): chain \(parent) had lost its jump to BAILIFF; put back"
    case .set(let name): "set \(name) had been removed; created again"
    case .bans(let jail, let count): "jail \(jail): \(count) \(count == 1 ? "ban was" : "bans were") missing; put back"
    }
  }
}
