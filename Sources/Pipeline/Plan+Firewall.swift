internal import Firewall
internal import Settings

extension Plan {
  /// What the firewall blocks for each jail; the operators' jail blocks everything.
  var targets: [FirewallTarget] {
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
        protocols: protocols.isEmpty ? [.tcp] : protocols)
    }
    targets.append(FirewallTarget(jail: Plan.operatorJail, ports: .all))
    return targets
  }
}
