public import Model

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

/// What a look at the firewall found.
public struct FirewallCheck: Hashable, Sendable {
  /// What was missing and is there again.
  public var repairs: [Repair] = []
  /// What keeps packets from meeting the bans, and only a person can mend.
  public var problems: [FirewallProblem] = []

  public init() {}
}

/// Why bans do not hold for some packets. It is a warning (docs/warnings.md) as long as it is seen.
public struct FirewallProblem: Hashable, Sendable {
  public var code: Warning.Code
  /// The chain or the family.
  public var subject: String
  /// One line: what is wrong, and what helps.
  public var text: String

  public init(_ code: Warning.Code, of subject: String, _ text: String) {
    self.code = code
    self.subject = subject
    self.text = text
  }

  /// The codes that a look at the firewall raises and clears.
  public static let codes: [Warning.Code] = [.firewallNotEnforcing, .firewallRuleAbove]
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
    /// Our table of nf_tables was gone, or not as we made it.
    case table
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
    case .table: "table inet bailiff had been removed or changed; put back"
    case .bans(let jail, let count): "jail \(jail): \(count) \(count == 1 ? "ban was" : "bans were") missing; put back"
    }
  }
}
