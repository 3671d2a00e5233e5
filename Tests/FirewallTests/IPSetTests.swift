import Glibc
import Model
import TestSupport
import Testing

@testable import Firewall

/// What only ipset and iptables have: their text, and the programs of others beside them.
@Suite(.serialized) struct IPSetTests {
  @Test func foreignRulesStayByteForByte() throws {
    try NetworkNamespace.with {
      try shell("iptables -N CLOUDRON")
      try shell("iptables -A CLOUDRON -p tcp -m multiport --dports 22,25,80 -j ACCEPT")
      try shell("iptables -A CLOUDRON -s 198.51.100.0/24 -j DROP")
      try shell("iptables -A INPUT -j CLOUDRON")
      try shell("iptables -t nat -A PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 80")
      try shell("ip6tables -A INPUT -p tcp --dport 443 -j ACCEPT")
      try shell("ipset create cloudron hash:ip")
      let before = try foreign()
      let firewall = IPSetActuator()
      _ = try firewall.prepare(FirewallPlan([ssh, everything], chains: ["INPUT", "FORWARD"]))
      _ = try firewall.apply([add("sshd", "192.0.2.1")], now: now())
      #expect(try foreign() == before)
      _ = try firewall.check(wanted: { [] }, now: now())
      _ = try firewall.prepare(FirewallPlan([everything], chains: ["INPUT"]))
      #expect(try foreign() == before)
      _ = try firewall.prepare(FirewallPlan([], chains: []))
      #expect(try foreign() == before)
      #expect(try !shell("iptables-save").contains("-j BAILIFF"))
      #expect(try !shell("ipset list -name").contains("bailiff"))
    }
  }

  /// Everything in the tables and sets that is not ours, as the programs save it.
  private func foreign() throws -> String {
    try ["iptables-save", "ip6tables-save", "ipset save"].map { command in
      try shell(command).split(separator: "\n").filter {
        !$0.hasPrefix("#") && !$0.contains("BAILIFF") && !$0.contains("bailiff")
      }
      .joined(separator: "\n")
    }.joined(separator: "\n--\n")
  }

  @Test func preparingAgainChangesNothingAndReloadKeepsBans() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare(FirewallPlan([ssh, everything], chains: ["INPUT"]))
      _ = try firewall.apply([add("sshd", "192.0.2.1"), add("recidive", "192.0.2.2")], now: now())
      let rules = try shell("iptables -S")
      // Another process, after a restart.
      let again = IPSetActuator()
      #expect(try again.prepare(FirewallPlan([ssh, everything], chains: ["INPUT"])).isEmpty)
      #expect(try shell("iptables -S") == rules)
      #expect(try again.contents().count == 2)
      // A reload that drops one jail and changes the other's ports.
      let changed = FirewallTarget(jail: "sshd", ports: .ranges([22...22]), protocols: [.tcp, .udp], verdict: .reject)
      _ = try again.prepare(FirewallPlan([changed], chains: ["INPUT"]))
      #expect(try again.contents().map(\.subnet.description) == ["192.0.2.1"])
      #expect(
        try shell("iptables -S BAILIFF") == """
          -N BAILIFF
          -A BAILIFF -p tcp -m multiport --dports 22 -m set --match-set bailiff-sshd-4 src -j REJECT --reject-with icmp-port-unreachable
          -A BAILIFF -p udp -m multiport --dports 22 -m set --match-set bailiff-sshd-4 src -j REJECT --reject-with icmp-port-unreachable

          """)
      #expect(try shell("ipset list -name") == "bailiff-sshd-4\nbailiff-sshd-6\n")
    }
  }

  @Test func manyPortsAreSplitIntoRulesOfFifteen() throws {
    try NetworkNamespace.with {
      let ports = (0..<20).map { (i: UInt16) in i * 10...(i % 2 == 0 ? i * 10 : i * 10 + 3) }
      let firewall = IPSetActuator()
      _ = try firewall.prepare(
        FirewallPlan([FirewallTarget(jail: "many", ports: .ranges(ports.reversed() + ports))], chains: ["INPUT"]))
      let rules = try shell("iptables -S BAILIFF").split(separator: "\n").dropFirst()
      #expect(
        rules.map(String.init)
          == ChainRules.rules(for: [FirewallTarget(jail: "many", ports: .ranges(ports))], .ipv4, translated: false))
      #expect(rules.count == 2)
    }
  }

}
