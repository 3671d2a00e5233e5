internal import AuditLog
internal import Model
internal import Settings
internal import Synchronization
internal import System

/// The store's thread: every commit, and the removal of what is too old.
///
/// A commit that fails is tried again until it succeeds (`on_full: wait`); when more waits than memory is meant to hold, or at
/// once with `shed`, its failures are released and counted, and what was decided is kept for when there is room. Posting never
/// waits, so bans go on being applied either way. While the disk is only slow, or another process has the store, the decider
/// leaves new lines where they are. A store that turns out to be damaged is set aside and a new one begun.
// Unchecked: `deferred` and the like are used by its own thread alone; what others see is behind a Mutex.
final class StoreWriter: @unchecked Sendable {
  struct Health: Sendable {
    var problem: String?
    /// The problem passes by itself: another process has the store.
    var isBusy = false
    /// Failures that were released because the disk was full.
    var shed = 0
    fileprivate var lastShed: Instant?
    /// Ever, also before this start.
    var committed = 0
    /// Why the store is larger than the settings say.
    var sizeProblem: String?
  }

  /// One transaction.
  private struct Commit: Sendable {
    var batch: FailureBatch
    var names: Names
    var decisions: [Decision]
    /// When the firewall had each; nil where it did not take it.
    var applied: [Instant?]
    /// Were they decided on paper only?
    var isDryRun: Bool

    /// Adds what came after it.
    mutating func append(_ next: Commit) {
      batch.append(next.batch)
      decisions += next.decisions
      applied += next.applied
    }
  }

  private enum Item: Sendable {
    case commit(Commit)
    case event(AuditEvent)
    /// The bans in force, for a store that was begun while running.
    case takeOver([Decision], applied: Bool)
  }

  /// How much may wait for the disk, in bytes: some 70,000 failures.
  private static let capacity = 32 << 20
  /// Failures that decide nothing are stored a moment later, with what comes meanwhile: a commit writes a page at least, and after
  /// a crash their lines are read again. What has moved without a failure waits longer. Decisions wait for nothing, and
  /// take what waits with them.
  private static let moment = Duration.seconds(1)
  private static let idleMoment = Duration.seconds(10)
  /// So many failures are a transaction at most, and where decisions are many their transactions follow one another after so long:
  /// one costs as much as a hundred failures. The first after a quiet time waits for nothing.
  private static let largest = 8192
  private static let between = Duration.milliseconds(10)
  /// How many decisions and events are kept for a disk that is full, with `shed`.
  private static let deferredLimit = 100_000

  private let queue = BoundedQueue<Item>(capacity: capacity)
  let path: String
  /// Does nothing that is decided reach the firewall?
  let isDryRun: Bool
  private let opened: OpenStore
  /// The last that were committed, by source.
  var positions: [String: SourcePosition]
  /// When a damaged store was set aside: one that is damaged again at once is a broken disk.
  var lastSetAside: Instant?
  /// The store is closed and could not be opened again yet.
  var isClosed = false
  private(set) var onNewStore: @Sendable () -> Void = {}
  private let policy: Mutex<(onFull: OnFull, retention: RetentionPolicy)>
  let log: RunLog
  private let state: Mutex<Health>
  private let thread = Mutex<ServiceThread?>(nil)
  private let isEnding = Mutex(false)
  /// Nothing more is stored: a commit after one that was given up would store a position past failures that are not.
  private var hasGivenUp = false
  /// What is left of shed commits, and events, in their order.
  private var deferred: [Item] = []
  private var shedSince: (failures: Int, start: Instant)?

  /// Who is told what is stored.
  let consumers: Consumers
  /// When the positions of consumers were last stored.
  private var lastPositions = ContinuousClock.now

  /// What is stored next, when it is stored at the latest, and whether that is at once.
  private var open: Commit?
  private var openUntil = ContinuousClock.now + .seconds(3600)
  private var isUrgent = false
  private var lastCommit = ContinuousClock.now - between
  /// When old rows are looked for next, and how many were stored since: the size is looked at as it grows.
  private var nextRetention = ContinuousClock.now
  private var sinceRetention = 0
  private static let retentionStride = 16_384

