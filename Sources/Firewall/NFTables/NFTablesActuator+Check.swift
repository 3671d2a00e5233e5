public import Model
import Synchronization

extension NFTablesActuator {
  public func check<Wanted: Sequence<Ban>>(wanted: () -> Wanted, now: Instant) throws(FirewallError) -> FirewallCheck {
    try withClient { client, state throws(FirewallError) in
      var check = FirewallCheck()
      // Nothing was prepared yet.
      guard state.written != nil else { return check }
      let bans = wanted()
      let counts = Self.counts(bans)
      let long = Set(counts.filter { $0.value > mostListed }.keys)
      guard state.unsure.isDisjoint(with: long) else {
        try write(&state, isReplaced: true, wanted: { Self.held(bans, now) }, &client)
        state.unsure = []
        check.repairs.append(Repair(.table))
        return check
      }
      if try Self.snapshot(&client) != state.written || isTranslated(state.plan) != state.isTranslated {
        let isLost = try client.table()?.handle != state.written?.table.handle
        let wasTranslated = state.isTranslated
        try write(&state, wanted: { Self.held(bans, now) }, &client)
        // Where something has begun to translate ports, the rules change though nobody touched them.
        if isLost || wasTranslated == state.isTranslated { check.repairs.append(Repair(.table)) }
        if isLost {
          let held = Self.counts(bans.lazy.filter { Self.isHeld($0, now) })
          check.repairs += Self.repairs(held.filter { state.targets[$0.key] != nil })
          // The new table holds them since its first moment.
          state.unsure = []
          return check
        }
      }
      // What ends within this time may be gone already by the kernel's clock.
      let soon = now.adding(.seconds(3))
      let lasting = bans.lazy.filter { $0.until.map { $0 > soon } ?? true }
      let short = Set(counts.keys).subtracting(long)
      check.repairs += Self.repairs(
        try reconcile(
          lasting.filter { short.contains($0.jail) }, of: short, now: now, removeOthers: false, &client, &state
        ).added)
      state.unsure = []
      return check
    }
  }

  static func counts(_ bans: some Sequence<Ban>) -> [String: Int] {
    var counts: [String: Int] = [:]
    for ban in bans { counts[ban.jail, default: 0] += 1 }
    return counts
  }

  private static func repairs(_ counts: [String: Int]) -> [Repair] {
    counts.sorted { $0.key < $1.key }.map { Repair(.bans(jail: $0.key, count: $0.value)) }
  }

  /// Can the kernel hold it at all?
  static func isHeld(_ ban: Ban, _ now: Instant) -> Bool {
    ban.identity.subnet != nil && ban.until.map { $0 > now } ?? true
  }

  /// The bans as the kernel is to hold them.
  static func held(_ bans: some Sequence<Ban>, _ now: Instant) -> [KernelBan] {
    bans.compactMap { ban in
      guard isHeld(ban, now), let subnet = ban.identity.subnet else { return nil }
      return KernelBan(jail: ban.jail, subnet: subnet, remaining: ban.until.map { min($0.since(now), longestTimeout) })
    }
  }

  public func needsCheck(thorough: Bool) throws(FirewallError) -> Bool {
    // Not under the lock: decisions do not wait for a look.
    let (written, plan, translated) = core.withLock { ($0.state.written, $0.state.plan, $0.state.isTranslated) }
    guard let written else { return false }
    var client = try NFTablesClient(faults: faults)
    guard thorough else { return try client.table() != written.table }
    return try Self.snapshot(&client) != written || isTranslated(plan) != translated
  }

  /// Nil when there is no table.
  static func snapshot(_ client: inout NFTablesClient) throws(FirewallError) -> Snapshot? {
    guard let table = try client.table() else { return nil }
    let sets = try client.sets().map { ($0.name, $0.handle) }
    return Snapshot(
      table: table, chains: Set(try client.chains().filter(\.isOurs)), rules: try client.ruleHandles(),
      sets: Dictionary(sets, uniquingKeysWith: { first, _ in first }))
  }
}

extension NFTablesClient.Chain {
  var isOurs: Bool { family == NFTables.family && table == NFTables.table }
}
