import Synchronization

extension IPSetActuator {
  public func inventory() throws(FirewallError) -> [FirewallObject] {
    guard hasRemains() else { return [] }
    var objects: [FirewallObject] = []
    var failure: FirewallError?
    for family in AddressFamily.allCases {
      let program = family == .ipv4 ? "iptables" : "ip6tables"
      // Without the program there are no rules of it.
      guard programs.path(program) != nil else { continue }
      let table: FilterTable
      do { table = try programs.filterTable(family) } catch {
        failure = failure ?? error
        continue
      }
      guard table.hasChain else { continue }
      let counts = try ChainRules.packets(listing: programs.countedRules(family)).map(\.count)
      objects.append(
        FirewallObject(
          .ipset, .chain, "\(program) \(ChainRules.chain)", refused: counts.reduce(PacketCount(), +)))
      for chain in table.ownChains where chain != ChainRules.chain {
        let refused = ChainRules.refused(listing: try programs.countedRules(family, of: chain))
        objects.append(FirewallObject(.ipset, .chain, "\(program) \(chain)", refused: refused))
      }
      objects += table.callers.map { FirewallObject(.ipset, .jump, "\(program) \($0)") }
    }
    var client = try IPSetClient(faults: faults)
    // A kernel without ipset has no sets.
    let sets = ((try? client.headers()) ?? []).filter { SetName.isOurs($0.name) }
    objects += sets.sorted { $0.name < $1.name }.map {
      FirewallObject(.ipset, .set, $0.name, entries: $0.elements)
    }
    // A family whose rules cannot be read may have none.
    if objects.isEmpty, let failure { throw failure }
    return objects
  }

  /// Takes away jumps, chains and sets, whoever of us made them.
  public func clear() throws(FirewallError) {
    try state.withLock { state throws(FirewallError) in
      state = State()
      guard hasRemains() else { return }
      var failure: FirewallError?
      for family in AddressFamily.allCases {
        do throws(FirewallError) {
          try clear(family)
        } catch  where error.code == .programMissing {
          // Without iptables there are no rules of iptables.
        } catch {
          failure = failure ?? error
        }
      }
      var client = try IPSetClient(faults: faults)
      let sets: [String]
      do { sets = try client.headers().map(\.name).filter(SetName.isOurs) } catch { sets = [] }
      if let failed = programs.destroySets(sets).first { failure = failure ?? failed.error }
      // Where ip6tables does not work there may be nothing of its to take away.
      if let failure, hasRemains() { throw failure }
    }
  }

  /// Is there anything of ours? Asked in messages: iptables makes its tables when it is only asked what they hold.
  private func hasRemains() -> Bool {
    if AddressFamily.allCases.contains(where: { LegacyTables.inUse($0).contains("filter") }) { return true }
    if var client = try? NFTablesClient(faults: faults),
      let chains = try? client.chains(), chains.contains(where: { $0.name == ChainRules.chain })
    {
      return true
    }
    guard var client = try? IPSetClient(faults: faults), let sets = try? client.headers() else { return false }
    return sets.contains { SetName.isOurs($0.name) }
  }

  private func clear(_ family: AddressFamily) throws(FirewallError) {
    let table = try programs.filterTable(family)
    guard !table.ownChains.isEmpty else { return }
    // `-A INPUT -j BAILIFF` is how it was made, `-D INPUT -j BAILIFF` how it goes.
    let removals = table.callers.map { "-D" + $0.dropFirst(2) }
    try programs.change(family, removals + table.ownChains.map { "-F \($0)" } + table.ownChains.map { "-X \($0)" })
  }
}
