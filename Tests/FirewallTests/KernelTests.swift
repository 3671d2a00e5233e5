import Glibc
import Model
import System
import Testing

@testable import Firewall

let ssh = FirewallTarget(jail: "sshd", ports: .ranges([22...22, 2222...2230]))
let everything = FirewallTarget(jail: "recidive", ports: .all)

func now() -> Instant {
  var time = timespec()
  // Safe: writes to a local.
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
}

func ban(_ jail: String, _ id: String, for seconds: Int64? = 600) -> Ban {
  let time = now()
  return Ban(
    jail: jail, identity: Identity(id), since: time, until: seconds.map { time.adding(.seconds($0)) }, count: 5,
    number: 1,
    applied: true)
}

func add(_ jail: String, _ id: String, for seconds: Int64? = 600) -> FirewallChange {
  FirewallChange(.add, jail: jail, subnet: Subnet(id)!, until: seconds.map { now().adding(.seconds($0)) })
}

/// On the real kernel, through the real programs, between two hosts.
@Suite(.serialized) struct KernelTests {
  @Test func banStopsOneHostAndItsOpenConnectionsButNobodyElse() throws {
    let hosts = try TwoHosts()
    defer { hosts.close() }
    let listener = try hosts.server.run { try TCP.listen("10.77.0.1", port: 22) }
    let other = try hosts.server.run { try TCP.listen("10.77.0.1", port: 80) }
    defer {
      close(listener)
      close(other)
    }
    func reaches(_ source: String, _ port: UInt16) throws -> Bool {
      try hosts.client.run { TCP.reaches(from: source, to: "10.77.0.1", port: port) }
    }
    func isBlocked(_ source: String, _ port: UInt16) throws -> Bool {
      try hosts.client.run { TCP.isBlocked(from: source, to: "10.77.0.1", port: port) }
    }
    // The link is up, and each side knows the other's hardware address.
    for source in 2...5 { #expect(try reaches("10.77.0.\(source)", 22)) }
    while let waiting = TCP.accept(listener) { close(waiting) }
    let firewall = IPSetActuator()
    try hosts.server.run { () throws in
      #expect(try firewall.prepare([ssh, everything], chains: ["INPUT"]).isEmpty)
      // A rule that lets established connections through follows ours.
      try shell("iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT")
    }
    let open = try #require(try hosts.client.run { TCP.connect(from: "10.77.0.2", to: "10.77.0.1", port: 22) })
    let served = try #require(TCP.accept(listener))
    defer {
      close(open)
      close(served)
    }
    TCP.write(open)
    #expect(TCP.arrives(served, tries: 20))

    try hosts.server.run { () throws in
      #expect(try firewall.apply([add("sshd", "10.77.0.2")], now: now()) == [.applied])
    }
    TCP.write(open)
    #expect(!TCP.arrives(served, tries: 2), "a banned client's connection lives on")
    #expect(try isBlocked("10.77.0.2", 22))
    #expect(try reaches("10.77.0.2", 80), "a port that the jail does not name is blocked")
    #expect(try reaches("10.77.0.3", 22), "an address that is not banned is blocked")

    try hosts.server.run { () throws in
      #expect(try firewall.apply([add("recidive", "10.77.0.4/31")], now: now()) == [.applied])
    }
    for source in ["10.77.0.4", "10.77.0.5"] { #expect(try isBlocked(source, 80)) }
    #expect(try reaches("10.77.0.3", 80))

    let lift = [
      FirewallChange(.remove, jail: "sshd", subnet: Subnet("10.77.0.2")!),
      FirewallChange(.remove, jail: "recidive", subnet: Subnet("10.77.0.4/31")!),
      FirewallChange(.remove, jail: "recidive", subnet: Subnet("10.77.0.9")!),
    ]
    try hosts.server.run { () throws in #expect(try firewall.apply(lift, now: now()) == [.applied, .applied, .applied])
    }
    #expect(try reaches("10.77.0.2", 22))
    #expect(try reaches("10.77.0.4", 80))
  }

  @Test func ipv6IsBannedByAddressAndByPrefix() throws {
    let hosts = try TwoHosts()
    defer { hosts.close() }
    let listener = try hosts.server.run { try TCP.listen("fd77::1", port: 2225) }
    defer { close(listener) }
    func reaches(_ source: String) throws -> Bool {
      try hosts.client.run { TCP.reaches(from: source, to: "fd77::1", port: 2225) }
    }
    func isBlocked(_ source: String) throws -> Bool {
      try hosts.client.run { TCP.isBlocked(from: source, to: "fd77::1", port: 2225) }
    }
    for source in 2...5 { #expect(try reaches("fd77::\(source)")) }
    let firewall = IPSetActuator()
    try hosts.server.run { () throws in
      #expect(try firewall.prepare([ssh], chains: ["INPUT"]).isEmpty)
      #expect(try firewall.apply([add("sshd", "fd77::2")], now: now()) == [.applied])
    }
    #expect(try isBlocked("fd77::2"))
    #expect(try reaches("fd77::3"))
    try hosts.server.run { () throws in
      #expect(try firewall.apply([add("sshd", "fd77::4/127")], now: now()) == [.applied])
    }
    #expect(try isBlocked("fd77::4"))
    #expect(try isBlocked("fd77::5"))
    #expect(try reaches("fd77::3"))
  }

  @Test func theKernelEndsABanAlone() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare([ssh], chains: ["INPUT"])
      #expect(
        try firewall.apply([add("sshd", "192.0.2.1", for: 3), add("sshd", "192.0.2.2", for: nil)], now: now()) == [
          .applied, .applied,
        ])
      #expect(try firewall.contents().count == 2)
      let deadline = monotonicSeconds() + 20
      while try firewall.contents().count > 1, monotonicSeconds() < deadline { usleep(50_000) }
      #expect(try firewall.contents() == [KernelBan(jail: "sshd", subnet: Subnet("192.0.2.2")!, remaining: nil)])
    }
  }

