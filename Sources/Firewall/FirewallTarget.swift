/// What one jail blocks for the addresses banned in it, in both families.
public struct FirewallTarget: Hashable, Sendable {
  public enum Ports: Hashable, Sendable {
    /// Every packet of the banned address, whatever its protocol.
    case all
    /// Packets of `protocols` to these destination ports; never empty.
    case ranges([ClosedRange<UInt16>])
  }

  /// Those whose ports `multiport` knows (iptables-extensions(8)).
  public enum TransportProtocol: String, Hashable, Sendable, CaseIterable { case tcp, udp, sctp, dccp, udplite }

  /// What happens to a packet of a banned address.
  public enum Verdict: String, Hashable, Sendable {
    /// Nothing is answered: the other side waits for its own timeout.
    case drop = "DROP"
    /// An ICMP "port unreachable" is sent back.
    case reject = "REJECT"
    /// It is let through, where what is not named is closed (`FirewallPlan.closesTheRest`): no ban, but the opposite of one.
    case pass = "RETURN"
  }

  /// The jail's name: printable, without spaces or quotes; its sets are named after it (`SetName`).
  public var jail: String
  public var ports: Ports
  public var protocols: [TransportProtocol]
  public var verdict: Verdict
  /// Is everybody let through, whatever the sets hold? Only with `pass`.
  public var isForEverybody = false

  public init(
    jail: String, ports: Ports, protocols: [TransportProtocol] = [.tcp], verdict: Verdict = .drop
  ) {
    self.jail = jail
    self.ports = ports
    self.protocols = protocols
    self.verdict = verdict
  }
}

/// The two families, each with its own tables, sets and programs.
public enum AddressFamily: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case ipv4 = "IPv4"
  case ipv6 = "IPv6"

  public var description: String { rawValue }
}