  /// `positions`: what the store knows of them. `failures`: how many were ever stored in it.
  init(
    _ store: AuditStore, positions: [SourcePosition], failures: Int = 0, settings: Settings, isDryRun: Bool = false,
    log: RunLog
  ) {
    path = store.path
    state = Mutex(Health(committed: failures))
    self.isDryRun = isDryRun
    let opened = OpenStore(store)
    self.opened = opened
    consumers = Consumers(
      path: store.path, store: { opened.store },
      spawn: { name, body in _ = ServiceThread(name, body) })
    self.positions = Dictionary(positions.map { ($0.source, $0) }) { $1 }
    policy = Mutex((settings.onFull, RetentionPolicy(settings.retention)))
    self.log = log
  }

  /// What is written between failures that do not fit does not make it well.
  var health: Health {
    var health = state.withLock { $0 }
    if health.problem == nil, let last = health.lastShed, SystemClock.now().since(last) < .minutes(1) {
      health.problem =
        "\(health.shed) failures are not in the audit, for which the disk had no room; free some space or shorten retention"
    }
    return health
  }
  /// Does too much wait, and must new lines wait with it? Not on a disk that takes nothing: bans go on.
  var holdsReading: Bool { queue.isFull && state.withLock { $0.problem == nil || $0.isBusy } }
  /// Does it wait for another process that has the store?
  var isStuck: Bool { queue.isFull && state.withLock { $0.problem != nil && $0.isBusy } }
  var store: AuditStore {
    get { opened.store }
    set { opened.store = newValue }
  }

  func applyReload(_ settings: Settings) {
    policy.withLock { $0 = (settings.onFull, RetentionPolicy(settings.retention)) }
  }

  /// `onNewStore` is called when a damaged store was replaced: the new one knows no bans.
  func start(onNewStore: @escaping @Sendable () -> Void = {}) {
    self.onNewStore = onNewStore
    thread.withLock { $0 = ServiceThread("bailiff-store") { [self] in run() } }
  }

  /// - Parameter isDryRun: were these decided on paper only? nil: as all that this daemon decides.
  func commit(
    _ batch: FailureBatch, names: Names, decisions: [Decision], applied: Set<Int>, isDryRun: Bool? = nil,
    at now: Instant
  ) {
    guard !batch.isEmpty || !decisions.isEmpty else { return }
    let commit = Commit(
      batch: batch, names: names, decisions: decisions,
      applied: decisions.indices.map { applied.contains($0) ? now : nil }, isDryRun: isDryRun ?? self.isDryRun)
    let cost = batch.size + 256 * decisions.count
    if decisions.isEmpty {
      queue.postQuietly(.commit(commit), cost: cost)
    } else {
      queue.postAtOnce(.commit(commit), cost: cost)
    }
  }

  func event(
    _ action: AuditEvent.Action, subject: String = "", detail: String = "", uid: UInt32? = nil, command: String = ""
  ) {
    let event = AuditEvent(
      time: SystemClock.now(), action: action, subject: subject, detail: detail, uid: uid, command: command)
    queue.postAtOnce(.event(event), cost: 256)
  }

  func takeOver(_ bans: [Decision], applied: Bool) {
    guard !bans.isEmpty else { return }
    queue.postAtOnce(.takeOver(bans, applied: applied), cost: 256 * bans.count)
  }

  /// From now on nothing is waited for: a commit that fails, and all after it, are given up. Their positions are not
  /// stored either, so their lines are read again at the next start.
  func beginShutdown() { isEnding.withLock { $0 = true } }

  /// Ends after everything that was posted is stored or given up, and consumers were told.
  func finish() {
    beginShutdown()
    queue.close()
    thread.withLock { $0 }?.join()
  }

  private func run() {
    while let items = queue.take(waiting: patience, isSoon: openUntil <= .now + Self.moment) {
      for item in items { add(item) }
      if isUrgent || openUntil <= .now {
        gather()
        storeOpen()
      }
      if items.isEmpty, !deferred.isEmpty { _ = retryDeferred() }
      storeConsumerPositions()
      // Where there is never time, old rows go all the same, a few a second.
      if nextRetention <= .now - (items.isEmpty ? .zero : .seconds(1)) { forgetOld() }
    }
    storeOpen()
    if !deferred.isEmpty { _ = retryDeferred() }
    consumers.stop()
    if store.hasMovedPositions { _ = attempt { try $0.storePositions() } }
  }