  @Test func addingAgainSetsTheEndAndAnEndInThePastIsNotSent() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare([ssh], chains: ["INPUT"])
      _ = try firewall.apply([add("sshd", "192.0.2.1", for: 60)], now: now())
      _ = try firewall.apply(
        [add("sshd", "192.0.2.1", for: 4_000_000), add("sshd", "2001:db8::/64", for: 100)], now: now())
      let held = try firewall.contents().sorted { $0.remaining! < $1.remaining! }
      #expect(held.map(\.subnet.description) == ["2001:db8::/64", "192.0.2.1"])
      #expect((80...100).contains(held[0].remaining!.seconds))
      #expect((longestTimeout - 20...longestTimeout).contains(held[1].remaining!.seconds), "capped at ipset's ceiling")
      #expect(try firewall.apply([add("sshd", "192.0.2.9", for: -5)], now: now()) == [.expired])
      #expect(try firewall.contents().count == 2)
    }
  }

  @Test func oneImpossibleChangeDoesNotStopTheOthers() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare([ssh], chains: ["INPUT"])
      let outcomes = try firewall.apply(
        [
          add("sshd", "192.0.2.1"), add("sshd", "0.0.0.0/0"), add("nosuch", "192.0.2.2"), add("sshd", "::/0"),
          add("sshd", "2001:db8::1"),
        ], now: now())
      #expect(outcomes.map(\.isApplied) == [true, false, false, false, true])
      #expect(try firewall.contents().count == 2)
    }
  }

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
      _ = try firewall.prepare([ssh, everything], chains: ["INPUT", "FORWARD"])
      _ = try firewall.apply([add("sshd", "192.0.2.1")], now: now())
      #expect(try foreign() == before)
      _ = try firewall.check(wanted: { [] }, now: now())
      _ = try firewall.prepare([everything], chains: ["INPUT"])
      #expect(try foreign() == before)
      _ = try firewall.prepare([], chains: [])
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
      _ = try firewall.prepare([ssh, everything], chains: ["INPUT"])
      _ = try firewall.apply([add("sshd", "192.0.2.1"), add("recidive", "192.0.2.2")], now: now())
      let rules = try shell("iptables -S")
      // Another process, after a restart.
      let again = IPSetActuator()
      #expect(try again.prepare([ssh, everything], chains: ["INPUT"]).isEmpty)
      #expect(try shell("iptables -S") == rules)
      #expect(try again.contents().count == 2)
      // A reload that drops one jail and changes the other's ports.
      let changed = FirewallTarget(jail: "sshd", ports: .ranges([22...22]), protocols: [.tcp, .udp], verdict: .reject)
      _ = try again.prepare([changed], chains: ["INPUT"])
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
        [FirewallTarget(jail: "many", ports: .ranges(ports.reversed() + ports))], chains: ["INPUT"])
      let rules = try shell("iptables -S BAILIFF").split(separator: "\n").dropFirst()
      #expect(
        rules.map(String.init) == ChainRules.rules(for: [FirewallTarget(jail: "many", ports: .ranges(ports))], .ipv4))
      #expect(rules.count == 2)
    }
  }

  @Test func oddJailNamesWork() throws {
    try NetworkNamespace.with {
      let names = ["a", "nginx-http-auth-with-a-very-long-name", "recidive~x", "пример", "a,b;c$(reboot)", "-x", "x!y"]
      let firewall = IPSetActuator()
      _ = try firewall.prepare(names.map { FirewallTarget(jail: $0, ports: .all) }, chains: ["INPUT"])
      let outcomes = try firewall.apply(names.map { add($0, "192.0.2.1") }, now: now())
      #expect(outcomes.filter { !$0.isApplied }.isEmpty)
      #expect(try Set(firewall.contents().map(\.jail)) == Set(names))
      #expect(try !firewall.needsCheck(thorough: true))
    }
  }

  @Test func restoreSendsTheDifference() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare([ssh, everything], chains: ["INPUT"])
      _ = try firewall.apply(
        [add("sshd", "192.0.2.1", for: 600), add("sshd", "192.0.2.2", for: 600), add("sshd", "192.0.2.3", for: 600)],
        now: now())
      let bans = [
        ban("sshd", "192.0.2.1", for: 600), ban("sshd", "192.0.2.2", for: 60),
        ban("recidive", "2001:db8::/64", for: nil),
        ban("sshd", "198.51.100.9", for: -1), ban("sshd", "somebody"),
      ]
      let report = try firewall.restore(bans, now: now())
      #expect(
        report.kept == 1 && report.adjusted == 1 && report.added == 1 && report.removed == 1 && report.skipped == 2)
      #expect(report.failed.isEmpty)
      let held = Dictionary(uniqueKeysWithValues: try firewall.contents().map { ($0.subnet.description, $0.remaining) })
      #expect(held.count == 3)
      #expect((40...60).contains(try #require(held["192.0.2.2"] ?? nil).seconds))
      #expect(held["2001:db8::/64"] == .some(nil))
    }
  }
}
