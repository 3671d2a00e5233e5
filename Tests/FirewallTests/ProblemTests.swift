import Model
import TestSupport
import Testing

@testable import Firewall

/// What keeps packets from meeting the bans, and only a person can mend, is said with its remedy.
@Suite(.serialized) struct ProblemTests {
  private static func check(_ firewall: IPSetActuator) throws -> [FirewallProblem] {
    try firewall.check(wanted: { [] }, now: now()).problems
  }

  /// What VPN scripts, libvirt and administrators do (fixtures: reports of mailcow's users).
  @Test func anAcceptingRuleAboveTheJumpIsNamed() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare(FirewallPlan([ssh]))
      #expect(try Self.check(firewall).isEmpty)
      try shell("iptables -I INPUT 1 -p tcp --dport 22 -j ACCEPT")
      #expect(try firewall.needsCheck())
      let problems = try Self.check(firewall)
      #expect(problems.map(\.code) == [.firewallRuleAbove])
      #expect(problems.map(\.subject) == ["INPUT (IPv4)"])
      #expect(problems.first?.text.contains("`iptables -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT`") == true)
      // Looked at again, it is nothing new.
      #expect(try !firewall.needsCheck())
      // The remedy that it names is one.
      try shell("iptables -D INPUT -j BAILIFF")
      try shell("iptables -I INPUT -j BAILIFF")
      #expect(try Self.check(firewall).isEmpty)
    }
  }

  @Test(
    arguments: [
      ("iptables -I INPUT -i lo -j ACCEPT", []),
      ("iptables -I INPUT -s 198.51.100.9 -j DROP", []),
      ("iptables -I INPUT -j LOG", []),
      ("ip6tables -I INPUT -p ipv6-icmp -j ACCEPT", ["INPUT (IPv6)"]),
      ("iptables -I FORWARD -j ACCEPT", ["FORWARD (IPv4)"]),
      ("iptables -I INPUT -s 10.8.0.0/24 -j ACCEPT", ["INPUT (IPv4)"]),
    ] as [(String, [String])])
  func onlyWhatAcceptsIsNamed(_ command: String, _ subjects: [String]) throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare(FirewallPlan([ssh]))
      try shell(command)
      #expect(try Self.check(firewall).map(\.subject) == subjects)
    }
  }

  @Test func aChainThatAcceptsIsNamedByTheRuleThatLeadsThere() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare(FirewallPlan([ssh]))
      for command in [
        "iptables -N OUTER", "iptables -N INNER", "iptables -A INNER -p udp -j ACCEPT", "iptables -A OUTER -j INNER",
        "iptables -I INPUT -j OUTER",
      ] { try shell(command) }
      #expect(try Self.check(firewall).map(\.text).first?.contains("`iptables -A INPUT -j OUTER`") == true)
    }
  }

  /// After `nft flush ruleset` Docker's chains are gone until Docker is restarted.
  @Test func aMissingChainIsNamedUntilItIsBack() throws {
    try NetworkNamespace.with {
      func docker() throws {
        try shell("iptables -N DOCKER-USER")
        try shell("iptables -A DOCKER-USER -j RETURN")
        try shell("iptables -I FORWARD -j DOCKER-USER")
      }
      try docker()
      let firewall = IPSetActuator()
      _ = try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT", "DOCKER-USER"]))
      #expect(try Self.check(firewall).isEmpty)
      try shell("nft flush ruleset")
      #expect(try firewall.needsCheck())
      let problems = try Self.check(firewall)
      #expect(problems.map(\.code) == [.firewallNotEnforcing])
      #expect(problems.map(\.subject) == ["DOCKER-USER"])
      #expect(problems.first?.text.contains("restart Docker") == true)
      #expect(try shell("iptables -S INPUT").contains("-A INPUT -j BAILIFF"))
      try docker()
      #expect(try firewall.needsCheck())
      #expect(try Self.check(firewall).isEmpty)
      #expect(try shell("iptables -S DOCKER-USER").contains("-A DOCKER-USER -j BAILIFF\n-A DOCKER-USER -j RETURN"))
      // There, but nothing leads to it.
      try shell("iptables -F FORWARD")
      #expect(try firewall.needsCheck())
      #expect(try Self.check(firewall).map(\.subject) == ["DOCKER-USER (IPv4)"])
    }
  }

  /// Without names of chains it goes where the packets go.
  @Test func containersAreReachedByTheChainThatThereIs() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare(FirewallPlan([ssh]))
      #expect(try shell("iptables -S FORWARD") == "-P FORWARD ACCEPT\n-A FORWARD -j BAILIFF\n")
      for command in [
        "iptables -N DOCKER-USER", "iptables -A DOCKER-USER -j RETURN", "iptables -I FORWARD -j DOCKER-USER",
      ] { try shell(command) }
      #expect(try firewall.needsCheck())
      #expect(try Self.check(firewall).isEmpty)
      #expect(try shell("iptables -S FORWARD") == "-P FORWARD ACCEPT\n-A FORWARD -j DOCKER-USER\n")
      #expect(try shell("iptables -S DOCKER-USER").contains("-A DOCKER-USER -j BAILIFF\n"))
      try shell("nft flush ruleset")
      #expect(try Self.check(firewall).isEmpty)
      #expect(try shell("iptables -S FORWARD") == "-P FORWARD ACCEPT\n-A FORWARD -j BAILIFF\n")
    }
  }
}