  /// Where consumers are: with the next commit, or by itself when none comes for a while.
  private func storeConsumerPositions() {
    guard store.hasMovedPositions, ContinuousClock.now - lastPositions > .seconds(1) else { return }
    lastPositions = .now
    _ = attempt { try $0.storePositions() }
  }

  /// How many seconds to wait for an item before there is something else to do.
  private var patience: Double {
    var until = min(nextRetention, openUntil)
    if store.hasMovedPositions { until = min(until, lastPositions + .seconds(1)) }
    if !deferred.isEmpty { until = min(until, .now + .seconds(1)) }
    return max((until - .now) / .seconds(1), 0)
  }

  // MARK: What waits to be stored

  /// Commits that follow one another become one.
  private func add(_ item: Item) {
    guard case .commit(let commit) = item else {
      storeOpen()
      return carryOut(item)
    }
    if let open, open.names != commit.names || open.isDryRun != commit.isDryRun { storeOpen() }
    if open?.append(commit) == nil { open = commit }
    let isIdle = commit.batch.hasNoRows
    openUntil = min(openUntil, .now + (isIdle ? Self.idleMoment : Self.moment))
    isUrgent = isUrgent || !commit.decisions.isEmpty
    if (open?.batch.failures.count ?? 0) >= Self.largest { storeOpen() }
  }

  /// What waits already goes with what is stored now; where decisions are many, what comes within a few milliseconds, too.
  private func gather() {
    let early = Self.between - (ContinuousClock.now - lastCommit)
    if isUrgent, early > .zero { ServiceThread.sleep(seconds: early / .seconds(1)) }
    while open != nil, let items = queue.take(waiting: 0), !items.isEmpty { for item in items { add(item) } }
  }

  private func storeOpen() {
    openUntil = .now + .seconds(3600)
    isUrgent = false
    guard let commit = open.take() else { return }
    carryOut(.commit(commit))
    lastCommit = .now
  }

  /// Removes what the settings no longer keep, a little at a time, so that commits never wait for it.
  private func forgetOld() {
    let retention = policy.withLock { $0.retention }
    var isBehind = false
    _ = attempt { store in
      isBehind = try store.retain(retention, now: SystemClock.now(), limit: 2048)
      guard !isBehind else { return }
      let problem = try store.sizeProblem(retention)
      state.withLock { $0.sizeProblem = problem }
    }
    sinceRetention = 0
    nextRetention = .now + (isBehind ? .milliseconds(20) : .seconds(600))
  }

  private func carryOut(_ item: Item) {
    guard !hasGivenUp else { return }
    var pause = 0.1
    var isSaid = false
    while true {
      if retryDeferred(), attempt({ try write(item, to: $0) }) {
        if case .commit(let commit) = item { count(commit) }
        consumers.stored(store.end, at: SystemClock.now())
        return
      }
      if case .commit(let commit) = item, !isSaid {
        isSaid = true
        // Those who read the store cannot know yet.
        for decision in commit.decisions { log.unstored(decision, now: SystemClock.now()) }
      }
      if isEnding.withLock({ $0 }) {
        hasGivenUp = true
        log.error("store: what could not be stored is read again at the next start")
        return
      }
      if !isBusy, queue.isFull || policy.withLock({ $0.onFull }) == .shed {
        shed(item)
        return
      }
      ServiceThread.sleep(seconds: pause)
      pause = min(pause * 2, 1)
    }
  }

  private func count(_ stored: Commit) {
    state.withLock { $0.committed += stored.batch.failureCount }
    sinceRetention += stored.batch.failures.count + stored.batch.activities.count + stored.decisions.count
    if sinceRetention >= Self.retentionStride { nextRetention = min(nextRetention, .now) }
  }

