import Model

extension NFTablesActuator {
  public func prepare(_ plan: FirewallPlan) throws(FirewallError) -> [FirewallNotice] {
    try plan.validate()
    return try withClient { client, state throws(FirewallError) in
      try client.requireAccess()
      var next = state
      next.plan = plan
      if state.written == nil { next.isTakenOver = try client.table() != nil }
      next.targets = Dictionary(plan.targets.map { ($0.jail, $0) }, uniquingKeysWith: { first, _ in first })
      try write(&next, wanted: { [] }, &client)
      state = next
      return []
    }
  }

  /// What there is of our table before it is written.
  struct Existing {
    var table: NFTablesClient.Table?
    var chains: [NFTablesClient.Chain] = []
    var sets: [NFTablesClient.SetHeader] = []
    var counters: Set<String> = []

    init() {}

    init(_ client: inout NFTablesClient) throws(FirewallError) {
      table = try client.table()
      guard let table else { return }
      try NFTablesActuator.requireOurs(table, client.port)
      chains = try client.chains().filter(\.isOurs)
      sets = try client.sets()
      counters = Set(try client.counters().keys)
    }
  }

  /// Makes the table what the plan says, in one transaction. What its sets hold stays; where there is no table, the new one
  /// holds `wanted` from its first moment; so it does where the table `isReplaced`.
  func write(
    _ state: inout State, isReplaced: Bool = false, wanted: () -> [KernelBan], _ client: inout NFTablesClient
  ) throws(FirewallError) {
    state.isTranslated = isTranslated(state.plan)
    let existing = try Existing(&client)
    while true {
      do throws(FirewallError) {
        try client.commit(try transaction(&state, existing, isReplaced, wanted, &client))
        state.written = try Self.snapshot(&client)
        return
      } catch  where error.code == .kernelSupport && !state.isCommon {
        // A kernel before 6.9: the table is like any other.
        state.isCommon = true
      }
    }
  }

  /// Are the ports of packets that the plan's chain sees possibly not those that the client knows?
  func isTranslated(_ plan: FirewallPlan) -> Bool {
    guard let base = TableLayout.base(for: plan.paths), base != TableLayout.all else { return false }
    return AddressFamily.allCases.contains { AddressTranslation.isPossible($0, faults: faults) }
  }

  private func transaction(
    _ state: inout State, _ found: Existing, _ isReplaced: Bool, _ wanted: () -> [KernelBan],
    _ client: inout NFTablesClient
  ) throws(FirewallError) -> NFTablesTransaction {
    var transaction = NFTablesTransaction()
    var existing = found
    var bans: [KernelBan] = []
    for jail in state.targets.keys {
      let widths = existing.sets.compactMap { TableLayout.width(of: $0.name, jail: jail) }
      state.widths[jail] = Set(widths + TableLayout.Width.usual)
    }
    state.widths = state.widths.filter { state.targets[$0.key] != nil }
    if isReplaced, existing.table != nil {
      transaction.deleteTable()
      existing = Existing()
    }
    if let table = existing.table {
      if !isUsable(table, existing, state) {
        // Of another version or another kernel: packets see the old table or the new one, both with the bans.
        for set in existing.sets {
          for jail in state.targets.keys {
            guard let width = TableLayout.width(of: set.name, jail: jail) else { continue }
            try Self.read(jail, width, &client, into: &bans)
          }
        }
        transaction.deleteTable()
        existing = Existing()
      }
    } else {
      bans = wanted().filter { state.targets[$0.jail] != nil && $0.subnet.prefixLength > 0 }
      for ban in bans { state.widths[ban.jail]?.insert(.init(ban.subnet)) }
    }
    transaction.addTable(flags: Self.flags(state))
    writeRules(state, existing, to: &transaction)
    removeRest(state, existing, from: &transaction)
    Self.addBans(bans, to: &transaction)
    return transaction
  }

  /// Can it be changed into what is wanted?
  private func isUsable(_ table: NFTablesClient.Table, _ existing: Existing, _ state: State) -> Bool {
    let flags = Self.flags(state)
    guard table.flags & ~NFTables.owner == flags & ~NFTables.owner else { return false }
    let sets = state.targets.keys.allSatisfy { jail in
      existing.sets.allSatisfy { set in
        guard let width = TableLayout.width(of: set.name, jail: jail) else { return true }
        return set.keyLength == (width.isIPv4 ? 4 : 16) && set.flags == NFTables.timeouts && set.size == maxElements
      }
    }
    let bases = [
      TableLayout.all, TableLayout.host, TableLayout.forwarded, TableLayout.hostGate, TableLayout.forwardedGate,
    ]
    return sets
      && existing.chains.allSatisfy { chain in
        guard let base = bases.first(where: { $0.name == chain.name }) else { return chain.type == nil }
        return chain.hook == base.hook && chain.priority == base.priority && chain.type == "filter" && chain.policy == 1
      }
  }

