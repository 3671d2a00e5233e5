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
  /// A firewall that notes how many bans it was given at once.
  private final class Observer: Actuator {
    let firewall = DryRunActuator()
    let seen = Mutex<[Int]>([])

    func restore(_ bans: some Sequence<Ban>, now: Instant) throws(FirewallError) -> RestoreReport {
      seen.withLock { $0.append(bans.reduce(0) { count, _ in count + 1 }) }
      return try firewall.restore(bans, now: now)
    }

    func prepare(_ plan: FirewallPlan) throws(FirewallError) -> [FirewallNotice] { try firewall.prepare(plan) }
    func apply(_ changes: [FirewallChange], now: Instant) throws(FirewallError) -> [ChangeOutcome] {
      try firewall.apply(changes, now: now)
    }
    func contents() throws(FirewallError) -> [KernelBan] { try firewall.contents() }
    func check<Wanted: Sequence<Ban>>(wanted: () -> Wanted, now: Instant) throws(FirewallError) -> FirewallCheck {
      FirewallCheck()
    }
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

    let observer = Observer()
    let daemon = try bench.daemon(observer)
    #expect(observer.seen.withLock { $0 } == [3])
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

  /// "Ever" is what the store says, not since the start.
  @Test func countersGoOnAfterARestart() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 3)
    try bench.append([])
    for (expected, bans) in [(4, 1), (6, 1)] {
      let daemon = try bench.daemon()
      daemon.start()
      let more = daemon.health.committed == 0 ? 4 : 2
      try bench.append((0..<more).map { Bench.failure("203.0.113.77", user: "root", port: 4000 + $0) })
      try await poll("all failures") { daemon.jailReports.first?.failures == expected }
      try await poll("all are stored") { daemon.health.committed == expected }
      #expect(daemon.jailReports[0].bansEver == bans)
      await stop(daemon)
    }
  }

  private func removeStore(_ bench: Bench) {
    for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: bench.database + suffix) }
  }

  /// Without a store the kernel is what remembers.
  @Test func aStartWithoutAStoreTakesOverWhatTheFirewallHolds() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 3)
    try bench.append([])
    let firewall = DryRunActuator()
    let first = try bench.daemon(firewall)
    first.start()
    try bench.append((0..<3).map { Bench.failure("203.0.113.77", user: "root", port: 4000 + $0) })
    try await poll("a ban") { try firewall.contents().count == 1 }
    await stop(first)
    removeStore(bench)

    let second = try bench.daemon(firewall, start: .end)
    second.start()
    try await poll("the ban in the new store") { try bench.rows(.ban).count == 1 }
    #expect(try firewall.contents().map(\.subnet.description) == ["203.0.113.77"])
    #expect(await second.onLoop { loop in loop.allBans().count } == 1)
    #expect(try bench.rows(.ban).map(\.cause) == ["reconciled"])
    await stop(second)
  }

  /// Somebody clears the directory while the daemon runs: from then on there is a new store, which knows who is banned.
  @Test func aStoreThatIsRemovedIsBegunAgain() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 3)
    try bench.append([])
    let firewall = DryRunActuator()
    let daemon = try bench.daemon(firewall)
    daemon.start()
    try bench.append((0..<3).map { Bench.failure("203.0.113.77", user: "root", port: 4000 + $0) })
    try await poll("a ban that is stored") { try bench.rows(.ban).count == 1 }
    removeStore(bench)
    try bench.append([Bench.failure("203.0.113.78", user: "root")])
    try await poll("a new store with the ban") { (try? bench.rows(.ban).map(\.cause)) == ["reconciled"] }
    try await poll("the failure in it") { try bench.rows(.failure).map(\.id) == ["203.0.113.78"] }
    #expect(try bench.rows(.operator).map(\.action).contains("store-gone"))
    await stop(daemon)
    #expect(try AuditStore.readOnly(path: bench.database).verify().isWhole)
    // After a restart nothing is read twice.
    let next = try bench.daemon(firewall)
    next.start()
    try bench.append([Bench.failure("203.0.113.79", user: "root")])
    try await poll("the next failure") { try bench.rows(.failure).count > 1 }
    #expect(try bench.rows(.failure).map(\.id) == ["203.0.113.79", "203.0.113.78"])
    await stop(next)
  }
}
