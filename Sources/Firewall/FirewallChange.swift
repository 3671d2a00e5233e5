public import Model

/// One address or block to be banned in one jail, or whose ban ends.
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
  /// Time left; nil: permanent. At most the backend's longest timeout, even if the ban lasts longer (`renewals`).
  public var remaining: TimeSpan?

  public init(jail: String, subnet: Subnet, remaining: TimeSpan?) {
    self.jail = jail
    self.subnet = subnet
    self.remaining = remaining
  }
}

/// Packets that were refused, and their bytes, since the rules were made.
public struct PacketCount: Hashable, Sendable {
  public var packets: UInt64
  public var bytes: UInt64

  public init(packets: UInt64 = 0, bytes: UInt64 = 0) {
    self.packets = packets
    self.bytes = bytes
  }

  static func + (a: PacketCount, b: PacketCount) -> PacketCount {
    PacketCount(packets: a.packets &+ b.packets, bytes: a.bytes &+ b.bytes)
  }
}
