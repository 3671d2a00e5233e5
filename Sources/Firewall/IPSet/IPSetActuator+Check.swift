public import Model
import Synchronization

extension IPSetActuator {
  public func restore(_ bans: some Sequence<Ban>, now: Instant) throws(FirewallError) -> RestoreReport {
    try state.withLock { state throws(FirewallError) in
      try reconcile(bans, now: now, state, sets: nil, removeOthers: true)
    }
  }

  public func check<Wanted: Sequence<Ban>>(wanted: () -> Wanted, now: Instant) throws(FirewallError) -> FirewallCheck {
    try state.withLock { state throws(FirewallError) in
      var check = FirewallCheck()
      var client = try IPSetClient(faults: faults)
      // Sets first, then their bans, then the rules: whatever a rule drops, it drops at once.
      var headers = try client.headers()
      let missing = missing(headers, state)
      if !missing.isEmpty {
        try createSets(missing.map(\.line))
        check.repairs += missing.map { Repair(.set($0.name)) }
        headers = try client.headers()
      }
      check.repairs += try restoreLost(wanted(), headers, now: now, state)
      var tables: [AddressFamily: FilterTable] = [:]
      for family in state.families {
        let table = try programs.filterTable(family)
        let wrong = try write(family, table, &state)
        check.repairs += wrong.map { Repair($0) }
        tables[family] = wrong.isEmpty ? table : try programs.filterTable(family)
      }
      state.problems = problems(tables, state)
      check.problems = state.problems
      return check
    }
  }

  public func needsCheck(thorough: Bool) throws(FirewallError) -> Bool {
    // Not under the lock: decisions do not wait for a look.
    let seen = state.withLock { $0 }
    if try setsLost(seen) { return true }
    // Legacy iptables tells nobody of a change, so its rules are always looked at.
    guard thorough || seen.isLegacy else { return false }
    var tables: [AddressFamily: FilterTable] = [:]
    for family in seen.families {
      let table = try programs.filterTable(family)
      tables[family] = table
      let translated = AddressTranslation.isPossible(family, faults: faults)
      let rules = ChainRules.rules(for: seen.plan, family, translated: translated)
      guard table.ownChains == ChainRules.chains(for: seen.plan), seen.accepts(table.rules, rules, family) else {
        return true
      }
      let parents = table.parents(for: seen.plan)
      if parents.contains(where: { table.hooks[$0] != 1 }) { return true }
      // A jump from where none belongs any more: another chain has taken over.
      if table.hooks.keys.contains(where: { !parents.contains($0) }) { return true }
    }
    return problems(tables, seen) != seen.problems
  }

  public var watch: RulesetWatch {
    var watch = RulesetWatch()
    let plan = state.withLock { $0.plan }
    let parents =
      plan.chains ?? (plan.paths.contains(.host) ? ["INPUT"] : [])
      + (plan.paths.contains(.containers) ? ["FORWARD", "DOCKER-USER"] : [])
    watch.chains = Set(parents).union(ChainRules.chains)
    return watch
  }

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
    _ wanted: some Sequence<Ban>, _ headers: [IPSetClient.Header], now: Instant, _ state: State
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
      let bans = wanted.lazy.filter { ban in
        ban.jail == sets.target.jail
          && ban.identity.subnet.map { own.contains(sets.name($0.isIPv4 ? .ipv4 : .ipv6)) } ?? false
      }
      let report = try reconcile(bans, now: now, state, sets: own, removeOthers: false)
      if report.added > 0 { repairs.append(Repair(.bans(jail: sets.target.jail, count: report.added))) }
    }
    return repairs
  }

  /// Compares `bans` with what the sets hold (`sets` nil: all of them) and sends the difference.
  private func reconcile(
    _ bans: some Sequence<Ban>, now: Instant, _ state: State, sets: Set<String>?, removeOthers: Bool
  ) throws(FirewallError) -> RestoreReport {
    var difference = BanDifference(
      held: try contents(state, sets: sets), jails: Set(state.jails.keys), longest: Self.longestTimeout, now: now)
    try difference.close(bans, removeOthers: removeOthers) { changes, _ throws(FirewallError) in
      try apply(changes, now: now, state)
    }
    return difference.report
  }
}
