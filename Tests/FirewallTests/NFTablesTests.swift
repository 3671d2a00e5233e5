import CMnl
import Foundation
import Model
import Synchronization
import System
import TestSupport
import Testing

@testable import Firewall

/// What only nf_tables has: our table as `nft` shows it, who may change it, and what happens where it is like any other.
@Suite(.serialized) struct NFTablesTests {
  /// As on a kernel before 6.9.
  private static func common(mostListed: Int = 200_000) -> NFTablesActuator {
    let firewall = NFTablesActuator(faults: nil, mostListed: mostListed)
    firewall.core.withLock { $0.state.isCommon = true }
    return firewall
  }

  private static func table() throws -> String {
    try shell("nft list table inet bailiff").replacing(#/ packets \d+ bytes \d+/#, with: "")
      .replacing(#/ (timeout|expires) \w+/#, with: "")
  }

  @Test func theTableReadsAsItIsMeant() throws {
    try NetworkNamespace.with {
      let firewall = NFTablesActuator()
      let web = FirewallTarget(
        jail: "web", ports: .ranges([80...80, 8000...8080]), protocols: [.tcp, .udp], verdict: .reject)
      _ = try firewall.prepare(FirewallPlan([ssh, web, everything]))
      _ = try firewall.apply([add("web", "192.0.2.0/24", for: nil), add("sshd", "2001:db8::1", for: nil)], now: now())
      let text = try Self.table()
      for part in [
        "flags owner", "type filter hook prerouting priority raw - 10; policy accept;",
        "tcp dport 22 jump jail-sshd", "tcp dport 2222-2230 jump jail-sshd",
        "udp dport 8000-8080 jump jail-web", "jump jail-recidive",
        "ip saddr @ban-sshd-4-32 counter name \"jail-sshd\" drop",
        "ip6 saddr & ffff:ffff:ffff:ffff:: == @ban-sshd-6-64 counter name \"jail-sshd\" drop",
        "ip6 saddr @ban-sshd-6-128 counter name \"jail-sshd\" drop",
        "ip saddr & 255.255.255.0 == @ban-web-4-24 counter name \"jail-web\" reject",
        "elements = { 192.0.2.0 }", "elements = { 2001:db8::1 }",
      ] { #expect(text.contains(part), "\(part) is not in\n\(text)") }
    }
  }

  @Test func nobodyElseCanChangeTheTable() throws {
    try NetworkNamespace.with {
      let firewall = NFTablesActuator()
      _ = try firewall.prepare(FirewallPlan([ssh]))
      _ = try firewall.apply([add("sshd", "192.0.2.1")], now: now())
      let before = try Self.table()
      try shell("nft flush ruleset")
      try shell("iptables -F")
      for command in [
        "nft delete table inet bailiff", "nft flush chain inet bailiff packets",
        "nft delete element inet bailiff ban-sshd-4-32 { 192.0.2.1 }", "nft add table inet bailiff { flags dormant ; }",
      ] { #expect(throws: (any Error).self, "\(command)") { try shell(command) } }
      #expect(try Self.table() == before)
      #expect(try !firewall.needsCheck())
      // Nor another Bailiff, which says why.
      let error = #expect(throws: FirewallError.self) { try NFTablesActuator().prepare(FirewallPlan([ssh])) }
      #expect(error?.code == .notPermitted)
      #expect(error?.message.contains("stop the other Bailiff first") == true)
    }
  }

  @Test func theTableOutlivesTheProgramAndIsTakenOver() throws {
    try NetworkNamespace.with {
      do {
        let firewall = NFTablesActuator()
        _ = try firewall.prepare(FirewallPlan([ssh, everything]))
        _ = try firewall.apply([add("sshd", "192.0.2.1"), add("recidive", "192.0.2.0/25", for: nil)], now: now())
      }
      #expect(try !Self.table().contains("owner"))
      let firewall = NFTablesActuator()
      #expect(try firewall.prepare(FirewallPlan([ssh, everything])).isEmpty)
      #expect(try Set(firewall.contents().map(\.subnet.description)) == ["192.0.2.1", "192.0.2.0/25"])
      #expect(try Self.table().contains("flags owner"))
      try shell("nft flush ruleset")
      #expect(try firewall.contents().count == 2)
    }
  }

  /// A table of an earlier version, or of an earlier kernel, is exchanged with its bans in one step.
  @Test func aTableOfAnotherKindIsExchanged() throws {
    try NetworkNamespace.with {
      do {
        let common = Self.common()
        _ = try common.prepare(FirewallPlan([ssh]))
        _ = try common.apply([add("sshd", "192.0.2.1"), add("sshd", "2001:db8::/48")], now: now())
      }
      #expect(try !Self.table().contains("owner"))
      let firewall = NFTablesActuator()
      _ = try firewall.prepare(FirewallPlan([ssh]))
      #expect(try Self.table().contains("flags owner"))
      #expect(try Set(firewall.contents().map(\.subnet.description)) == ["192.0.2.1", "2001:db8::/48"])
    }
  }

  @Test func otherWaysAreOtherHooks() throws {
    try NetworkNamespace.with {
      let firewall = NFTablesActuator()
      for (paths, hook) in [
        (Set([PacketPath.host]), "hook input priority filter - 10"),
        ([.containers], "hook forward priority filter - 10"),
        ([.host, .containers], "hook prerouting priority raw - 10"),
      ] {
        _ = try firewall.prepare(FirewallPlan([ssh], paths: paths))
        let text = try Self.table()
        #expect(text.contains(hook), "\(text)")
        #expect(text.components(separatedBy: "hook").count == 2)
        #expect(!text.contains("ct "), "conntrack runs for our sake")
      }
      // Once something translates ports, conntrack runs anyway, and is asked.
      _ = try firewall.prepare(FirewallPlan([ssh], paths: [.host]))
      try shell("iptables -t nat -A PREROUTING -p tcp --dport 2222 -j REDIRECT --to-ports 22")
      #expect(try firewall.needsCheck())
      #expect(try firewall.check(wanted: { [] }, now: now()).repairs.isEmpty)
      let text = try Self.table()
      #expect(text.contains("ct status dnat goto packets-translated") || text.contains("goto packets-translated"))
      #expect(text.contains("meta l4proto tcp ct original proto-dst 22 jump jail-sshd"), "\(text)")
    }
  }

  /// Where the table is like any other it is put back, with all its bans, in one step.
  @Test(arguments: [
    "nft flush ruleset", "nft delete table inet bailiff", "nft flush chain inet bailiff packets",
    "nft flush set inet bailiff ban-sshd-4-32", "nft add table inet bailiff { flags dormant ; }",
    "nft insert rule inet bailiff packets accept",
  ])
  func aCommonTableIsPutBackWithinASecond(_ damage: String) throws {
    try NetworkNamespace.with {
      let firewall = Self.common()
      let bans = (0..<2000).map { ban("sshd", "10.1.\($0 >> 8).\($0 & 255)") } + [ban("recidive", "2001:db8::/48")]
      _ = try firewall.prepare(FirewallPlan([ssh, everything]))
      _ = try firewall.restore(bans, now: now())
      let before = try Self.table().count
      let repairs = Mutex<[String]>([])
      let reconciler = Reconciler(firewall) { cause in
        do {
          let made = try firewall.check(wanted: { bans }, now: now()).repairs
          repairs.withLock { $0 += made.map { "\($0) [\(cause ?? "?")]" } }
        } catch {
          Issue.record(error)
        }
      }
      try reconciler.start()
      defer { reconciler.stop() }
      try shell(damage)
      let start = monotonicSeconds()
      while monotonicSeconds() - start < 20, repairs.withLock({ $0.isEmpty }) { usleep(2000) }
      let seconds = monotonicSeconds() - start
      #expect(try firewall.contents().count == 2001)
      #expect(try !firewall.needsCheck())
      #expect(try Self.table().count == before)
      let text = repairs.withLock { $0.joined(separator: "; ") }
      #expect(text.contains("nft (pid "))
      print("put back after \(Int(seconds * 1000)) ms: \(damage): \(text)")
      // It does not go on repairing what it repaired.
      let count = repairs.withLock { $0.count }
      usleep(1_500_000)
      #expect(repairs.withLock { $0.count } == count)
    }
  }

  /// Many elements are one transaction, and a set that holds them is dumped whole.
  @Test func aHundredThousandBansAreOneTransaction() throws {
    try NetworkNamespace.with {
      let firewall = NFTablesActuator()
      _ = try firewall.prepare(FirewallPlan([everything]))
      let time = now()
      let bans = (0..<100_000 as Range<UInt32>).map { i in
        Ban(
          jail: "recidive", identity: .network(Subnet(Address(ipv4: 0x0A00_0000 + i))), since: time,
          until: time.adding(.hours(1)), count: 1, number: 1, applied: true)
      }
      let start = monotonicSeconds()
      let report = try firewall.restore(bans, now: time)
      print("100,000 bans in \(Int((monotonicSeconds() - start) * 1000)) ms")
      #expect(report.added == 100_000 && report.failed.isEmpty)
      #expect(try firewall.contents().count == 100_000)
      // On a busy machine some end a little later than wanted, as the kernel got them later than they were computed.
      let again = try firewall.restore(bans, now: now())
      #expect(again.kept + again.adjusted == 100_000 && again.added + again.removed == 0)
    }
  }

  /// Sets that would take the kernel minutes to list are not: what an earlier daemon has left is replaced in one step, and a lost
  /// table is put back whole.
  @Test func longSetsAreNotListed() throws {
    try NetworkNamespace.with {
      let (old, gone, new) = (ban("sshd", "192.0.2.1"), ban("sshd", "192.0.2.2"), ban("sshd", "192.0.2.3"))
      let (six, other) = (ban("sshd", "2001:db8::/64"), ban("recidive", "198.51.100.7", for: nil))
      do {
        let before = NFTablesActuator()
        _ = try before.prepare(FirewallPlan([ssh, everything]))
        #expect(try before.restore([old, gone, six, other], now: now()).added == 4)
      }
      let firewall = NFTablesActuator(faults: nil, mostListed: 2)
      _ = try firewall.prepare(FirewallPlan([ssh, everything]))
      #expect(try firewall.contents().count == 4)
      let wanted = [old, new, six, other]
      let report = try firewall.restore(wanted, now: now())
      #expect(report.added == 4 && report.failed.isEmpty)
      func held() throws -> Set<Subnet> { Set(try firewall.contents().map(\.subnet)) }
      let all = Set(wanted.compactMap(\.identity.subnet))
      #expect(try held() == all)
      // A check reads the short jail, and not the long one.
      _ = try firewall.apply(
        ["192.0.2.3", "198.51.100.7"].map { id in
          FirewallChange(.remove, jail: id == "192.0.2.3" ? "sshd" : "recidive", subnet: Subnet(id)!)
        }, now: now())
      #expect(
        try firewall.check(wanted: { wanted }, now: now()).repairs.map(\.kind) == [.bans(jail: "recidive", count: 1)])
      #expect(try held() == all.subtracting([Subnet("192.0.2.3")!]))
    }
  }

  @Test func aLostTableHasItsLongSetsAgain() throws {
    try NetworkNamespace.with {
      let firewall = Self.common(mostListed: 2)
      _ = try firewall.prepare(FirewallPlan([ssh]))
      let wanted = [ban("sshd", "192.0.2.1"), ban("sshd", "192.0.2.2"), ban("sshd", "192.0.2.3")]
      _ = try firewall.restore(wanted, now: now())
      try shell("nft flush ruleset")
      let repairs = try firewall.check(wanted: { wanted }, now: now()).repairs.map(\.kind)
      #expect(repairs == [.table, .bans(jail: "sshd", count: 3)])
      #expect(try firewall.contents().count == 3)
    }
  }

  /// A change that did not reach a long set, which no check lists, is put right by the next one all the same.
  @Test func whatDidNotReachALongSetIsPutRight() throws {
    try NetworkNamespace.with {
      let before = [ban("sshd", "192.0.2.1"), ban("sshd", "192.0.2.2"), ban("sshd", "192.0.2.3")]
      let after = before + [ban("sshd", "192.0.2.4")]
      var refused = 0
      for call in 1...200 {
        let firewall = NFTablesActuator(faults: FaultInjector(failing: call, with: EIO), mostListed: 2)
        defer { try? firewall.clear() }
        do {
          _ = try firewall.prepare(FirewallPlan([ssh]))
          _ = try firewall.restore(before, now: now())
        } catch { continue }
        do { _ = try firewall.apply([add("sshd", "192.0.2.4")], now: now()) } catch {
          refused += 1
          let repairs = try firewall.check(wanted: { after }, now: now()).repairs.map(\.kind)
          #expect(repairs == [.table])
          #expect(Set(try firewall.contents().map(\.subnet)) == Set(after.compactMap(\.identity.subnet)))
          #expect(try firewall.check(wanted: { after }, now: now()).repairs.isEmpty)
          continue
        }
        guard refused == 0 else { break }
      }
      #expect(refused > 0)
    }
  }
}
