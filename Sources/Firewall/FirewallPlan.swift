/// What the firewall is to be, besides the bans: what each jail blocks, and on which ways of a packet.
public struct FirewallPlan: Hashable, Sendable {
  public var targets: [FirewallTarget]
  public var paths: Set<PacketPath>
  /// Chains of iptables' filter table to jump from; nil: those of `paths`. Of no meaning for other backends.
  public var chains: [String]?
  /// Nil: new connections are not limited.
  public var synLimit: SynLimit?

  /// Is there a port that is open to some only? Then every port that no target lets through is closed to new connections.
  public var closesTheRest: Bool { targets.contains { $0.verdict == .pass } }

  var bans: [FirewallTarget] { targets.filter { $0.verdict != .pass } }
  var openings: [FirewallTarget] { targets.filter { $0.verdict == .pass } }

  public init(
    _ targets: [FirewallTarget], paths: Set<PacketPath> = Set(PacketPath.allCases), chains: [String]? = nil,
    synLimit: SynLimit? = nil
  ) {
    self.synLimit = synLimit
    self.targets = targets
    self.paths = paths
    self.chains = chains
  }

  /// Where nf_tables hands packets to us: `prerouting`, or `input`, `forward`.
  public var hooks: [String] {
    switch TableLayout.base(for: paths)?.hook {
    case 0: ["prerouting"]
    case 1: ["input"]
    case 2: ["forward"]
    default: []
    }
  }
}

/// The ways that a packet from outside takes through this machine.
public enum PacketPath: String, Hashable, Sendable, CaseIterable {
  /// To a program of this machine.
  case host
  /// On to containers, virtual machines and other networks: published ports, port forwarding, routing.
  case containers
}

/// How bans are put into force.
public enum FirewallBackend: String, Hashable, Sendable, CaseIterable {
  /// Sets of ipset, and rules of iptables that use them.
  case ipset
  /// A table of nf_tables.
  case nftables
  /// Nowhere: bans are remembered only.
  case dryRun = "dry-run"
}
