internal import AuditLog
internal import Detection
internal import Firewall
internal import Glibc
internal import LockoutGuard
internal import Model
internal import Settings
internal import System

/// What the store knows, given back to the decider after a restart: bans in force, how often ids were banned, and the
/// failures that the windows held.
enum Restoration {
  /// A store that could be read, and what it knows.
  struct Restored {
    var store: AuditStore
    var detector: Detector
    var changes: Changes
    var positions: [SourcePosition]
    /// How many failures were ever stored in it.
    var failures: Int
    /// Where a damaged store was moved to.
    var setAside: String?
  }

  /// Decisions that the start itself makes, to be stored.
  struct Changes {
    /// The bans that ended while nobody watched.
    var expired: [Decision]
    /// The ends of bans that a dry run decided: by their time, and when the daemon enforces, all of them.
    var onPaper: [Decision]
    /// What the dry run before would have in force now.
    var wouldBeInForce: [Ban] = []
    /// Bans that only the firewall knew.
    var takenOver: [Decision] = []
  }

  /// Opens the store and reads what it knows. One that is damaged, wherever that shows, is moved away and a new one begun.
  ///
  /// The bans come first, and are in the firewall before the windows are filled, which takes as long as there are failures.
  static func open(
    _ path: String, plan: Plan, ignoring: [Subnet], firewall: any Actuator, lists: HeldLists = HeldLists(),
    now: Instant, log: RunLog
  ) throws -> Restored {
    func read(_ setAside: String?) throws -> Restored {
      let isNew = setAside != nil || !Self.isThere(path)
      let store = try AuditStore(path: path)
      do {
        let sparing = plan.settings.protectSessions.spared
        let apart = firewall.changesKernel ? Protected.collect().addresses(sparing: sparing) : []
        var detector = Detector(plan, ignoring: ignoring, apart: apart)
        let isDryRun = !firewall.changesKernel
        var changes = try restoreBans(&detector.decider, from: store, isDryRun: isDryRun, now: now)
        let positions = try store.positions()
        if isNew { changes.takenOver = try takeOverBans(&detector.decider, heldBy: firewall, now: now) }
        detector.ignore(plan.jailNames.map { _ in lists.allowed.entries })
        try apply(&detector.decider, lists, to: firewall, now: now, log)
        try restoreCounts(&detector, from: store, plan: plan, isDryRun: isDryRun, now: now)
        try restoreAlerts(&detector, from: store, isDryRun: isDryRun, now: now)
        let totals = try store.totals(isDryRun: isDryRun)
        for (jail, total) in totals {
          detector.decider.restoreTally(jail: jail, failures: total.failures, bans: total.bans)
        }
        return Restored(
          store: store, detector: detector, changes: changes, positions: positions,
          failures: totals.values.reduce(0) { $0 + $1.failures }, setAside: setAside)
      } catch {
        store.close()
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

  private static func isThere(_ path: String) -> Bool {
    do {
      return try FileStatus.of(path: path).size > 0
    } catch {
      return error.code != ENOENT
    }
  }

  /// Returns the decisions that record the bans which ended while nobody watched. Bans of a dry run go on in the next one
  /// alone: they never become real.
  static func restoreBans(
    _ decider: inout Decider, from store: AuditStore, isDryRun: Bool, now: Instant
  ) throws -> Changes {
    func end(_ ban: Ban, at time: Instant, _ cause: Decision.Cause) -> Decision {
      Decision(
        action: .unban, jail: ban.jail, identity: ban.identity, time: time, until: ban.until, count: ban.count,
        number: ban.number, cause: cause)
    }
    func expired(isDryRun: Bool) throws -> [Decision] {
      try store.expiredBans(at: now, isDryRun: isDryRun).map { end($0, at: $0.until ?? now, .expired) }
    }
    var changes = Changes(expired: try expired(isDryRun: false), onPaper: try expired(isDryRun: true))
    for ban in try store.bansInForce(at: now, isDryRun: false) { decider.restore(ban) }
    let onPaper = try store.bansInForce(at: now, isDryRun: true)
    if isDryRun {
      for ban in onPaper { decider.restore(ban) }
    } else {
      changes.wouldBeInForce = onPaper
      changes.onPaper += onPaper.map { end($0, at: now, .reconciled) }
    }
    return changes
  }

  /// Without a store the firewall is the only memory: what it holds is taken over. Returns the decisions to be stored.
  private static func takeOverBans(
    _ decider: inout Decider, heldBy firewall: any Actuator, now: Instant
  ) throws -> [Decision] {
    // What the firewall holds for lists is no ban.
    let jails = Set(decider.jails.map(\.name))
    return try firewall.contents().filter { jails.contains($0.jail) }.map { held in
      let until = held.remaining.map { now.adding($0) }
      decider.restore(
        Ban(
          jail: held.jail, identity: .network(held.subnet), since: now, until: until, count: 0, number: 1, applied: true
        ))
      return Decision(
        action: .ban, jail: held.jail, identity: .network(held.subnet), time: now, until: until, cause: .reconciled)
    }
  }

  /// Makes the firewall hold the bans in force, and notes which it does hold.
  private static func apply(
    _ decider: inout Decider, _ lists: HeldLists, to firewall: any Actuator, now: Instant, _ log: RunLog
  ) throws {
    let bans = decider.jails.indices.flatMap { decider.bans(in: $0) }
    let report = try firewall.restore(WantedBans(bans: bans, lists: lists, since: now), now: now)
    for failed in report.failed {
      log.error("firewall: \(failed.change.subnet) in \(failed.change.jail): \(failed.error)")
    }
    if report.added + report.kept + report.adjusted > 0 {
      log.notice("\(report.added + report.kept + report.adjusted) bans in force, \(report.added) of them put back")
    }
    guard firewall.changesKernel else { return }
    let failed = Set(report.failed.map(\.change.subnet))
    decider.markAll { ban in ban.identity.subnet.map { !failed.contains($0) } ?? false }
  }

  /// How often ids were banned, for jails whose bans grow, and the windows.
  static func restoreCounts(
    _ detector: inout Detector, from store: AuditStore, plan: Plan, isDryRun: Bool, now: Instant
  ) throws {
    if detector.decider.jails.contains(where: { $0.increment != nil }) {
      let longest = detector.decider.jails.compactMap { $0.increment?.forget }.max() ?? .zero
      try store.banCounts(since: now.subtracting(longest), isDryRun: isDryRun) { jail, identity, bans, end in
        detector.decider.restoreHistory(identity, jail: jail, bans: bans, until: end)
      }
    }
    for jail in plan.jails.indices { try restoreWindow(&detector, jail, from: store, isDryRun: isDryRun, now: now) }
  }

  /// What alerts remember: where accounts were seen, what was told, and the failures that may still raise some.
  static func restoreAlerts(
    _ detector: inout Detector, from store: AuditStore, isDryRun: Bool, now: Instant
  ) throws {
    guard detector.alerts != nil else { return }
    detector.alerts?.restore(try store.sightings())
    detector.alerts?.restore(try store.alerts(since: now.subtracting(AlertLimits.longest)))
    try restoreAlertWindows(&detector, from: store, isDryRun: isDryRun, now: now)
  }

  static func restoreAlertWindows(
    _ detector: inout Detector, from store: AuditStore, isDryRun: Bool, now: Instant
  ) throws {
    guard let span = detector.alerts?.span else { return }
    for (number, jail) in detector.decider.jails.enumerated() where jail.isRecorded && jail.alertKinds.isEmpty {
      guard let newest = try store.newestFailure(jail: jail.name) else { continue }
      let since = min(newest, now).subtracting(span)
      var batch = FailureBatch()
      try store.recentFailures(jail: jail.name, since: since, isDryRun: isDryRun, readsUsers: true) { stored in
        guard let address = stored.address else { return }
        batch.removeAll()
        var failure = Failure(time: stored.time, address: address, jail: UInt16(number), pattern: 0, source: 0)
        failure.count = stored.count
        failure.weight = stored.weight
        failure.user = batch.store(stored.user.span)
        if detector.decider.ignores(address, in: number) { return }
        detector.alerts?.restore(failure, in: batch)
      }
    }
  }

  /// Fills one jail's windows with the failures of its last `findtime`, as its log has them: after a long stop reading goes
  /// on where it ended, with lines of that time.
  static func restoreWindow(
    _ detector: inout Detector, _ jail: Int, from store: AuditStore, isDryRun: Bool, now: Instant
  ) throws {
    let limits = detector.decider.jails[jail]
    try restoreEscalation(&detector.decider, jail, from: store, isDryRun: isDryRun)
    guard !limits.readsLogBack else { return try restoreCutoffs(&detector, jail, from: store, now: now) }
    guard let newest = try store.newestFailure(jail: limits.name) else { return }
    let since = min(newest, now).subtracting(limits.findtime)
    let cutoffs = try store.cutoffs(jail: limits.name, since: since, isDryRun: isDryRun)
    for (identity, end) in cutoffs where end > newest { detector.decider.restoreCutoff(identity, in: jail, until: end) }
    var texts = FailureBatch()
    try store.recentFailures(
      jail: limits.name, since: since, isDryRun: isDryRun, readsUsers: limits.per == .user
    ) { stored in
      var failure = Failure(
        time: stored.time, address: stored.address ?? Address(bits: 0), jail: UInt16(jail), pattern: 0, source: 0)
      failure.count = stored.count
      failure.weight = stored.weight
      let identity =
        stored.name.map { Identity.name($0) } ?? detector.decider.identity(of: failure.address, in: jail)
      texts.removeAll()
      failure.user = texts.store(stored.user.span)
      failure.part = detector.part(of: failure, in: texts)
      if let end = cutoffs[identity], stored.time < end { return }
      if let end = detector.decider.block(of: identity, in: jail).flatMap({ cutoffs[$0] }), stored.time < end { return }
      detector.decider.restore(failure, id: stored.name)
    }
  }

  /// The bans that count towards a ban of their block.
  private static func restoreEscalation(
    _ decider: inout Decider, _ jail: Int, from store: AuditStore, isDryRun: Bool
  ) throws {
    let limits = decider.jails[jail]
    guard let escalation = limits.escalation else { return }
    for ban in try store.latestBans(jail: limits.name, within: escalation.within, isDryRun: isDryRun) {
      decider.restoreEscalation(
        ban.identity, in: jail, at: ban.since, counts: ban.isByLimit, isLifted: ban.isLifted)
    }
  }

  /// Of a jail that only counts, the windows come from the log, which is read again; failures before a ban's end are void.
  private static func restoreCutoffs(
    _ detector: inout Detector, _ jail: Int, from store: AuditStore, now: Instant
  ) throws {
    let limits = detector.decider.jails[jail]
    let since = now.subtracting(max(limits.findtime, .hours(24)))
    for (identity, end) in try store.cutoffs(jail: limits.name, since: since) {
      detector.decider.restoreCutoff(identity, in: jail, until: end)
    }
  }
}
