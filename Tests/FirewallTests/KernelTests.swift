import Glibc
import Model
import System
import TestSupport
import Testing

@testable import Firewall

/// On the real kernel, between two hosts; what holds for one backend holds for the other.
@Suite(.serialized) struct KernelTests {
  @Test(arguments: Backend.allCases) func banStopsOneHostAndItsOpenConnectionsButNobodyElse(_ backend: Backend) throws {
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
    let firewall = backend.make()
    try hosts.server.run { () throws in
      #expect(try firewall.prepare(FirewallPlan([ssh, everything], chains: ["INPUT"])).isEmpty)
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

  @Test(arguments: Backend.allCases) func ipv6IsBannedByAddressAndByPrefix(_ backend: Backend) throws {
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
    let firewall = backend.make()
    try hosts.server.run { () throws in
      #expect(try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"])).isEmpty)
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

  @Test(arguments: Backend.allCases) func theKernelEndsABanAlone(_ backend: Backend) throws {
    try NetworkNamespace.with {
      let firewall = backend.make()
      _ = try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"]))
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

  @Test(arguments: Backend.allCases) func addingAgainSetsTheEndAndAnEndInThePastIsNotSent(_ backend: Backend) throws {
    try NetworkNamespace.with {
      let firewall = backend.make()
      _ = try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"]))
      _ = try firewall.apply([add("sshd", "192.0.2.1", for: 60)], now: now())
      _ = try firewall.apply(
        [add("sshd", "192.0.2.1", for: 4_000_000), add("sshd", "2001:db8::/64", for: 100)], now: now())
      let held = try firewall.contents().sorted { $0.remaining! < $1.remaining! }
      #expect(held.map(\.subnet.description) == ["2001:db8::/64", "192.0.2.1"])
      #expect((80...100).contains(held[0].remaining!.seconds))
      let longest = min(4_000_000, firewall.longestTimeout.seconds)
      #expect((longest - 20...longest).contains(held[1].remaining!.seconds), "capped at ipset's ceiling")
      #expect(try firewall.apply([add("sshd", "192.0.2.9", for: -5)], now: now()) == [.expired])
      #expect(try firewall.contents().count == 2)
    }
  }

  @Test(arguments: Backend.allCases) func oneImpossibleChangeDoesNotStopTheOthers(_ backend: Backend) throws {
    try NetworkNamespace.with {
      let firewall = backend.make()
      _ = try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"]))
      let outcomes = try firewall.apply(
        [
          add("sshd", "192.0.2.1"), add("sshd", "0.0.0.0/0"), add("nosuch", "192.0.2.2"), add("sshd", "::/0"),
          add("sshd", "2001:db8::1"),
        ], now: now())
      #expect(outcomes.map(\.isApplied) == [true, false, false, false, true])
      #expect(try firewall.contents().count == 2)
    }
  }

  @Test(arguments: Backend.allCases) func oddJailNamesWork(_ backend: Backend) throws {
    try NetworkNamespace.with {
      let names = ["a", "nginx-http-auth-with-a-very-long-name", "recidive~x", "пример", "a,b;c$(reboot)", "-x", "x!y"]
      let firewall = backend.make()
      _ = try firewall.prepare(FirewallPlan(names.map { FirewallTarget(jail: $0, ports: .all) }, chains: ["INPUT"]))
      let outcomes = try firewall.apply(names.map { add($0, "192.0.2.1") }, now: now())
      #expect(outcomes.filter { !$0.isApplied }.isEmpty)
      #expect(try Set(firewall.contents().map(\.jail)) == Set(names))
      #expect(try !firewall.needsCheck(thorough: true))
    }
  }

  @Test(arguments: Backend.allCases) func restoreSendsTheDifference(_ backend: Backend) throws {
    try NetworkNamespace.with {
      let firewall = backend.make()
      _ = try firewall.prepare(FirewallPlan([ssh, everything], chains: ["INPUT"]))
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