  private func write(_ item: Item, to store: AuditStore) throws {
    switch item {
    case .commit(let commit):
      try store.commit(
        commit.batch, names: commit.names, decisions: commit.decisions, applied: commit.applied,
        isDryRun: commit.isDryRun)
      for position in commit.batch.positions { positions[position.source] = position }
    case .event(let event): try store.record(event)
    case .takeOver(let bans, let isApplied):
      // What was decided since may have reached it before.
      let now = SystemClock.now()
      let held = Set(try store.bansInForce(at: now).map { HeldBan(jail: $0.jail, identity: $0.identity) })
      let missing = bans.filter { !held.contains(HeldBan(jail: $0.jail, identity: $0.identity)) }
      let names = Names(jails: [], patterns: [], sources: [])
      try store.commit(
        FailureBatch(), names: names, decisions: missing, applied: isApplied ? now : nil, isDryRun: isDryRun)
    }
  }

  private struct HeldBan: Hashable {
    var jail: String
    var identity: Identity
  }

  // MARK: A full disk

  private var isBusy: Bool { state.withLock { $0.isBusy } }

  /// Lets the failures go; keeps decisions, positions and events.
  private func shed(_ item: Item) {
    var rest = item
    if case .commit(var commit) = item {
      let failures = commit.batch.failureCount
      state.withLock { health in
        health.shed += failures
        health.lastShed = SystemClock.now()
      }
      shedSince = ((shedSince?.failures ?? 0) + failures, shedSince?.start ?? SystemClock.now())
      var positions = FailureBatch()
      positions.positions = commit.batch.positions
      commit.batch = positions
      if commit.decisions.isEmpty, case .commit(var last)? = deferred.last {
        // Most commits hold nothing but failures: their positions join.
        last.batch.append(positions)
        deferred[deferred.count - 1] = .commit(last)
        return
      }
      rest = .commit(commit)
    }
    if deferred.count < Self.deferredLimit { deferred.append(rest) }
  }

  /// Stores what was kept, and how much was not; true when nothing is left of it.
  private func retryDeferred() -> Bool {
    while let item = deferred.first {
      guard attempt({ try write(item, to: $0) }) else { return false }
      deferred.removeFirst()
    }
    guard let shed = shedSince else { return true }
    let event = AuditEvent(
      time: SystemClock.now(), action: .shed, subject: path,
      detail: "\(shed.failures) failures since \(shed.start.rfc3339()) are not in the audit; bans were applied",
      uid: nil, command: "")
    guard attempt({ try $0.record(event) }) else { return false }
    shedSince = nil
    log.warning("store: \(event.detail)")
    return true
  }

  private func attempt(_ body: (AuditStore) throws -> Void) -> Bool {
    do {
      if isClosed { try openAgain() } else if store.isReplaced { try leaveReplacedStore() }
      do { try body(store) } catch let error as StoreError where error.kind == .corrupt && mayReplace {
        try replaceStore(because: error)
        try body(store)
      }
      let had = state.withLock { health in
        defer { (health.problem, health.isBusy) = (nil, false) }
        return health.problem
      }
      if had != nil { log.notice("store: writes succeed again") }
      return true
    } catch {
      let isBusy = (error as? StoreError)?.kind == .busy
      let isNews = state.withLock { health in
        defer { (health.problem, health.isBusy) = ("\(error)", isBusy) }
        return health.problem == nil
      }
      if isNews { log.error("store: \(error)") }
      return false
    }
  }
}

extension FailureBatch {
  /// How many failures it represents.
  var failureCount: Int { failures.reduce(0) { $0 &+ Int($1.count) } }

  /// About how many bytes of memory it takes.
  var size: Int {
    256 + bytes.count + failures.count * MemoryLayout<Failure>.stride
      + activities.count * MemoryLayout<Activity>.stride + alerts.count * 512
  }
}

extension RetentionPolicy {
  /// Bans are decisions; what operators did is kept as long as bans are.
  fileprivate init(_ retention: Retention) {
    self.init(
      failures: retention.failures, decisions: retention.bans, events: retention.bans, size: retention.size,
      activity: retention.activity, activitySize: retention.activitySize)
  }
}
