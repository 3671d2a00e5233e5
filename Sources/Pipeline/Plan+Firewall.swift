public import Firewall
public import Settings

extension Plan {
  /// What the firewall is to be for these settings.
  var firewallPlan: FirewallPlan {
    let wanted = settings.firewall
    guard let chains = wanted.chains else {
      return FirewallPlan(targets, paths: Set(wanted.protect.map(\.packetPath)), synLimit: synLimit)
    }
    // Whoever names chains of iptables means the ways that lead through them, whatever the backend.
    var paths: Set<PacketPath> = []
    if chains.contains("INPUT") { paths.insert(.host) }
    if chains.contains(where: { $0 != "INPUT" }) { paths.insert(.containers) }
    return FirewallPlan(targets, paths: paths, chains: chains, synLimit: synLimit)
  }

  /// Whoever is spared by addresses or blocks in the settings is not limited either.
  private var synLimit: SynLimit? {
    guard let limit = settings.firewall.synLimit else { return nil }
    let unit: SynLimit.Unit =
      switch limit.unit {
      case .second: .second
      case .minute: .minute
      case .hour: .hour
      }
    let spared = settings.ignoreip.compactMap { if case .subnet(let subnet) = $0 { subnet } else { nil } }
    return SynLimit(
      rate: limit.rate, per: unit, burst: limit.burst,
      scope: limit.scope == .address ? .address : .all, logPrefix: limit.logPrefix, spared: spared)
  }

  /// What the firewall blocks for each jail; the operators' jail blocks everything.
  private var targets: [FirewallTarget] {
    var targets = jails.map { entry in
      let ports: FirewallTarget.Ports =
        switch entry.settings.ports {
        case .all: .all
        case .list(let ranges): ranges.isEmpty ? .all : .ranges(ranges)
        }
      // sctp and dccp have no ports that multiport knows; they go the way of tcp's siblings: all or nothing.
      let protocols = entry.settings.protocols.compactMap { FirewallTarget.TransportProtocol(rawValue: $0.rawValue) }
      return FirewallTarget(
        jail: entry.settings.name, ports: protocols.isEmpty ? .all : ports,
        protocols: protocols.isEmpty ? [.tcp] : protocols,
        verdict: entry.settings.block == .drop ? .drop : .reject)
    }
    targets.append(FirewallTarget(jail: Plan.operatorJail, ports: .all))
    targets += StaticRule.rules(of: settings).map(\.target)
    for list in settings.lists where list.enabled && !list.allows && !list.isForRules {
      targets.append(FirewallTarget(jail: list.name, ports: .all, verdict: list.block == .drop ? .drop : .reject))
    }
    return targets
  }
}

extension FirewallSettings.Path {
  fileprivate var packetPath: PacketPath {
    switch self {
    case .host: .host
    case .containers: .containers
    }
  }
}

extension FirewallSettings {
  /// The backend that is asked for, or that `auto` means on this machine.
  public var choice: BackendChoice {
    switch backend {
    case .auto: .automatic()
    case .ipset: BackendChoice(.ipset, because: "the settings say so")
    case .nftables: BackendChoice(.nftables, because: "the settings say so")
    case .dryRun: BackendChoice(.dryRun, because: "the settings say so")
    }
  }
}
