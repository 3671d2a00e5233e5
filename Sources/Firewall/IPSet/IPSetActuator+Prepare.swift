import CMnl
import Glibc
import Synchronization

extension IPSetActuator {
  public func prepare(_ plan: FirewallPlan) throws(FirewallError) -> [FirewallNotice] {
    try plan.validate()
    return try state.withLock { state throws(FirewallError) in try prepare(plan, &state) }
  }

  private func prepare(_ plan: FirewallPlan, _ state: inout State) throws(FirewallError) -> [FirewallNotice] {
    var notices: [FirewallNotice] = []
    var client = try IPSetClient(faults: faults)
    try client.requireAccess()
    guard programs.path("ipset") != nil else {
      try programs.run("ipset", [])
      return []
    }
    var tables = try readTables(&notices)

    var next = state
    next.plan = plan
    next.jails = Dictionary(uniqueKeysWithValues: plan.targets.map { ($0.jail, JailSets($0)) })
    next.isLegacy = try programs.isLegacy()
    next.families = AddressFamily.allCases.filter { tables[$0] != nil }

    let headers = try client.headers()
    if try removeMismatched(headers, next, tables) {
      for family in next.families { tables[family] = try programs.filterTable(family) }
    }
    try createSets(missing(headers, next).map(\.line))
    for family in next.families {
      guard let table = tables[family] else { continue }
      do throws(FirewallError) {
        try write(family, table, &next)
      } catch  where family == .ipv6 && next.families.contains(.ipv4) {
        // A machine whose IPv6 cannot be filtered still has its IPv4 protected, and says so.
        next.families.removeAll { $0 == .ipv6 }
        notices.append(FirewallNotice("IPv6 addresses are not blocked: \(error.message)"))
      }
    }
    // From here on the rules name only sets that are wanted; the others can go.
    state = next
    let wanted = Set(next.jails.values.flatMap { [$0.ipv4, $0.ipv6] })
    let gone = headers.map(\.name).filter { SetName.isOurs($0) && !wanted.contains($0) }
    for (name, error) in programs.destroySets(gone) {
      notices.append(FirewallNotice("set \(name) of a jail that is gone cannot be removed: \(error.message)"))
    }
    for chain in plan.chains ?? [] where next.families.allSatisfy({ tables[$0]?.chains.contains(chain) != true }) {
      notices.append(
        FirewallNotice(
          "chain \(chain) does not exist; it will jump to \(ChainRules.chain) as soon as another program makes it"))
    }
    for family in state.families { tables[family] = try programs.filterTable(family) }
    state.problems = problems(tables, state)
    return notices
  }

  /// Each family's table; a family that cannot be read is a notice, both are an error.
  private func readTables(_ notices: inout [FirewallNotice]) throws(FirewallError) -> [AddressFamily: FilterTable] {
    var tables: [AddressFamily: FilterTable] = [:]
    var failure: FirewallError?
    for family in AddressFamily.allCases {
      do { tables[family] = try programs.filterTable(family) } catch {
        if failure == nil { failure = error }
        notices.append(FirewallNotice("\(family) addresses are not blocked: \(error.message)"))
      }
    }
    if tables.isEmpty, let failure { throw failure }
    return tables
  }

  // MARK: Sets

  struct WantedSet {
    var name: String
    var family: AddressFamily
    var maxElements: UInt32
    var line: String {
      "create \(name) hash:net family \(family == .ipv4 ? "inet" : "inet6") hashsize 1024 maxelem \(maxElements) timeout 0"
    }
  }

  func wantedSets(_ state: State) -> [WantedSet] {
    state.plan.targets.flatMap { target in
      state.families.map { WantedSet(name: SetName.of(jail: target.jail, $0), family: $0, maxElements: maxElements) }
    }
  }

  func missing(_ headers: [IPSetClient.Header], _ state: State) -> [WantedSet] {
    let there = Set(headers.filter(isUsable).map(\.name))
    return wantedSets(state).filter { !there.contains($0.name) }
  }

