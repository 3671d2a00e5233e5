import CLinux
import CMnl
import Foundation
import Model
import Synchronization
import System
import TestSupport
import Testing

@testable import Firewall

/// Other programs take our things away; they come back within a second, and nothing else changes.
@Suite(.serialized) struct ReconcilerTests {
  /// Collects what was repaired, as the engine would.
  private final class Repairs: Sendable {
    let all = Mutex<[(repair: Repair, cause: String?)]>([])

    func text() -> String { all.withLock { $0.map { "\($0.repair) [\($0.cause ?? "?")]" }.joined(separator: "; ") } }
  }

  private static let bans = [
    ban("sshd", "192.0.2.1"), ban("sshd", "2001:db8::/64"), ban("recidive", "198.51.100.7", for: nil),
  ]

  /// Prepares, does `damage`, and waits until everything is as before; returns the seconds that took.
  private func repaired(
    directories: [String] = Program.systemDirectories, _ damage: @escaping @Sendable () throws -> Void
  ) throws -> (seconds: Double, repairs: [Repair.Kind], text: String) {
    try NetworkNamespace.with {
      let firewall = IPSetActuator(directories: directories)
      let programs = Programs(directories: directories)
      try programs.run("iptables", ["-N", "CLOUDRON"])
      try programs.run("iptables", ["-A", "INPUT", "-j", "CLOUDRON"])
      _ = try firewall.prepare(FirewallPlan([ssh, everything], chains: ["INPUT"]))
      _ = try firewall.restore(Self.bans, now: now())
      let repairs = Repairs()
      let reconciler = Reconciler(firewall) { cause in
        do {
          let made = try firewall.check(wanted: { Self.bans }, now: now())
          repairs.all.withLock { $0 += made.repairs.map { ($0, cause) } }
        } catch {
          Issue.record(error)
        }
      }
      try reconciler.start()
      defer { reconciler.stop() }
      // The first look, which remembers how many bans there are.
      Thread.sleep(forTimeInterval: 1.2)
      #expect(repairs.text() == "")
      try damage()
      let start = monotonicSeconds()
      var whole = false
      while !whole, monotonicSeconds() - start < 20 {
        Thread.sleep(forTimeInterval: 0.005)
        whole = try firewall.contents().count == 3 && !firewall.needsCheck(thorough: true)
      }
      let seconds = monotonicSeconds() - start
      #expect(whole, "not repaired: \(repairs.text())")
      // It does not go on repairing what it repaired.
      Thread.sleep(forTimeInterval: 0.3)
      let count = repairs.all.withLock { $0.count }
      Thread.sleep(forTimeInterval: 1.1)
      #expect(repairs.all.withLock { $0.count } == count, "it repairs again and again: \(repairs.text())")
      return (seconds, repairs.all.withLock { $0.map(\.repair.kind) }, repairs.text())
    }
  }

