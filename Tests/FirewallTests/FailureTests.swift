import Foundation
import Model
import Synchronization
import System
import TestSupport
import Testing

@testable import Firewall

/// What is true after something failed.
@Suite(.serialized) struct FailureTests {
  private static let bans =
    // Longer than the slowest machine takes for this suite.
    (0..<1200).map { ban("sshd", "10.1.\($0 >> 8).\($0 & 255)", for: 86_400) }
    + [ban("recidive", "2001:db8::/64", for: 86_400)]

  /// All that the engine does in a life, each act again when it failed, as the engine does.
  private static func life(_ backend: Backend, _ firewall: any Actuator, failed: (any Error) -> Void) throws {
    func act(_ body: () throws -> Void) throws {
      do { try body() } catch {
        failed(error)
        try body()
      }
    }
    func prepare(_ targets: [FirewallTarget]) throws {
      // A failure may also be a notice, when one family or one old set is what failed.
      if let notice = try firewall.prepare(FirewallPlan(targets, chains: ["INPUT"])).first {
        failed(FirewallError(.programFailed, notice.description))
        #expect(try firewall.prepare(FirewallPlan(targets, chains: ["INPUT"])).isEmpty)
      }
    }
    try act { try prepare([ssh, everything, FirewallTarget(jail: "old", ports: .all)]) }
    try act {
      let report = try firewall.restore(bans, now: now())
      #expect(report.failed.isEmpty)
    }
    try act {
      let changes = [add("old", "192.0.2.1"), FirewallChange(.remove, jail: "sshd", subnet: Subnet("10.9.9.9")!)]
      let outcomes = try firewall.apply(changes, now: now())
      #expect(outcomes == [.applied, .applied])
    }
    try act { try prepare([ssh, everything]) }
    switch backend {
    case .ipset:
      try shell("iptables -F BAILIFF")
      try shell("ipset flush bailiff-recidive-6")
    case .nftables:
      // The table is nobody else's to change, so there is nothing that could be damaged.
      #expect(throws: (any Error).self) { try shell("nft flush table inet bailiff") }
    }
    try act { _ = try firewall.check(wanted: { bans }, now: now()) }
  }

  /// The failure may also fall on one of these questions.
  private static func twice<T>(_ ask: () throws -> T) throws -> T {
    do { return try ask() } catch { return try ask() }
  }

  private static func isWhole(_ backend: Backend, _ firewall: any Actuator) throws {
    let held = try twice { try firewall.contents() }
    #expect(held.count == bans.count)
    #expect(Set(held.map(\.subnet)) == Set(bans.compactMap(\.identity.subnet)))
    #expect(try !twice { try firewall.needsCheck(thorough: true) })
    switch backend {
    case .ipset:
      #expect(try !shell("ipset list -name").contains("old"))
      #expect(try shell("iptables -S INPUT") == "-P INPUT ACCEPT\n-A INPUT -j BAILIFF\n")
    case .nftables: #expect(try !shell("nft list table inet bailiff").contains("old"))
    }
  }

