internal import Detection
internal import Model
internal import Store

/// What the store knows, given back to the decider after a restart: bans in force, how often ids were banned, and the
/// failures that the windows held.
enum Restoration {
  /// A store that could be read, and what it knows.
  struct Restored {
    var store: AuditStore
    var judge: Judge
    /// The bans that ended while nobody watched.
    var over: [Decision]
    var positions: [SourcePosition]
    /// Where a damaged store was moved to.
    var setAside: String?
  }

  /// Opens the store and reads what it knows. One that is damaged, wherever that shows, is moved away and a new one begun.
  static func open(
    _ path: String, plan: Plan, ignoring: [Subnet], now: Instant, log: RunLog
  ) throws -> Restored {
    func read(_ setAside: String?) throws -> Restored {
      let store = try AuditStore(path: path)
      do {
        var judge = Judge(plan, ignoring: ignoring)
        let over = try restore(&judge, from: store, plan: plan, now: now)
        return Restored(
          store: store, judge: judge, over: over, positions: try store.positions(), setAside: setAside)
      } catch {
        try? store.close()
        throw error
      }
    }
    do {
      return try read(nil)
    } catch let error as StoreError where error.kind == .corrupt {
      let place = try AuditStore.setAside(path: path, at: SystemClock.now())
      log.error("\(error); it was moved to \(place) and a new store begun; bans are taken over from the firewall")
      return try read(place)
    }
  }

  /// Gives the decisions that record the bans which ended while nobody watched.
  static func restore(_ judge: inout Judge, from store: AuditStore, plan: Plan, now: Instant) throws -> [Decision] {
    let over = try store.bansOver(at: now).map { ban in
      Decision(
        action: .unban, jail: ban.jail, identity: ban.identity, time: ban.until ?? now, until: ban.until,
        count: ban.count, number: ban.number, cause: .expired)
    }
    for ban in try store.bansInForce(at: now) { judge.decider.restore(ban) }
    try store.banCounts { jail, identity, bans in judge.decider.restoreHistory(identity, jail: jail, bans: bans) }
    for jail in plan.jails.indices { try restoreWindow(&judge, jail, from: store, now: now) }
    return over
  }

  /// Fills one jail's windows with the failures of its last `findtime`, as its log has them: after a long stop reading goes
  /// on where it ended, with lines of that time.
  static func restoreWindow(_ judge: inout Judge, _ jail: Int, from store: AuditStore, now: Instant) throws {
    let limits = judge.decider.jails[jail]
    guard let newest = try store.newestFailure(jail: limits.name) else { return }
    let since = min(newest, now).subtracting(limits.findtime)
    let answered = try store.answered(jail: limits.name, since: since)
    for (identity, end) in answered where end > newest { judge.decider.restoreAnswered(identity, in: jail, until: end) }
    try store.recentFailures(jail: limits.name, since: since) { stored in
      var failure = Failure(
        time: stored.time, address: stored.address ?? Address(bits: 0), jail: UInt16(jail), pattern: 0, source: 0)
      failure.count = stored.count
      failure.weight = stored.weight
      let identity =
        stored.name.map { Identity.name($0) } ?? judge.decider.identity(of: failure.address, in: jail)
      if let end = answered[identity], stored.time < end { return }
      judge.decider.restore(failure, id: stored.name)
    }
  }
}
