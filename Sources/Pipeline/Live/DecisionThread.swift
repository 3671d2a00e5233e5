internal import AuditLog
internal import Detection
internal import Firewall
internal import LockoutGuard
internal import Metrics
internal import Model
internal import Settings
internal import Synchronization
internal import System

/// The decider's thread: owns windows and bans, tells the firewall first and the store second.
// Unchecked: everything mutable is touched by its own thread alone, after `start`; the queue is the way in.
final class DecisionThread: @unchecked Sendable {
  enum Item: Sendable {
    /// `read`: when the first of its lines was read, on the monotonic clock.
    case batch(FailureBatch, Names, Plan, read: Double)
    /// Failures of the addresses of host names that were looked up; their lines were in an earlier batch.
    case resolved(FailureBatch, Names, Plan)
    case command(Command)
  }

  /// Some 15,000 failures.
  let queue = BoundedQueue<Item>(capacity: 8 << 20)
  var plan: Plan
  var detector: Detector
  let firewall: any Actuator
  let warnings: ActiveWarnings
  var newcomers = NewcomerWatch()
  private var clock = ClockWatch()
  private static let epoch = ContinuousClock.now
  private var soleAddresses = SoleAddresses()
  let writer: StoreWriter
  private let late: IdleCheckpoints
  var names: Names
  private let thread = Mutex<ServiceThread?>(nil)
  private var lastTick = Instant(microseconds: 0)
  private var lastItem = SystemClock.now()
  private var lastShrink = Instant(microseconds: 0)
  private var lastRenewal: Instant
  /// Set when the firewall may have been changed by somebody else.
  let firewallChanged = Mutex(false)
  var repairs = 0
  var firewallProblem: String?
  /// For `status`, which must not wait until a batch is decided.
  let figures = Mutex(Figures())
  let metrics: Mutex<PipelineMetrics>
  let log: RunLog
  private(set) var hosts: HostFailures
  var ignored = IgnoredNames()
  /// What the names and files of `ignoreip` represent, a list a jail.
  var resolved: [[Subnet]] = []
  var lists: HeldLists
  /// Changes of lists that the firewall has not got yet.
  var listChanges: ArraySlice<FirewallChange> = []
  private let lockout: LockoutGuard
  /// When it was last said that somebody is not banned, by jail and address.
  private var refused: [String: Instant] = [:]
  var lastIgnored = Instant(microseconds: 0)
  private var minute = (start: Instant(microseconds: 0), bans: 0, reported: false)
  /// Bans that are lifted unless somebody confirms them in time.
  var unconfirmed: [Unconfirmed] = []

  struct Unconfirmed {
    var identity: Identity
    var jail: Int
    var deadline: Instant
  }

  /// What `status` tells, as of the last batch.
  struct Figures: Sendable {
    var jails: [JailReport] = []
    var firewallProblem: String?
    var repairs = 0
  }

  /// Called every few seconds, as long as this thread gets on with its work.
  private let heartbeat: @Sendable () -> Void

  init(
    _ plan: Plan, detector: Detector, firewall: any Actuator, lists: HeldLists = HeldLists(),
    warnings: ActiveWarnings = ActiveWarnings(),
    writer: StoreWriter, late: IdleCheckpoints, log: RunLog,
    resolver: NameResolver = NameResolver(), lockout: LockoutGuard = LockoutGuard(),
    heartbeat: @escaping @Sendable () -> Void = {}
  ) {
    self.heartbeat = heartbeat
    self.plan = plan
    hosts = HostFailures(resolver: resolver)
    self.detector = detector
    self.firewall = firewall
    self.lists = lists
    self.warnings = warnings
    self.lockout = lockout
    self.writer = writer
    self.late = late
    self.log = log
    names = Names(jails: plan.jailNames, patterns: plan.patternNames, sources: [])
    metrics = Mutex(PipelineMetrics(patterns: plan.patternNames))
    lastRenewal = SystemClock.now()
  }

  func start() {
    thread.withLock { $0 = ServiceThread("bailiff-decide") { [self] in run() } }
  }

  /// Ends after everything that was posted is dealt with.
  func finish() {
    hosts.resolver.stop()
    queue.close()
    thread.withLock { $0 }?.join()
  }

  private func run() {
    // While too much waits for a slow disk, new lines stay where they are; commands and what is due go on.
    while true {
      let isHeld = writer.holdsReading
      guard let items = queue.take(waiting: isHeld ? 0.05 : patience, urgentOnly: isHeld) else { break }
      if !items.isEmpty { lastItem = SystemClock.now() }
      for item in items {
        switch item {
        case .batch(let batch, let names, let plan, let read):
          decide(batch, names, plan, read: read)
          late.batchIsDecided()
        case .resolved(let batch, let names, let plan): decide(batch, names, plan, read: nil)
        case .command(let command): perform(command)
        }
      }
      tick()
    }
    storeIdleCheckpoints()
  }

