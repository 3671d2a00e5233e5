import Glibc
import Model

extension IPSetActuator {
  /// What keeps packets from meeting the bans.
  func problems(_ tables: [AddressFamily: FilterTable], _ state: State) -> [FirewallProblem] {
    var problems: [FirewallProblem] = []
    for family in AddressFamily.allCases where !state.families.contains(family) && Self.isSpoken(family) {
      problems.append(
        FirewallProblem(
          .firewallNotEnforcing, of: "\(family)",
          "\(family) addresses are not blocked on this machine: \(family == .ipv4 ? "iptables" : "ip6tables") does not work; "
            + "mend it, or use the nftables backend"))
    }
    for chain in state.plan.chains ?? [] where !tables.values.contains(where: { $0.chains.contains(chain) }) {
      problems.append(
        FirewallProblem(
          .firewallNotEnforcing, of: chain,
          "chain \(chain) does not exist, so bans do not hold for what should pass it: restart "
            + (chain == "DOCKER-USER" ? "Docker, which makes it" : "the program that makes it")
            + ", or drop it from `firewall: {chains: […]}`"))
    }
    for (family, table) in tables.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      for parent in table.parents(for: state.plan) {
        if let problem = problem(parent, table, family) { problems.append(problem) }
      }
    }
    return problems
  }

  /// Does this machine speak the family at all? Where IPv6 is switched off nobody misses it.
  private static func isSpoken(_ family: AddressFamily) -> Bool {
    // Safe: the string lives as long as the call.
    unsafe family == .ipv4 || access("/proc/thread-self/net/if_inet6", R_OK) == 0
  }

  private func problem(_ parent: String, _ table: FilterTable, _ family: AddressFamily) -> FirewallProblem? {
    let subject = "\(parent) (\(family))"
    if !table.isReached(parent) {
      return FirewallProblem(
        .firewallNotEnforcing, of: subject,
        "\(family): no packet gets to chain \(parent), so bans do not hold for what should pass it: restart the program "
          + "that makes it")
    }
    let above = table.accepting(before: parent)
    guard let first = above.first else { return nil }
    let program = family == .ipv4 ? "iptables" : "ip6tables"
    let jump = "\(parent) -j \(ChainRules.chain)"
    return FirewallProblem(
      .firewallRuleAbove, of: subject,
      "\(family): a rule before the bans accepts packets: `\(program) \(first.text)`"
        + (above.count > 1 ? " and \(above.count - 1) more" : "")
        + "; put the bans first again: `\(program) -D \(jump); \(program) -I \(jump)`")
  }
}
