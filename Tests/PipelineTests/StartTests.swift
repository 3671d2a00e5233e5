import AuditLog
import Firewall
import Foundation
import Model
import Synchronization
import System
import TestSupport
import Testing

@testable import Pipeline

/// What a start does first.
@Suite(.timeLimit(.minutes(2))) struct StartTests {
  /// A firewall that notes how many failures waited to become rows, as windows need them, when it was given the bans.
  private final class Observer: Actuator {
    let firewall = DryRunActuator()
    let database: String
    let seen = Mutex<[[Int]]>([])

    init(_ database: String) { self.database = database }

    func restore(_ bans: [Ban], now: Instant) throws(FirewallError) -> RestoreReport {
      let unindexed = (try? AuditStore.readOnly(path: database).statistics(at: now).unindexed) ?? -1
      seen.withLock { $0.append([bans.count, unindexed]) }
      return try firewall.restore(bans, now: now)
    }

    func prepare(_ plan: FirewallPlan) throws(FirewallError) -> [FirewallNotice] { try firewall.prepare(plan) }
    func apply(_ changes: [FirewallChange], now: Instant) throws(FirewallError) -> [ChangeOutcome] {
      try firewall.apply(changes, now: now)
    }
    func contents() throws(FirewallError) -> [KernelBan] { try firewall.contents() }
    func check(wanted: () -> [Ban], now: Instant) throws(FirewallError) -> FirewallCheck { FirewallCheck() }
    func needsCheck(thorough: Bool) throws(FirewallError) -> Bool { false }
    func packets() throws(FirewallError) -> [String: PacketCount] { [:] }
    func inventory() throws(FirewallError) -> [FirewallObject] { [] }
    func clear() throws(FirewallError) {}
    let backend = FirewallBackend.ipset
    let watch = RulesetWatch()
    let longestTimeout = TimeSpan.hours(1000)
  }

  /// Filling the windows of a store in which a flood ended takes seconds; who is banned must not get through meanwhile.
  @Test func bansHoldBeforeWindowsAreFilled() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 3)
    try bench.append([])
    let now = SystemClock.now()
    try FileManager.default.createDirectory(atPath: bench.path + "/state", withIntermediateDirectories: true)
    let store = try AuditStore(path: bench.database)
    var batch = FailureBatch()
    // Alike and at once, so that they become one row.
    for _ in 0..<2 {
      batch.append(Failure(time: now, address: Address("203.0.113.77")!, jail: 0, pattern: 0, source: 0))
    }
    let names = Names(
      jails: ["sshd"], patterns: [PatternName(filter: "sshd", name: "failed-password", file: "")], sources: ["log"])
    let bans = ["192.0.2.1", "2001:db8::/64", "198.51.100.0/24"].map { id in
      Decision(action: .ban, jail: "sshd", identity: Identity(id), time: now, until: now.adding(.hours(1)), count: 3)
    }
    try store.commit(batch, names: names, decisions: bans)
    store.close()

    let observer = Observer(bench.database)
    let daemon = try bench.daemon(observer)
    #expect(observer.seen.withLock { $0 } == [[3, 1]])
    #expect(
      try observer.contents().map(\.subnet.description).sorted() == ["192.0.2.1", "198.51.100.0/24", "2001:db8::/64"])
    daemon.start()
    // The window holds the two from before.
    try bench.append([Bench.failure("203.0.113.77", user: "root")])
    try await poll("a fourth ban") { try observer.contents().count == 4 }
    let applied = await daemon.onLoop { loop in loop.allBans().map(\.applied) }
    #expect(applied == [true, true, true, true])
    await stop(daemon)
  }
}
