import AuditLog
import Firewall
import Foundation
import Model
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// Who is told what is stored never holds up what is decided.
@Suite(.timeLimit(.minutes(3))) struct ConsumerTests {
  @Test func decisionsGoOnWhileAConsumerHangs() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 2)
    try bench.append([])
    let gate = DispatchSemaphore(value: 0)
    let told = Mutex<[String]>([])
    let outputs = [
      DecisionConsumer(name: "webhook", kinds: [.ban], isRequired: true) { rows in
        gate.wait()
        gate.signal()
        told.withLock { $0 += rows.map(\.id) }
        return .done
      }
    ]
    let firewall = Recorder()
    let daemon = try Daemon(
      bench.settings(), firewall: firewall, log: RunLog(isQuiet: true), start: .beginning,
      load: { Settings.Reading(settings: try bench.settings()) },
      outputs: { _ in outputs })
    daemon.start()
    // Long after the queues of a consumer that is waited for would be full.
    let addresses = (0..<2000).map { "10.7.\($0 / 250).\($0 % 250)" }
    for part in stride(from: 0, to: addresses.count, by: 100) {
      try bench.append(
        addresses[part..<part + 100].flatMap { [Bench.failure($0, user: "a"), Bench.failure($0, user: "b")] })
      try await poll("bans \(part) and on") { firewall.banned.withLock { $0.count } >= part + 100 }
    }
    #expect(told.withLock { $0.isEmpty })
    try await poll("its lag") { daemon.consumers.first?.behind == addresses.count }
    #expect(daemon.consumers.first?.behindSince != nil)
    gate.signal()
    try await poll("everything") { told.withLock { $0.count } == addresses.count }
    #expect(told.withLock { Set($0) } == Set(addresses))
    // A reload keeps its place.
    _ = try await daemon.reload(uid: 0)
    try bench.append([Bench.failure("10.8.0.1", user: "a"), Bench.failure("10.8.0.1", user: "b")])
    try await poll("one more") { told.withLock { $0.last } == "10.8.0.1" }
    await stop(daemon)
    #expect(told.withLock { $0.count } == addresses.count + 1)
  }

  /// A kernel that notes who was banned, and when that was said.
  private final class Recorder: Actuator {
    let firewall = DryRunActuator()
    let banned = Mutex<[String]>([])

    func restore(_ bans: some Sequence<Ban>, now: Instant) throws(FirewallError) -> RestoreReport {
      try firewall.restore(bans, now: now)
    }
    func prepare(_ plan: FirewallPlan) throws(FirewallError) -> [FirewallNotice] { try firewall.prepare(plan) }
    func apply(_ changes: [FirewallChange], now: Instant) throws(FirewallError) -> [ChangeOutcome] {
      let outcomes = try firewall.apply(changes, now: now)
      banned.withLock { $0 += changes.map(\.subnet.description) }
      return outcomes
    }
    func contents() throws(FirewallError) -> [KernelBan] { try firewall.contents() }
    func check<Wanted: Sequence<Ban>>(wanted: () -> Wanted, now: Instant) throws(FirewallError) -> FirewallCheck {
      FirewallCheck()
    }
    func needsCheck(thorough: Bool) throws(FirewallError) -> Bool { false }
    func packets() throws(FirewallError) -> [String: PacketCount] { [:] }
    func inventory() throws(FirewallError) -> [FirewallObject] { [] }
    func clear() throws(FirewallError) {}
    let backend = FirewallBackend.dryRun
    let watch = RulesetWatch()
    let longestTimeout = TimeSpan.hours(1000)
  }
}
