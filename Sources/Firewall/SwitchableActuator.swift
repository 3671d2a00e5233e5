public import Model
import Synchronization

/// An actuator that a reload can exchange for one of another backend while bans hold.
public final class SwitchableActuator: Actuator {
  private let current: Mutex<any Actuator>

  public init(_ actuator: any Actuator) { current = Mutex(actuator) }

  private var actuator: any Actuator { current.withLock { $0 } }

  /// Has the new backend hold `bans` before the old one gives up its own, so that no packet finds neither. When the new one
  /// cannot be made ready, nothing has changed. Call it from the thread that calls `apply`.
  ///
  /// What the old one could not take away is a notice: its rules refuse packets of bans that nobody lifts there.
  public func replace(
    with new: any Actuator, plan: FirewallPlan, bans: some Sequence<Ban>, now: Instant
  ) throws(FirewallError) -> [FirewallNotice] {
    var notices = try new.prepare(plan)
    let report = try new.restore(bans, now: now)
    if let failed = report.failed.first {
      try? new.clear()
      throw failed.error
    }
    let old = current.withLock { current in
      defer { current = new }
      return current
    }
    do { try old.clear() } catch {
      notices.append(
        FirewallNotice("what the \(old.backend.rawValue) backend had made cannot be removed: \(error.message)"))
    }
    return notices
  }

  public var backend: FirewallBackend { actuator.backend }
  public var watch: RulesetWatch { actuator.watch }
  public var longestTimeout: TimeSpan { actuator.longestTimeout }

  public func prepare(_ plan: FirewallPlan) throws(FirewallError) -> [FirewallNotice] { try actuator.prepare(plan) }

  public func apply(_ changes: [FirewallChange], now: Instant) throws(FirewallError) -> [ChangeOutcome] {
    try actuator.apply(changes, now: now)
  }

  public func contents() throws(FirewallError) -> [KernelBan] { try actuator.contents() }

  public func restore(_ bans: some Sequence<Ban>, now: Instant) throws(FirewallError) -> RestoreReport {
    try actuator.restore(bans, now: now)
  }

  public func check<Wanted: Sequence<Ban>>(wanted: () -> Wanted, now: Instant) throws(FirewallError) -> FirewallCheck {
    try actuator.check(wanted: wanted, now: now)
  }

  public func needsCheck(thorough: Bool) throws(FirewallError) -> Bool { try actuator.needsCheck(thorough: thorough) }

  public func packets() throws(FirewallError) -> [String: PacketCount] { try actuator.packets() }

  public func inventory() throws(FirewallError) -> [FirewallObject] { try actuator.inventory() }

  public func clear() throws(FirewallError) { try actuator.clear() }
}