  @Test func aJailWithoutBansIsLeftAlone() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"]))
      #expect(try firewall.check(wanted: { [] }, now: now()).repairs.isEmpty)
      _ = try firewall.apply([add("sshd", "192.0.2.1", for: 2)], now: now())
      // About to end: the kernel may be ahead of us, and that is no reason to put it back.
      try shell("ipset del bailiff-sshd-4 192.0.2.1")
      #expect(try firewall.check(wanted: { [ban("sshd", "192.0.2.1", for: 2)] }, now: now()).repairs.isEmpty)
    }
  }

  private func report(_ what: String, _ result: (seconds: Double, repairs: [Repair.Kind], text: String)) {
    print("reconciled after \(Int(result.seconds * 1000)) ms: \(what): \(result.text)")
  }

  @Test func inputIsFlushed() throws {
    let result = try repaired { try shell("iptables -F INPUT") }
    report("iptables -F INPUT", result)
    #expect(result.repairs == [.hook(.ipv4, parent: "INPUT")])
    #expect(result.text.contains("[iptables (pid "))
  }

  @Test func ourChainIsEmptied() throws {
    let result = try repaired { try shell("ip6tables -F BAILIFF") }
    report("ip6tables -F BAILIFF", result)
    #expect(result.repairs == [.chain(.ipv6)])
  }

  @Test func aRuleIsPutIntoOurChain() throws {
    let result = try repaired { try shell("iptables -I BAILIFF -s 192.0.2.1 -j ACCEPT") }
    report("iptables -I BAILIFF … ACCEPT", result)
    #expect(result.repairs == [.chain(.ipv4)])
  }

  @Test func theFirewallIsRebooted() throws {
    let result = try repaired {
      try shell(
        "iptables-restore", input: "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 80 -j ACCEPT\nCOMMIT\n")
      try shell("ip6tables-restore", input: "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n")
    }
    report("iptables-restore of another ruleset", result)
    #expect(
      Set(result.repairs) == [
        .chain(.ipv4), .chain(.ipv6), .hook(.ipv4, parent: "INPUT"), .hook(.ipv6, parent: "INPUT"),
      ])
  }

  @Test func theSetsAreDestroyed() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare(FirewallPlan([ssh, everything], chains: ["INPUT"]))
      _ = try firewall.restore(Self.bans, now: now())
      try shell("iptables -F")
      try shell("ip6tables -F")
      let sets = ["bailiff-sshd-4", "bailiff-sshd-6", "bailiff-recidive-4", "bailiff-recidive-6"]
      #expect(Programs().destroySets(sets).count == 0)
      #expect(try firewall.needsCheck(thorough: false))
      let repairs = try Set(firewall.check(wanted: { Self.bans }, now: now()).repairs.map(\.kind))
      #expect(
        repairs.isSuperset(
          of: sets.map { .set($0) } + [.bans(jail: "sshd", count: 2), .bans(jail: "recidive", count: 1)]))
      #expect(try firewall.contents().count == 3)
      #expect(try !firewall.needsCheck(thorough: true))
    }
  }

  @Test func aSetIsFlushed() throws {
    let result = try repaired { try shell("ipset flush bailiff-sshd-4") }
    report("ipset flush", result)
    #expect(result.repairs == [.bans(jail: "sshd", count: 1)])
  }

  @Test func legacyTablesAreFlushed() throws {
    let directory = try LegacyPrograms()
    defer { directory.remove() }
    let directories = [directory.path] + Program.systemDirectories
    let result = try repaired(directories: directories) {
      try Programs(directories: directories).run("iptables", ["-w", "-F", "INPUT"])
    }
    report("iptables-legacy -F INPUT", result)
    #expect(result.repairs == [.hook(.ipv4, parent: "INPUT")])
  }

  /// Docker and the like change their own chains all the time; that costs us nothing.
  @Test func othersChainsAreNotLookedAt() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      _ = try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"]))
      var socket = try NetlinkSocket(groups: 1 << (NFNLGRP_NFTABLES.rawValue - 1))
      func told(_ commands: [String]) throws -> RulesetEvent {
        for command in commands { try shell(command) }
        var event = RulesetEvent()
        var polls = [pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)]
        // Safe: the array's own count.
        while unsafe poll(&polls, 1, 200) > 0 { try socket.receive { event.read($0, firewall.watch) } }
        return event
      }
      let others = try told([
        "iptables -N DOCKER", "iptables -A DOCKER -j RETURN", "iptables -A FORWARD -j DOCKER", "iptables -F DOCKER",
        "iptables -t nat -N DOCKER", "ip6tables -N ufw6-before-input",
      ])
      #expect(others == RulesetEvent())
      _ = try firewall.apply([add("sshd", "192.0.2.1")], now: now())
      #expect(try told([]) == RulesetEvent())
      let ours = try told(["iptables -A INPUT -j ACCEPT"])
      #expect(ours.touched)
      #expect(ours.cause?.hasPrefix("iptables (pid ") == true)
    }
  }

  @Test func aChainThatAppearsLaterIsHooked() throws {
    try NetworkNamespace.with {
      let firewall = IPSetActuator()
      let notices = try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT", "DOCKER-USER"]))
      #expect(notices.count == 1 && notices[0].description.contains("DOCKER-USER"))
      #expect(try !firewall.needsCheck(thorough: true))
      try shell("iptables -N DOCKER-USER")
      try shell("iptables -A DOCKER-USER -j RETURN")
      #expect(try firewall.needsCheck(thorough: true))
      #expect(try firewall.check(wanted: { [] }, now: now()).repairs == [Repair(.hook(.ipv4, parent: "DOCKER-USER"))])
      #expect(
        try shell("iptables -S DOCKER-USER") == "-N DOCKER-USER\n-A DOCKER-USER -j BAILIFF\n-A DOCKER-USER -j RETURN\n")
    }
  }
}

/// A directory in which `iptables` and the others are the legacy programs.
struct LegacyPrograms {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "bailiff-legacy-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for name in ["iptables", "iptables-restore", "ip6tables", "ip6tables-restore"] {
      try FileManager.default.createSymbolicLink(
        atPath: "\(path)/\(name)", withDestinationPath: "/usr/sbin/xtables-legacy-multi")
    }
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }

  /// However much we change ourselves: what does not fit into a socket's buffer could be anybody's.
  @Test func ownChangesAreNoNews() throws {
    try NetworkNamespace.with {
      let firewall = NFTablesActuator()
      _ = try firewall.prepare(FirewallPlan([ssh, everything]))
      let looks = Mutex(0)
      let reconciler = Reconciler(firewall) { _ in looks.withLock { $0 += 1 } }
      try reconciler.start()
      defer { reconciler.stop() }
      Thread.sleep(forTimeInterval: 0.2)
      for piece in UInt32(0)..<4 {
        let changes = (0..<50_000).map { number in
          FirewallChange(
            .add, jail: "sshd", subnet: Subnet(Address(ipv4: 0x0B00_0000 + piece << 16 + UInt32(number))), until: nil)
        }
        #expect(try firewall.apply(changes, now: now()).allSatisfy { $0 == .applied })
      }
      Thread.sleep(forTimeInterval: 1.5)
      #expect(looks.withLock { $0 } == 0)
      #expect(try firewall.contents().count == 200_000)
    }
  }
}