  func createSets(_ lines: [String]) throws(FirewallError) {
    if !lines.isEmpty { try programs.createSets(lines) }
  }

  /// Is it as we make them? An earlier version may have made sets of another kind.
  private func isUsable(_ header: IPSetClient.Header) -> Bool {
    header.type == "hash:net" && header.hasTimeout && header.maxElements == maxElements
      && header.family == UInt8(header.name.hasSuffix("-4") ? AF_INET : AF_INET6)
  }

  /// Sets under our names that are of another kind go, and before them the rules that use them; says whether there were any.
  private func removeMismatched(
    _ headers: [IPSetClient.Header], _ state: State, _ tables: [AddressFamily: FilterTable]
  ) throws(FirewallError) -> Bool {
    let wanted = Set(wantedSets(state).map(\.name))
    let wrong = headers.filter { wanted.contains($0.name) && !isUsable($0) }
    guard !wrong.isEmpty else { return false }
    for family in state.families where tables[family]?.hasChain == true {
      try programs.change(family, (tables[family]?.ownChains ?? []).map { ":\($0) - [0:0]" })
    }
    if let failed = programs.destroySets(wrong.map(\.name)).first { throw failed.error }
    return true
  }

  // MARK: Rules

  /// Makes the family's chain and jumps what they should be, in one step and only if they are not; returns what was wrong.
  @discardableResult
  func write(_ family: AddressFamily, _ table: FilterTable, _ state: inout State) throws(FirewallError) -> [Repair.Kind]
  {
    let translated = AddressTranslation.isPossible(family, faults: faults)
    let rules = ChainRules.rules(for: state.plan, family, translated: translated)
    let chains = ChainRules.chains(for: state.plan)
    let parents = table.parents(for: state.plan)
    var wrong: [Repair.Kind] = []
    var lines: [String] = []
    let rewritten = table.ownChains != chains || !state.accepts(table.rules, rules, family)
    if rewritten {
      // Naming a chain of our own empties it; with its new rules in the same step no packet sees it empty.
      lines += Set(chains + table.ownChains).sorted().map { ":\($0) - [0:0]" } + rules
      lines += table.ownChains.filter { !chains.contains($0) }.map { "-X \($0)" }
      // Where something has begun to translate ports, the rules change though nobody touched them.
      if !table.hasChain || !state.accepts(table.rules, state.printed[family]?.rules ?? [], family) {
        wrong.append(.chain(family))
      }
    }
    let jump = "-j \(ChainRules.chain)"
    for (parent, count) in table.hooks.sorted(by: { $0.key < $1.key })
    where !(count == 1 && parents.contains(parent)) {
      lines += Array(repeating: "-D \(parent) \(jump)", count: count)
      if !parents.contains(parent) { wrong.append(.hook(family, parent: parent)) }
    }
    for parent in parents where table.hooks[parent] != 1 {
      lines.append("-I \(parent) \(jump)")
      wrong.append(.hook(family, parent: parent))
    }
    guard !lines.isEmpty else { return [] }
    if rewritten, table.hasChain { keepPackets(family, &state) }
    try programs.change(family, lines)
    if rewritten {
      state.printed[family] = Printed(rules: rules, listing: try programs.filterTable(family).rules)
    }
    return wrong
  }
}

extension FilterTable {
  /// The chains that there are of those that are to jump to ours.
  func parents(for plan: FirewallPlan) -> [String] {
    if let chains = plan.chains { return chains.filter(self.chains.contains) }
    var parents: [String] = []
    if plan.paths.contains(.host) { parents.append("INPUT") }
    // What Docker leaves to others stands before its own rules; it puts its jump there first whenever it starts.
    if plan.paths.contains(.containers) { parents.append(chains.contains("DOCKER-USER") ? "DOCKER-USER" : "FORWARD") }
    return parents.filter(chains.contains)
  }
}
