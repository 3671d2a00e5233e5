/// How ports are closed that nobody has opened: what is new and addressed to this machine, published ports included, passes
/// a chain of its own, after the bans. What answers this machine's own requests is known to conntrack; ICMP and protocols
/// without ports are not asked.
extension ChainRules {
  static func gateCalls(translated: Bool) -> [String] {
    let isNew = "-m conntrack ! --ctstate RELATED,ESTABLISHED -j \(gate)"
    return ["-A \(chain) ! -i lo -m addrtype --dst-type LOCAL \(isNew)"]
      + (translated ? ["-A \(chain) ! -i lo -m conntrack --ctstate DNAT \(isNew)"] : [])
  }

  static func gateRules(for plan: FirewallPlan, _ family: AddressFamily, translated: Bool) -> [String] {
    // DHCP's clients (RFC 2131, RFC 8415): the answer comes from another address than the one that was asked.
    let dhcp = family == .ipv4 ? 68 : 546
    return rules(for: plan.openings, family, translated: translated, in: gate)
      + ["-A \(gate) -p udp -m udp --dport \(dhcp) -j RETURN"]
      + FirewallTarget.TransportProtocol.allCases.map { "-A \(gate) -p \($0.rawValue) -j DROP" }
  }
}