  /// How many seconds to wait for an item: where nothing can be due, a machine that does nothing else is woken less often.
  private var patience: Double {
    let isQuiet =
      SystemClock.now().since(lastItem) > .seconds(10) && late.isEmpty && unconfirmed.isEmpty
      && !firewallChanged.withLock { $0 }
      && plan.jailNames.indices.allSatisfy { detector.decider.banCount(in: $0) == 0 }
    return isQuiet ? 5 : 1
  }

  /// `read`: nil where looking up a name lay in between.
  func decide(_ matched: FailureBatch, _ names: Names, _ plan: Plan, read: Double?) {
    // A batch that was matched before a reload names jails by their old numbers.
    var batch = plan === self.plan ? matched : renumbered(matched, from: plan)
    self.names =
      plan === self.plan
      ? names : Names(jails: self.plan.jailNames, patterns: self.plan.patternNames, sources: names.sources)
    var decisions: [Decision] = []
    let now = SystemClock.now()
    hosts.resolve(in: &batch, self.plan) { [queue, names = self.names, plan = self.plan, log] resolved, sentence in
      if let sentence { log.warning(sentence) }
      if !resolved.isEmpty { queue.postAtOnce(.resolved(resolved, names, plan), cost: resolved.size) }
    }
    // Before it: of a jail that only counts, failures do not stay.
    lookForProxies(batch, now)
    var hasRefusedBlock = false
    let known = NewcomerWatch.known(batch, detector.decider, now: now)
    detector.detect(
      in: &batch, now: now,
      permits: { ban, spared in
        let isPermitted = self.permits(ban, sparing: spared, now)
        if !isPermitted, ban.cause == .limit, ban.identity.subnet?.isSingleAddress == false { hasRefusedBlock = true }
        return isPermitted
      }, into: &decisions)
    // From now on the block's addresses are counted one by one, so that whoever attacks from it is banned alone.
    if hasRefusedBlock { countApart() }
    lookForNewcomers(known, now)
    let judged = monotonicSeconds()
    metrics.withLock { metrics in
      metrics.count(batch.failures)
      if let read { metrics.lineToDecision.observe(judged - read) }
    }
    carryOut(decisions, with: batch, read: read, judged: judged)
  }

  /// A jail that sees a proxy's address only can ban nobody.
  private func lookForProxies(_ batch: FailureBatch, _ now: Instant) {
    let isOwn = { (address: Address) in self.lockout.protected(at: now).own.contains(address) }
    soleAddresses.add(batch.failures, jails: plan.jailNames, isOwn: isOwn) { jail, address in
      guard let address else { return warnings.clear(.jailSeesProxy, of: jail) }
      let trusted = plan.jails.first { $0.settings.name == jail }?.settings.trustedProxies ?? []
      let remedy =
        trusted.contains { $0.contains(address) }
        ? "the log does not say whom it spoke for: have the proxy send X-Forwarded-For and the application log it"
        : "have the proxy pass X-Forwarded-For on and the application log it, and name the proxy in trusted_proxies; "
          + "for a container's published port, give the container IPv6 or set Docker's userland-proxy to false"
      warnings.raise(
        .jailSeesProxy, of: jail, "all lines are about \(address), a proxy of this machine: \(remedy)", at: now)
    }
  }

  /// Would the ban lock out this machine or somebody who is logged in? Then it is not made, and the audit says why.
  func permits(_ ban: Decision, sparing spared: Subnet?, _ now: Instant) -> Bool {
    guard let subnet = ban.identity.subnet, ban.until.map({ $0 > now }) ?? true,
      let objection = spared.map({ "it holds \($0), which is spared" })
        ?? (firewall.changesKernel ? protection(of: subnet, now) : nil)
    else { return true }
    let key = "\(ban.jail) \(subnet)"
    // Whoever goes on attacking reaches the limit again and again; said once in a while it can still be found.
    guard refused[key].map({ now.since($0) >= .minutes(10) || now < $0 }) ?? true else { return false }
    if refused.count >= 1000 { refused.removeAll() }
    refused[key] = now
    let why = ban.cause == .escalated ? "though \(ban.count) of its ids are" : "after \(ban.count) failures"
    log.warning("[\(ban.jail)] \(subnet) is not banned \(why): \(objection)")
    writer.event(.note, subject: subnet.description, detail: "not banned by \(ban.jail): \(objection)")
    return false
  }

  private func protection(of subnet: Subnet, _ now: Instant) -> String? {
    lockout.objection(to: subnet, sparing: plan.settings.protectSessions.spared, now: now).map { "\($0)" }
  }

  /// Has blocks that hold a protected address counted by their single addresses.
  func countApart() {
    let protected = lockout.protected(at: SystemClock.now())
    detector.decider.countApart(protected.addresses(sparing: plan.settings.protectSessions.spared))
  }