  private func writeRules(_ state: State, _ existing: Existing, to transaction: inout NFTablesTransaction) {
    // Emptied first: until the end of the transaction packets see the rules as they were.
    for chain in existing.chains.sorted(by: { ($0.type == nil ? 1 : 0) < ($1.type == nil ? 1 : 0) }) {
      transaction.flushChain(chain.name)
    }
    for target in state.plan.targets {
      let chain = TableLayout.chain(target.jail)
      transaction.addCounter(chain)
      transaction.addChain(chain)
      for width in state.widths[target.jail, default: []].sorted() {
        transaction.addSet(TableLayout.set(target.jail, width), isIPv4: width.isIPv4, size: maxElements)
        transaction.addRule(chain, TableLayout.rule(for: target, width))
      }
    }
    writeLimit(state, existing, to: &transaction)
    if state.plan.closesTheRest { Self.writeGate(state.plan, to: &transaction) }
    guard let base = TableLayout.base(for: state.plan.paths) else { return }
    transaction.addChain(base.name, hook: base.hook, priority: base.priority)
    if state.isTranslated {
      transaction.addChain(TableLayout.translated)
      transaction.addRule(base.name, TableLayout.isTranslated + [.goto(TableLayout.translated)])
      for target in state.plan.bans {
        for rule in TableLayout.dispatch(target, original: true) { transaction.addRule(TableLayout.translated, rule) }
      }
      if state.plan.synLimit != nil {
        transaction.addRule(TableLayout.translated, TableLayout.begins + [.jump(TableLayout.synLimit)])
      }
    }
    for target in state.plan.bans {
      for rule in TableLayout.dispatch(target, original: false) { transaction.addRule(base.name, rule) }
    }
    // After the bans: whoever is banned is neither counted nor logged.
    if state.plan.synLimit != nil {
      transaction.addRule(base.name, TableLayout.begins + TableLayout.isLocal + [.jump(TableLayout.synLimit)])
    }
  }

  /// The limit's chains and sets; these begin empty, since what they remember is bound to the rate that was.
  private func writeLimit(_ state: State, _ existing: Existing, to transaction: inout NFTablesTransaction) {
    for meter in TableLayout.meters where existing.sets.contains(where: { $0.name == meter.name }) {
      transaction.deleteSet(meter.name)
    }
    guard let limit = state.plan.synLimit else { return }
    for meter in TableLayout.meters where limit.scope == .address {
      transaction.addMeter(
        meter.name, isIPv4: meter.isIPv4, size: TableLayout.meterSize, milliseconds: SynLimit.memory)
    }
    transaction.addCounter(TableLayout.synRefused)
    transaction.addChain(TableLayout.synRefused)
    for rule in TableLayout.refusal(for: limit) { transaction.addRule(TableLayout.synRefused, rule) }
    transaction.addChain(TableLayout.synLimit)
    for rule in TableLayout.rules(for: limit) { transaction.addRule(TableLayout.synLimit, rule) }
  }

  private static func writeGate(_ plan: FirewallPlan, to transaction: inout NFTablesTransaction) {
    transaction.addCounter(TableLayout.gate)
    for (chain, original) in [(TableLayout.gate, false), (TableLayout.translatedGate, true)] {
      transaction.addChain(chain)
      for rule in plan.openings.flatMap({ TableLayout.dispatch($0, original: original) }) + TableLayout.gateEnd {
        transaction.addRule(chain, rule)
      }
    }
    for base in TableLayout.gates(for: plan.paths) {
      transaction.addChain(base.name, hook: base.hook, priority: base.priority)
      for rule in TableLayout.rules(for: base) { transaction.addRule(base.name, rule) }
    }
  }

  /// Removes what the plan does not name; the chains are empty by now.
  private func removeRest(_ state: State, _ existing: Existing, from transaction: inout NFTablesTransaction) {
    var chains = Set(state.plan.targets.map { TableLayout.chain($0.jail) })
    if let base = TableLayout.base(for: state.plan.paths) { chains.insert(base.name) }
    if state.isTranslated { chains.insert(TableLayout.translated) }
    if state.plan.closesTheRest {
      chains.formUnion(
        [TableLayout.gate, TableLayout.translatedGate] + TableLayout.gates(for: state.plan.paths).map(\.name))
    }
    if state.plan.synLimit != nil { chains.formUnion([TableLayout.synLimit, TableLayout.synRefused]) }
    let sets = Set(
      state.widths.flatMap { jail, widths in widths.map { TableLayout.set(jail, $0) } } + TableLayout.meters.map(\.name)
    )
    for chain in existing.chains where !chains.contains(chain.name) { transaction.deleteChain(chain.name) }
    for set in existing.sets where !sets.contains(set.name) { transaction.deleteSet(set.name) }
    for counter in existing.counters.sorted() where !chains.contains(counter) { transaction.deleteCounter(counter) }
  }

  private static func addBans(_ bans: [KernelBan], to transaction: inout NFTablesTransaction) {
    var elements: [String: (isIPv4: Bool, elements: [NFTablesTransaction.Element])] = [:]
    for ban in bans {
      let width = TableLayout.Width(ban.subnet)
      let timeout = ban.remaining.map { UInt64(max(1, $0.microseconds / 1000)) } ?? 0
      elements[TableLayout.set(ban.jail, width), default: (width.isIPv4, [])].elements.append(
        .init(key: ban.subnet.base, timeout: timeout))
    }
    for (set, value) in elements { transaction.addElements(value.elements, to: set, isIPv4: value.isIPv4) }
  }
}