  @Test(arguments: FakePrograms.Failure.allCases) func theNthProgramFails(_ how: FakePrograms.Failure) throws {
    var n = 1
    while true {
      let fake = try FakePrograms(failing: n, how: how)
      defer { fake.remove() }
      let failing = n
      let reached = try NetworkNamespace.with {
        var failures: [String] = []
        let firewall = IPSetActuator(directories: [fake.path] + Program.systemDirectories)
        try Self.life(.ipset, firewall) { failures.append("\($0)") }
        let made = fake.calls.count
        try Self.isWhole(.ipset, firewall)
        // Nothing fails in silence, except what is tried again by itself, and counting.
        let reached = made >= failing
        let call = reached ? fake.calls[failing - 1] : ""
        let isSilent = call.hasPrefix("ipset destroy") || call.hasSuffix("-S BAILIFF -v")
        #expect(!reached || isSilent || failures.count == 1, "\(failing): \(call): \(failures)")
        for failure in failures { #expect(!failure.contains("\n")) }
        return reached
      }
      guard reached else { break }
      n += 1
      try #require(n < 100)
    }
    print("programs: each of \(n - 1) calls failed once (\(how)), and all was well afterwards")
    #expect(n > 10)
  }

  @Test(arguments: Backend.allCases) func theNthNetlinkCallFails(_ backend: Backend) throws {
    var n = 1
    while true {
      let faults = FaultInjector(failing: n, with: ENOBUFS)
      let failing = n
      try NetworkNamespace.with {
        let firewall = backend.make(faults: faults)
        var failures = 0
        try Self.life(backend, firewall) { _ in failures += 1 }
        try Self.isWhole(backend, firewall)
        #expect(failures <= 1, "\(failing)")
      }
      guard faults.isSpent else { break }
      n += 1
      try #require(n < 400)
    }
    print("\(backend): each of \(n - 1) netlink calls failed once, and all was well afterwards")
    #expect(n > 20)
  }

  @Test(arguments: Backend.allCases) func withoutPermissionItSaysSo(_ backend: Backend) throws {
    try NetworkNamespace.with {
      let firewall = backend.make(faults: FaultInjector(failing: 2, with: EPERM))
      let error = #expect(throws: FirewallError.self) { try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"])) }
      #expect(error?.code == .notPermitted)
      #expect(error?.message.contains("CAP_NET_ADMIN") == true)
    }
  }

  @Test func withoutARawSocketItSaysSo() throws {
    let fake = try FakePrograms(["ipset", "iptables", "ip6tables", "ip6tables-restore"])
    defer { fake.remove() }
    try """
    #!/bin/sh
    exec setpriv --bounding-set=-all,+net_admin --inh-caps=-all,+net_admin /usr/sbin/iptables-restore "$@"

    """.write(toFile: "\(fake.path)/iptables-restore", atomically: false, encoding: .utf8)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: "\(fake.path)/iptables-restore")
    try NetworkNamespace.with {
      let error = #expect(throws: FirewallError.self) {
        try IPSetActuator(directories: [fake.path]).prepare(FirewallPlan([ssh], chains: ["INPUT"]))
      }
      #expect(error?.code == .notPermitted)
      #expect(error?.message.contains("CAP_NET_RAW") == true)
    }
  }

  @Test func whereIPv6CannotBeFilteredIPv4IsAllTheSame() throws {
    let fake = try FakePrograms(["ipset", "iptables", "iptables-restore", "ip6tables"])
    defer { fake.remove() }
    try NetworkNamespace.with {
      let firewall = IPSetActuator(directories: [fake.path])
      let notices = try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"]))
      #expect(
        notices.count == 1 && notices[0].description.hasPrefix("IPv6 addresses are not blocked: ip6tables-restore"))
      let outcomes = try firewall.apply([add("sshd", "192.0.2.1"), add("sshd", "2001:db8::1")], now: now())
      #expect(outcomes.map(\.isApplied) == [true, false])
      #expect(try !firewall.needsCheck(thorough: true))
    }
  }

  @Test func aMissingProgramIsNamedWithItsPackage() throws {
    for missing in ["ipset", "iptables-restore"] {
      let fake = try FakePrograms(FakePrograms.names.filter { $0 != missing })
      defer { fake.remove() }
      try NetworkNamespace.with {
        let error = #expect(throws: FirewallError.self) {
          try IPSetActuator(directories: [fake.path]).prepare(FirewallPlan([ssh], chains: ["INPUT"]))
        }
        #expect(error?.code == .programMissing)
        #expect(error?.message.contains("apt install") == true)
      }
    }
  }

  @Test func withoutIp6tablesIPv4IsStillBlocked() throws {
    let fake = try FakePrograms(["ipset", "iptables", "iptables-restore"])
    defer { fake.remove() }
    try NetworkNamespace.with {
      let firewall = IPSetActuator(directories: [fake.path])
      let notices = try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"]))
      #expect(notices.count == 1 && notices[0].description.contains("IPv6"))
      let outcomes = try firewall.apply([add("sshd", "2001:db8::1"), add("sshd", "192.0.2.1")], now: now())
      guard case .failed(let error) = outcomes[0] else {
        Issue.record("an IPv6 ban is said to be in force")
        return
      }
      #expect(error.code == .familyUnavailable)
      #expect(outcomes[1] == .applied)
      #expect(try !firewall.needsCheck(thorough: true))
    }
  }

  @Test func programsGetArgumentsAndNoShell() throws {
    let fake = try FakePrograms()
    defer { fake.remove() }
    try NetworkNamespace.with {
      let firewall = IPSetActuator(directories: [fake.path])
      _ = try firewall.prepare(FirewallPlan([FirewallTarget(jail: "$(reboot);`x`", ports: .all)], chains: ["INPUT"]))
    }
    #expect(fake.calls.contains("iptables -w 10 -t filter -S"))
    #expect(fake.calls.contains("ip6tables-restore -w 10 --noflush"))
    let number = try #require(fake.calls.firstIndex(of: "ipset -exist restore")) + 1
    let name = SetName.of(jail: "$(reboot);`x`", .ipv4)
    #expect(
      fake.input(of: number).hasPrefix("create \(name) hash:net family inet hashsize 1024 maxelem 4194304 timeout 0\n"))
    #expect(
      name.utf8.allSatisfy {
        ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || "-_~.".utf8.contains($0)
      })
  }

  @Test func iptablesLockIsWaitedFor() throws {
    // Legacy iptables has a lock, here one of our own.
    let legacy = try LegacyPrograms()
    defer { legacy.remove() }
    let lock = legacy.path + "/lock"
    let fake = try FakePrograms(["ipset"])
    defer { fake.remove() }
    for name in ["iptables", "iptables-restore", "ip6tables", "ip6tables-restore"] {
      let script = "#!/bin/sh\nXTABLES_LOCKFILE=\(lock) exec \(legacy.path)/\(name) \"$@\"\n"
      try script.write(toFile: "\(fake.path)/\(name)", atomically: false, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(fake.path)/\(name)")
    }
    try NetworkNamespace.with {
      let other = try Background("flock", "-x", lock, "sleep", "1.5")
      defer { other.stop() }
      while !FileManager.default.fileExists(atPath: lock) { usleep(1000) }
      usleep(100_000)
      let start = monotonicSeconds()
      let firewall = IPSetActuator(directories: [fake.path])
      #expect(try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"])).isEmpty)
      #expect(monotonicSeconds() - start > 1)
      #expect(try !firewall.needsCheck(thorough: true))
    }
  }

  @Test(arguments: Backend.allCases) func aFullSetFailsForWhatDoesNotFitAndForNothingElse(_ backend: Backend) throws {
    try NetworkNamespace.with {
      let firewall = backend.make(maxElements: 100)
      _ = try firewall.prepare(FirewallPlan([ssh, everything], chains: ["INPUT"]))
      let outcomes = try firewall.apply(
        (0..<150).map { add("sshd", "10.0.0.\($0)") } + [add("recidive", "192.0.2.1")], now: now())
      #expect(outcomes.count { $0 == .applied } == 101)
      #expect(outcomes.last == .applied)
      guard case .failed(let error) = outcomes[149] else {
        Issue.record("the 150th fits")
        return
      }
      #expect(error.code == .setFull)
    }
  }

  @Test func aSetOfAnotherKindIsMadeAnew() throws {
    try NetworkNamespace.with {
      let small = IPSetActuator(directories: Program.systemDirectories, maxElements: 100)
      _ = try small.prepare(FirewallPlan([ssh], chains: ["INPUT"]))
      _ = try small.apply([add("sshd", "192.0.2.1")], now: now())
      let firewall = IPSetActuator()
      #expect(try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"])).isEmpty)
      #expect(try firewall.apply([add("sshd", "192.0.2.0/24")], now: now()) == [.applied])
      #expect(try shell("ipset list -t bailiff-sshd-4").contains("maxelem 4194304"))
      #expect(try !firewall.needsCheck(thorough: true))
    }
  }

  @Test(arguments: Backend.allCases) func changesStayInOrder(_ backend: Backend) throws {
    try NetworkNamespace.with {
      let firewall = backend.make()
      _ = try firewall.prepare(FirewallPlan([ssh], chains: ["INPUT"]))
      var changes: [FirewallChange] = []
      for i in 0..<3000 {
        let subnet = Subnet(Address(ipv4: 0x0A00_0000 + UInt32(i % 7)))
        changes.append(
          i % 3 == 1
            ? FirewallChange(.remove, jail: "sshd", subnet: subnet)
            : FirewallChange(.add, jail: "sshd", subnet: subnet, until: now().adding(.seconds(60 + Int64(i)))))
      }
      var wanted: [Subnet: Int64] = [:]
      for (i, change) in changes.enumerated() { wanted[change.subnet] = change.action == .add ? 60 + Int64(i) : nil }
      #expect(try firewall.apply(changes, now: now()).filter { $0 != .applied }.isEmpty)
      let held = Dictionary(uniqueKeysWithValues: try firewall.contents().map { ($0.subnet, $0.remaining!.seconds) })
      #expect(Set(held.keys) == Set(wanted.keys))
      for (subnet, seconds) in held { #expect(abs(seconds - wanted[subnet]!) <= 4) }
    }
  }
}
