public import Model
import Synchronization

/// Remembers what a firewall would hold, and changes nothing.
public final class DryRunActuator: Actuator {
  private struct Key: Hashable {
    var jail: String
    var subnet: Subnet
  }

  private struct State {
    var jails: Set<String> = []
    /// When each ban ends; nil: never.
    var bans: [Key: Instant?] = [:]
    /// The latest time that was named: bans that ended before it are forgotten.
    var now = Instant(microseconds: .min)
    /// Above this many, those that are over are dropped: no kernel does it here.
    var limit = 1024

    mutating func advance(to time: Instant) {
      if time > now { now = time }
      guard bans.count > limit else { return }
      bans = bans.filter { holds($0.value) }
      limit = max(1024, 2 * bans.count)
    }

    func holds(_ until: Instant?) -> Bool { until.map { $0 > now } ?? true }
  }

  private let state = Mutex(State())

  public init() {}

  /// How many bans are kept, whether over or not.
  var remembered: Int { state.withLock { $0.bans.count } }

  public var backend: FirewallBackend { .dryRun }

  public var longestTimeout: TimeSpan { TimeSpan(microseconds: .max) }

  public func prepare(_ plan: FirewallPlan) throws(FirewallError) -> [FirewallNotice] {
    try plan.validate()
    state.withLock { state in
      state.jails = Set(plan.targets.map(\.jail))
      let jails = state.jails
      state.bans = state.bans.filter { jails.contains($0.key.jail) }
    }
    return []
  }

  public func apply(_ changes: [FirewallChange], now: Instant) throws(FirewallError) -> [ChangeOutcome] {
    state.withLock { state in
      state.advance(to: now)
      return changes.map { change in
        guard state.jails.contains(change.jail) else {
          return .failed(FirewallError(.setMissing, "the firewall knows no jail \(change.jail)"))
        }
        if let refusal = change.refusal { return .failed(refusal) }
        let key = Key(jail: change.jail, subnet: change.subnet)
        if change.action == .remove {
          state.bans.removeValue(forKey: key)
          return .applied
        }
        guard change.until.map({ $0 > now }) ?? true else { return .expired }
        state.bans.updateValue(change.until, forKey: key)
        return .applied
      }
    }
  }

  public func contents() throws(FirewallError) -> [KernelBan] {
    state.withLock { state in
      state.bans.compactMap { key, until in
        guard state.holds(until) else { return nil }
        return KernelBan(jail: key.jail, subnet: key.subnet, remaining: until.map { $0.since(state.now) })
      }
    }
  }

  public func restore(_ bans: some Sequence<Ban>, now: Instant) throws(FirewallError) -> RestoreReport {
    state.withLock { state in
      state.advance(to: now)
      var report = RestoreReport()
      var held: [Key: Instant?] = [:]
      for ban in bans {
        guard let subnet = ban.identity.subnet, subnet.prefixLength > 0, state.jails.contains(ban.jail),
          ban.until.map({ $0 > now }) ?? true
        else {
          report.skipped += 1
          continue
        }
        let key = Key(jail: ban.jail, subnet: subnet)
        switch state.bans[key] {
        case .none: report.added += 1
        case .some(ban.until): report.kept += 1
        case .some: report.adjusted += 1
        }
        held.updateValue(ban.until, forKey: key)
      }
      report.removed = state.bans.count { held[$0.key] == nil && state.holds($0.value) }
      state.bans = held
      return report
    }
  }

  public func check<Wanted: Sequence<Ban>>(wanted: () -> Wanted, now: Instant) throws(FirewallError) -> FirewallCheck {
    state.withLock { $0.advance(to: now) }
    return FirewallCheck()
  }

  public func needsCheck(thorough: Bool) throws(FirewallError) -> Bool { false }

  public func packets() throws(FirewallError) -> [String: PacketCount] { [:] }

  public func inventory() throws(FirewallError) -> [FirewallObject] { [] }

  public func clear() throws(FirewallError) { state.withLock { $0 = State() } }

  public var watch: RulesetWatch { RulesetWatch() }
}
