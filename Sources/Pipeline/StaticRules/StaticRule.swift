internal import Firewall
internal import Model
internal import Settings

/// A rule of `firewall.block` or `firewall.allow_only` as the firewall has it: its entries are kept like those of a list,
/// under a name that says which ports it is about, so that a reload exchanges them without a gap.
struct StaticRule: Hashable, Sendable {
  var action: StaticRuleSettings.Action
  var ports: Ports
  var protocols: [TransportProtocol]
  var subnets: [Subnet] = []
  var lists: [String] = []
  var isForEverybody = false

  /// `allow_only:22,8000-8080/tcp,udp`: no jail and no list has a colon in its name.
  var name: String {
    let ports: String =
      switch self.ports {
      case .all: "all"
      case .list(let ranges):
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
      }
    return "\(action.rawValue):\(ports)/\(protocols.map(\.rawValue).joined(separator: ","))"
  }

  static func isName(_ name: String) -> Bool { name.contains(":") }

  /// The rules of the settings; those about the same ports are one.
  static func rules(of settings: Settings) -> [StaticRule] {
    var rules: [StaticRule] = []
    for typed in settings.firewall.staticRules {
      let protocols = TransportProtocol.allCases.filter(typed.protocols.contains)
      var rule = StaticRule(action: typed.action, ports: typed.ports, protocols: protocols)
      let place = rules.firstIndex { $0.name == rule.name }
      if let place { rule = rules[place] }
      rule.subnets += typed.subnets
      rule.lists += typed.lists
      if typed.isForEverybody { rule.isForEverybody = true }
      if let place { rules[place] = rule } else { rules.append(rule) }
    }
    return rules
  }

  var target: FirewallTarget {
    let ports: FirewallTarget.Ports =
      switch self.ports {
      case .all: .all
      case .list(let ranges): .ranges(ranges)
      }
    let protocols = self.protocols.compactMap { FirewallTarget.TransportProtocol(rawValue: $0.rawValue) }
    var target = FirewallTarget(
      jail: name, ports: ports, protocols: protocols, verdict: action == .block ? .drop : .pass)
    target.isForEverybody = isForEverybody
    return target
  }

  /// Whom it names, with what its lists hold. Who is allowed is blocked by no rule.
  func entries(lists held: (String) -> AddressList?, allowed: AddressList) -> AddressList {
    let all = subnets + lists.flatMap { held($0)?.entries ?? [] }
    return AddressList(action == .block ? all.filter { allowed.overlapping($0) == nil } : all)
  }

  /// Is a new connection of TCP to this port its business?
  func concerns(_ port: UInt16) -> Bool {
    switch ports {
    // Every packet, whatever its protocol.
    case .all: true
    case .list(let ranges): protocols.contains(.tcp) && ranges.contains { $0.contains(port) }
    }
  }
}