  /// Firewall first, then the store: a ban that is applied twice does no harm, one that is recorded but not applied does.
  func carryOut(
    _ decisions: [Decision], with batch: FailureBatch = FailureBatch(), read: Double? = nil,
    judged: Double = monotonicSeconds()
  ) {
    let now = SystemClock.now()
    var changes: [FirewallChange] = []
    var owners: [Int] = []
    for (index, decision) in decisions.enumerated() {
      guard let subnet = decision.identity.subnet, decision.cause != .expired else { continue }
      if decision.action != .unban, let until = decision.until, until <= now { continue }
      changes.append(
        FirewallChange(
          decision.action == .unban ? .remove : .add, jail: decision.jail, subnet: subnet, until: decision.until))
      owners.append(index)
    }
    var applied = Set<Int>()
    if !changes.isEmpty {
      do {
        for (position, outcome) in try firewall.apply(changes, now: now).enumerated() {
          switch outcome {
          case .applied: applied.insert(owners[position])
          case .expired: break
          case .failed(let error): problem("\(changes[position].subnet) in \(changes[position].jail): \(error)")
          }
        }
        if applied.count == changes.count { clearProblem() }
        measureKernel(read: read, judged: judged)
      } catch {
        problem("\(error)")
      }
    }
    if !firewall.changesKernel { applied.removeAll() }
    for index in applied where decisions[index].action != .unban { mark(decisions[index]) }
    report(decisions, now)
    // Before it can be read in the store.
    publish()
    // The kernel has answered: this is when the bans began to hold.
    writer.commit(batch, names: names, decisions: decisions, applied: applied, at: SystemClock.now())
  }

  private func measureKernel(read: Double?, judged: Double) {
    guard firewall.changesKernel else { return }
    let held = monotonicSeconds()
    metrics.withLock { metrics in
      metrics.decisionToKernel.observe(held - judged)
      if let read { metrics.lineToKernel.observe(held - read) }
    }
  }

  private func mark(_ decision: Decision) {
    guard let jail = plan.jailNames.firstIndex(of: decision.jail) else { return }
    detector.decider.mark(decision.identity, in: jail, applied: true)
  }

  private func report(_ decisions: [Decision], _ now: Instant) {
    for decision in decisions where decision.cause != .expired {
      guard decision.action == .ban, decision.cause == .limit || decision.cause == .escalated else { continue }
      if now.since(minute.start) > .minutes(1) { minute = (now, 0, false) }
      minute.bans += 1
      if minute.bans > plan.settings.bansPerMinuteWarning, !minute.reported {
        minute.reported = true
        let message = "more than \(plan.settings.bansPerMinuteWarning) bans in a minute; they are carried out"
        log.warning(message)
        writer.event(.note, subject: "bans", detail: message)
      }
    }
  }

  // MARK: Now and then

  private func tick() {
    let now = SystemClock.now()
    let elapsed = now.since(lastTick)
    guard elapsed >= .seconds(1) || elapsed < .zero else { return }
    lastTick = now
    heartbeat()
    clock.look(wall: now, steady: ContinuousClock.now - Self.epoch)
    warnings.set(.clock, to: clock.problem.map { [("", $0)] } ?? [], at: now)
    storeIdleCheckpoints()
    hosts.resolver.expire()
    if now.since(lastIgnored) > .minutes(1) { refreshIgnored() }
    var expired: [Decision] = []
    detector.decider.expire(at: now) { expired.append($0) }
    for item in unconfirmed where item.deadline <= now {
      let cause = Decision.Cause.operator(uid: 0, command: "not confirmed in time")
      if let lifted = detector.decider.unban(item.identity, jail: item.jail, at: now, cause: cause) {
        expired.append(lifted)
      }
    }
    unconfirmed.removeAll { $0.deadline <= now }
    if !expired.isEmpty { carryOut(expired) }
    if firewallChanged.withLock({ flag in
      defer { flag = false }
      return flag
    }) {
      repair(now)
    }
    if now.since(lastShrink) > .minutes(1) {
      lastShrink = now
      detector.decider.shrink(at: now)
      for jail in newcomers.calmed(at: now) { warnings.clear(.jailManyNew, of: jail) }
    }
    if now.since(lastRenewal) > .hours(24) {
      lastRenewal = now
      let changes = firewall.renewals(of: allBans(), now: now)
      if !changes.isEmpty { do { _ = try firewall.apply(changes, now: now) } catch { problem("\(error)") } }
    }
    publish()
  }

  func publish() {
    let jails = plan.jailNames.indices.map { number in
      let tally = detector.decider.tally(of: number)
      return JailReport(
        name: plan.jailNames[number], failures: tally.failures, tracked: detector.decider.tracked(in: number),
        evicted: detector.decider.evicted(in: number), bansInForce: detector.decider.banCount(in: number),
        bansEver: tally.bans)
    }
    let new = Figures(jails: jails, firewallProblem: firewallProblem, repairs: repairs)
    figures.withLock { $0 = new }
  }

  private func storeIdleCheckpoints() {
    let positions = late.take()
    guard !positions.isEmpty else { return }
    var batch = FailureBatch()
    batch.positions = positions
    writer.commit(batch, names: names, decisions: [], applied: [], at: SystemClock.now())
  }

  func allBans() -> [Ban] { plan.jailNames.indices.flatMap { detector.decider.bans(in: $0) } }

  /// What the firewall is to hold: bans, and the entries of lists.
  func wanted() -> WantedBans { WantedBans(bans: allBans(), lists: lists, since: SystemClock.now()) }
}
