public import Model
import Synchronization

extension IPSetActuator {
  public func restore(_ bans: [Ban], now: Instant) throws(FirewallError) -> RestoreReport {
    try state.withLock { state throws(FirewallError) in
      try reconcile(bans, now: now, state, sets: nil, removeOthers: true)
    }
  }

  public func check(wanted: () -> [Ban], now: Instant) throws(FirewallError) -> [Repair] {
    try state.withLock { state throws(FirewallError) in
      var repairs: [Repair] = []
      var client = try IPSetClient(faults: faults)
      // Sets first, then their bans, then the rules: whatever a rule drops, it drops at once.
      var headers = try client.headers()
      let missing = missing(headers, state)
      if !missing.isEmpty {
        try createSets(missing.map(\.line))
        repairs += missing.map { Repair(.set($0.name)) }
        headers = try client.headers()
      }
      repairs += try restoreLost(wanted(), headers, now: now, state)
      for family in state.families {
        repairs += try write(family, programs.filterTable(family), &state).map { Repair($0) }
      }
      return repairs
    }
  }

  public func needsCheck(thorough: Bool) throws(FirewallError) -> Bool {
    // Not under the lock: decisions do not wait for a look.
    let seen = state.withLock { $0 }
    if try setsLost(seen) { return true }
    // Legacy iptables tells nobody of a change, so its rules are always looked at.
    guard thorough || seen.isLegacy else { return false }
    for family in seen.families {
      let table = try programs.filterTable(family)
      let rules = ChainRules.rules(for: seen.targets, family)
      guard table.hasChain, seen.accepts(table.rules, rules, family) else { return true }
      for parent in seen.chains where table.chains.contains(parent) && table.hooks[parent] != 1 { return true }
    }
    return false
  }

  public var watchedChains: [String] { state.withLock { $0.chains } + [ChainRules.chain] }

  /// Is a set gone, or has one lost more than half of its bans since the last look? Bans that end by themselves can look
  /// like that too; then the check finds nothing.
  private func setsLost(_ seen: State) throws(FirewallError) -> Bool {
    var client = try IPSetClient(faults: faults)
    var counts: [String: Int] = [:]
    for set in wantedSets(seen) {
      guard let header = try client.header(of: set.name) else { return true }
      counts[set.name] = header.elements
    }
    return lastCounts.withLock { last in
      defer { last = counts }
      return counts.contains { name, count in last[name].map { count < $0 - $0 / 2 } ?? false }
    }
  }

  /// Puts back the bans of sets that hold fewer than they should.
  private func restoreLost(
    _ wanted: [Ban], _ headers: [IPSetClient.Header], now: Instant, _ state: State
  ) throws(FirewallError) -> [Repair] {
    var counts: [String: Int] = [:]
    // What ends within this time may be gone already by the kernel's clock.
    let soon = now.adding(.seconds(3))
    for ban in wanted {
      guard let subnet = ban.identity.subnet, let sets = state.jails[ban.jail] else { continue }
      if let until = ban.until, until <= soon { continue }
      counts[sets.name(subnet.isIPv4 ? .ipv4 : .ipv6), default: 0] += 1
    }
    let held = Dictionary(headers.map { ($0.name, $0.elements) }, uniquingKeysWith: { first, _ in first })
    let short = Set(counts.filter { (held[$0.key] ?? 0) < $0.value }.keys)
    guard !short.isEmpty else { return [] }
    var repairs: [Repair] = []
    for sets in state.jails.values.sorted(by: { $0.target.jail < $1.target.jail }) {
      let own = short.intersection([sets.ipv4, sets.ipv6])
      guard !own.isEmpty else { continue }
      let bans = wanted.filter { $0.jail == sets.target.jail }
      let report = try reconcile(bans, now: now, state, sets: own, removeOthers: false)
      if report.added > 0 { repairs.append(Repair(.bans(jail: sets.target.jail, count: report.added))) }
    }
    return repairs
  }

  private struct Key: Hashable {
    var jail: String
    var subnet: Subnet
  }

  /// Compares `bans` with what the sets hold (`sets` nil: all of them) and sends the difference.
  private func reconcile(
    _ bans: [Ban], now: Instant, _ state: State, sets: Set<String>?, removeOthers: Bool
  ) throws(FirewallError) -> RestoreReport {
    var report = RestoreReport()
    var client = try IPSetClient(faults: faults)
    var actual: [Key: UInt32] = [:]
    for jail in state.jails.values {
      for family in state.families where sets?.contains(jail.name(family)) ?? true {
        for (subnet, timeout) in try client.entries(of: jail.name(family)) {
          actual[Key(jail: jail.target.jail, subnet: subnet)] = timeout
        }
      }
    }
    var changes: [FirewallChange] = []
    var adjusting: Set<Int> = []
    for ban in bans {
      guard let subnet = ban.identity.subnet, let jail = state.jails[ban.jail],
        let timeout = Self.timeout(until: ban.until, now: now)
      else {
        report.skipped += 1
        continue
      }
      if let sets, !sets.contains(jail.name(subnet.isIPv4 ? .ipv4 : .ipv6)) { continue }
      if let held = actual.removeValue(forKey: Key(jail: ban.jail, subnet: subnet)) {
        if Self.agree(held, timeout) {
          report.kept += 1
          continue
        }
        adjusting.insert(changes.count)
      }
      changes.append(FirewallChange(.add, jail: ban.jail, subnet: subnet, until: ban.until))
    }
    if removeOthers {
      changes += actual.keys.map { FirewallChange(.remove, jail: $0.jail, subnet: $0.subnet) }
    }
    for (i, outcome) in try apply(changes, now: now, state).enumerated() {
      switch outcome {
      case .failed(let error): report.failed.append(.init(change: changes[i], error: error))
      case .expired: report.skipped += 1
      case .applied where changes[i].action == .remove: report.removed += 1
      case .applied where adjusting.contains(i): report.adjusted += 1
      case .applied: report.added += 1
      }
    }
    return report
  }

  /// The kernel counts whole seconds and its clock has gone on since `now` was read.
  private static func agree(_ held: UInt32, _ wanted: UInt32) -> Bool {
    (held == 0) == (wanted == 0) && abs(Int64(held) - Int64(wanted)) <= 2
  }
}
