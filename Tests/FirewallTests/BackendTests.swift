import Glibc
import Model
import System
import TestSupport
import Testing

@testable import Firewall

/// Which backend it is, going over to another, and taking everything away.
@Suite(.serialized) struct BackendTests {
  @Test func everyBackendIsMade() {
    for backend in FirewallBackend.allCases { #expect(backend.makeActuator().backend == backend) }
  }

  @Test(arguments: [
    (["true"], FirewallBackend.ipset, "nothing of nftables is in use"),
    (["iptables -A INPUT -p tcp --dport 80 -j ACCEPT"], .ipset, "iptables is in use"),
    (["iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080"], .ipset, "iptables is in use"),
    (
      ["nft add table inet filter", "nft add chain inet filter input { type filter hook input priority 0 ; }"],
      .nftables, "table inet filter"
    ),
    (
      ["nft add table ip filter", "nft add chain ip filter input { type filter hook input priority 0 ; }"], .nftables,
      "table ip filter"
    ),
    // A table without a hook sees no packet.
    (["nft add table inet notes"], .ipset, "nothing of nftables is in use"),
  ])
  func autoGoesByTheRuleset(_ commands: [String], _ backend: FirewallBackend, _ reason: String) throws {
    try NetworkNamespace.with {
      for command in commands { try shell(command) }
      let choice = BackendChoice.automatic()
      #expect(choice.backend == backend)
      #expect(choice.reason.contains(reason), "\(choice.reason)")
      // Our own table is nobody's ruleset.
      _ = try NFTablesActuator().prepare(FirewallPlan([ssh]))
      #expect(BackendChoice.automatic() == choice)
    }
  }

  @Test func autoIsNFTablesWithoutThePrograms() throws {
    for missing in ["ipset", "iptables"] {
      let fake = try FakePrograms(FakePrograms.names.filter { $0 != missing })
      defer { fake.remove() }
      let choice = BackendChoice.automatic(Programs(directories: [fake.path]))
      #expect(choice == BackendChoice(.nftables, because: "\(missing) is not installed"))
    }
  }

  /// A banned client tries without a pause while the backend changes and changes back: nothing of it gets through.
  @Test func goingOverLeavesNoGap() throws {
    let hosts = try TwoHosts()
    defer { hosts.close() }
    let socket = try hosts.server.run { try UDP.bind("10.77.0.1", port: 22) }
    defer { close(socket) }
    func arrives() throws -> Bool {
      try hosts.client.run { try UDP.send(from: "10.77.0.2", to: "10.77.0.1", port: 22) }
      return UDP.arrives(socket, from: "10.77.0.2")
    }
    let deadline = monotonicSeconds() + 10
    while try !arrives() { try #require(monotonicSeconds() < deadline) }
    // While the neighbour was being asked for, more than one was sent.
    while UDP.arrives(socket, from: "10.77.0.2") {}
    let plan = FirewallPlan([FirewallTarget(jail: "sshd", ports: .ranges([22...22]), protocols: [.udp]), everything])
    let firewall = SwitchableActuator(IPSetActuator())
    let bans = [ban("sshd", "10.77.0.2"), ban("recidive", "2001:db8::/48", for: nil), ban("gone", "192.0.2.1")]
    try hosts.server.run { () throws in
      _ = try firewall.prepare(plan)
      _ = try firewall.restore(bans, now: now())
    }
    // What came before the ban may wait in the socket.
    while UDP.arrives(socket, from: "10.77.0.2") {}
    #expect(try !arrives())
    let flood = try hosts.client.run {
      try Background("bash", "-c", "while :; do echo -n 10.77.0.2 >/dev/udp/10.77.0.1/22; done")
    }
    defer { flood.stop() }
    for backend in [FirewallBackend.nftables, .ipset, .nftables] {
      try hosts.server.run { () throws in
        #expect(try firewall.replace(with: backend.makeActuator(), plan: plan, bans: bans, now: now()).isEmpty)
        #expect(firewall.backend == backend)
        #expect(try Set(firewall.contents().map(\.subnet.description)) == ["10.77.0.2", "2001:db8::/48"])
        #expect(try !firewall.needsCheck())
        let ipset = try shell("ipset list -name").contains("bailiff")
        let rules = try shell("iptables-save").contains("BAILIFF")
        let table = try shell("nft list tables").contains("inet bailiff")
        #expect([ipset, rules, table] == (backend == .ipset ? [true, true, false] : [false, false, true]))
      }
    }
    #expect(!UDP.arrives(socket, from: "10.77.0.2"), "a banned client got through")
    #expect(try hosts.server.run { try firewall.packets()["sshd"]?.packets ?? 0 } > 0, "nothing was sent meanwhile")
  }

  @Test func whatCannotBeMadeReadyReplacesNothing() throws {
    try NetworkNamespace.with {
      let firewall = SwitchableActuator(NFTablesActuator())
      let plan = FirewallPlan([ssh])
      _ = try firewall.prepare(plan)
      _ = try firewall.restore([ban("sshd", "192.0.2.1")], now: now())
      #expect(throws: FirewallError.self) {
        try firewall.replace(
          with: IPSetActuator(directories: ["/nonexistent"]), plan: plan, bans: [ban("sshd", "192.0.2.1")], now: now())
      }
      #expect(firewall.backend == .nftables)
      #expect(try firewall.contents().count == 1)
      #expect(try !firewall.needsCheck())
    }
  }

  @Test(arguments: Backend.allCases) func clearLeavesNothingOfOurs(_ backend: Backend) throws {
    try NetworkNamespace.with {
      try shell("iptables -A INPUT -p tcp --dport 80 -j ACCEPT")
      try shell("nft add table inet others")
      let before = try [shell("iptables-save -t filter"), shell("nft list tables"), shell("ipset list -name")]
      do {
        let firewall = backend.make()
        _ = try firewall.prepare(FirewallPlan([ssh, everything]))
        _ = try firewall.apply([add("sshd", "192.0.2.1"), add("sshd", "2001:db8::/48")], now: now())
      }
      // Somebody's own way into our chain.
      if backend == .ipset { try shell("iptables -A INPUT -s 192.0.2.0/24 -j BAILIFF") }
      // Another process, which has prepared nothing.
      try backend.make().clear()
      for family in ["ip6tables", "iptables"] {
        #expect(try !shell("\(family)-save").contains("BAILIFF"))
      }
      #expect(try !shell("ipset list -name").contains("bailiff"))
      #expect(try !shell("nft list tables").contains("bailiff"))
      #expect(try shell("iptables-save -t filter").contains("--dport 80 -j ACCEPT"))
      #expect(try before[1].split(separator: "\n").allSatisfy { try shell("nft list tables").contains($0) })
      // There is nothing to take away any more.
      try backend.make().clear()
    }
  }

  /// As on a machine whose kernel has no IPv6.
  @Test func whatCannotBeReadDoesNotKeepTheRest() throws {
    let fake = try FakePrograms(setup: "case $0 in */ip6tables*) echo 'no such table' >&2; exit 3 ;; esac")
    defer { fake.remove() }
    try NetworkNamespace.with {
      let firewall = IPSetActuator(directories: [fake.path])
      #expect(try !firewall.prepare(FirewallPlan([ssh])).isEmpty)
      _ = try firewall.apply([add("sshd", "192.0.2.1")], now: now())
      let found = try IPSetActuator(directories: [fake.path]).inventory()
      #expect(found.contains { $0.kind == .chain } && found.contains { $0.kind == .set && $0.entries == 1 })
      try IPSetActuator(directories: [fake.path]).clear()
      #expect(try IPSetActuator().inventory().isEmpty)
      #expect(try !shell("iptables-save").contains("BAILIFF"))
    }
  }

  /// A change of the backend between two runs, or one that was killed while it changed.
  @Test func whatTheOtherBackendLeftIsTakenAway() throws {
    try NetworkNamespace.with {
      do {
        let firewall = IPSetActuator()
        _ = try firewall.prepare(FirewallPlan([ssh]))
        _ = try firewall.apply([add("sshd", "192.0.2.1")], now: now())
      }
      let firewall = NFTablesActuator()
      _ = try firewall.prepare(FirewallPlan([ssh]))
      _ = try firewall.apply([add("sshd", "192.0.2.1")], now: now())
      try FirewallBackend.clearOthers(than: .nftables)
      #expect(try !shell("ipset list -name").contains("bailiff"))
      #expect(try firewall.contents().count == 1)
      #expect(throws: FirewallError.self) { try FirewallBackend.clearOthers(than: .ipset) }
    }
  }
}
