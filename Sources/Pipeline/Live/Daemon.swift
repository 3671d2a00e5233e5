public import AuditLog
public import Firewall
internal import LogSources
public import Model
public import Settings
internal import Synchronization
internal import System

/// The running program: sources, matching, decisions, firewall and store, on three threads.
///
/// ```swift
/// let daemon = try Daemon(settings, firewall: settings.firewall.choice, log: RunLog(), load: { try read() })
/// try daemon.start()
/// …
/// daemon.stop()   // bans stay in force: the kernel ends each by itself
/// ```
// Unchecked: all properties are set in `init`; what changes later sits behind a Mutex or belongs to one thread.
public final class Daemon: @unchecked Sendable {
  let loop: DecisionThread
  let writer: StoreWriter
  let firewall: SwitchableActuator
  /// The backend that settings mean, and why.
  private let choose: @Sendable (FirewallSettings) -> BackendChoice
  let choice: Mutex<BackendChoice>
  let log: RunLog
  public let started: Instant
  private let locks: DaemonLocks
  let lists: ListKeeper
  let allowances: Allowances
  private let intake: Intake
  private let reader: LogReader
  private let late = IdleCheckpoints()
  private let patterns: PatternHealth
  private let load: @Sendable () throws -> Settings.Reading
  private let onReload: @Sendable (Settings) -> Void
  private let outputs: @Sendable (Settings) throws -> [DecisionConsumer]
  private let readerThread = Mutex<ServiceThread?>(nil)
  private let watcher: Reconciler
  let current: Mutex<Plan>
  let dropped: Mutex<[DroppedJail]>
  /// What needs a person.
  let warnings: ActiveWarnings
  private(set) var monitor: HealthMonitor!
  let otherPlace: OtherPlace
  private let onInputEnd: @Sendable () -> Void
  /// Reloads follow one another: the end of the last one.
  /// Settings that are taken back unless somebody confirms them.
  let unconfirmedReload = Mutex<UnconfirmedReload?>(nil)
  private let lastReload = Mutex<Task<(changes: [String], warnings: [String]), any Error>?>(nil)
  private let isReading = Mutex(true)

  /// Opens the store, makes the firewall ready and puts the bans that are in force into it. Nothing is read yet.
  /// - Parameters:
  ///   - dropped: jails that have an error in the settings and are not among them.
  ///   - firewall: carries bans out until a reload asks for another backend; nil: the one that `choose` names.
  ///   - choose: the backend that settings mean, at the start and at each reload.
  ///   - load: reads the settings again, for a reload; its errors are the operator's answer.
  ///   - start: where sources begin that were never read before.
  ///   - onReload: called with the settings that a reload has put in force.
  ///   - outputs: who else is told what is stored, by settings; asked again at a reload.
  ///   - heartbeat: called by the thread that decides, every few seconds, as long as it gets on with its work.
  ///   - onWarning: called when a warning comes or goes, with all that are true then.
  ///   - onInputEnd: called when there is nothing more to read (standard input alone, at its end).
  public init(
    _ settings: Settings, dropped: [DroppedJail] = [], firewall given: (any Actuator)? = nil,
    choose: @escaping @Sendable (FirewallSettings) -> BackendChoice = { $0.choice }, log: RunLog,
    start: LogStart = .end, load: @escaping @Sendable () throws -> Settings.Reading,
    onReload: @escaping @Sendable (Settings) -> Void = { _ in },
    outputs: @escaping @Sendable (Settings) throws -> [DecisionConsumer] = { _ in [] },
    heartbeat: @escaping @Sendable () -> Void = {}, onWarning: @escaping @Sendable ([Warning]) -> Void = { _ in },
    onInputEnd: @escaping @Sendable () -> Void = {}
  ) throws {
    self.log = log
    self.choose = choose
    let choice = given.map { BackendChoice($0.backend, because: "it was given") } ?? choose(settings.firewall)
    self.choice = Mutex(choice)
    firewall = SwitchableActuator(given ?? choice.backend.makeActuator())
    (self.load, self.onReload, self.outputs, self.onInputEnd) = (load, onReload, outputs, onInputEnd)
    started = SystemClock.now()
    otherPlace = OtherPlace(since: started)
    let plan = Plan(settings, start: start == .end ? .end : .beginning)
    current = Mutex(plan)
    self.dropped = Mutex(dropped + plan.dropped)

    // Before the firewall is touched: another daemon's bans are not ours to change.
    locks = try DaemonLocks(settings, changesKernel: given == nil && choice.backend != .dryRun, log: log)
    // The firewall first: without it there is no use in going on, and the operator should hear so at once.
    for notice in try firewall.prepare(plan.firewallPlan) { log.warning("firewall: \(notice)") }

    allowances = try Allowances(path: settings.state + "/allowed", at: started)
    lists = ListKeeper(settings, allowances: allowances, log: log)
    let held = lists.held
    let restored = try Restoration.open(
      settings.database, plan: plan, ignoring: OwnAddresses.ignored(settings), firewall: firewall, lists: held,
      now: started, log: log)
    writer = StoreWriter(
      restored.store, positions: restored.positions, failures: restored.failures, settings: settings,
      isDryRun: !firewall.changesKernel, log: log)
    warnings = ActiveWarnings { [writer, log] change, all in
      Self.report(change, writer, log)
      onWarning(all)
    }
    patterns = PatternHealth { [writer, log] pattern, hits in
      Self.record(pattern, hits, writer, log)
    }
    loop = DecisionThread(
      plan, detector: restored.detector, firewall: firewall, lists: held, warnings: warnings, writer: writer,
      late: late, log: log, heartbeat: heartbeat)
    // Bans that the other backend may still hold are held by this one now.
    if given == nil, firewall.changesKernel {
      do { try FirewallBackend.clearOthers(than: firewall.backend) } catch { log.warning("firewall: \(error)") }
    }

    reader = try LogReader(sources: plan.specs, positions: restored.positions)
    intake = Intake(plan, output: loop.queue, late: late, patterns: patterns) { [writer, log] event in
      Self.record(event, writer, log)
    }
    watcher = Reconciler(firewall) { [loop] cause in
      loop.queue.postUrgent(.command(.repair(cause: cause)))
    }
    monitor = HealthMonitor(warnings, started: started) { [unowned self] in findings() }
    try beginStoring(restored, settings)
  }

  public enum LogStart: Sendable { case beginning, end }

  /// Begins to read.
  public func start() {
    let jails = current.withLock { $0.jails.count }
    writer.event(.start, detail: counted(jails, "jail"))
    if writer.isDryRun { writer.event(.dryRun, detail: "what is decided until the next start is never carried out") }
    loop.firewallChanged.withLock { $0 = true }
    loop.start()
    do { try watcher.start() } catch { log.error("firewall: \(error)") }
    let thread = ServiceThread("bailiff-read") { [self] in
      do { try reader.run(intake) } catch { log.error("reading has stopped: \(error)") }
      isReading.withLock { $0 = false }
      onInputEnd()
    }
    readerThread.withLock { $0 = thread }
    monitor.start()
    startLists()
  }

  /// Reads no more; what was read is decided.
  public func stopReading() {
    // On a disk that is full the reader may be waiting for the decider, and the decider for the store.
    writer.beginShutdown()
    monitor.stop()
    reader.stop()
    let thread = readerThread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    thread?.join()
  }

  /// Reads no more, finishes what was read, and stores it. Bans stay.
  public func stop() {
    lists.stop()
    stopReading()
    watcher.stop()
    loop.finish()
    writer.event(.stop)
    writer.finish()
    writer.store.close()
  }

  /// Reads the settings again and goes over to them. When they are wrong nothing changes, and the error says why.
  /// Returns what changed, a line each, and what to know about it.
  public func reload(
    uid: UInt32?, _ request: ReloadOptions = ReloadOptions()
  ) async throws -> (changes: [String], warnings: [String]) {
    let task = lastReload.withLock { last in
      let task = Task { [before = last] in
        _ = await before?.result
        do {
          let result = try await applyReload(uid: uid, request)
          warnings.clear(.settingsNotLoaded)
          return result
        } catch {
          warnings.raise(
            .settingsNotLoaded, "the settings on disk are not in force: \(Self.firstLine("\(error)"))",
            at: SystemClock.now())
          throw error
        }
      }
      last = task
      return task
    }
    return try await task.value
  }

  func applyReload(
    uid: UInt32?, _ request: ReloadOptions
  ) async throws -> (changes: [String], warnings: [String]) {
    let reading = try request.settings.map { Settings.Reading(settings: $0) } ?? load()
    let plan = try admittedPlan(reading)
    let settings = plan.settings
    let old = current.withLock { $0 }
    let changes = ReloadReport.changes(from: old.settings, to: settings)
    try requireNoLockout(settings, old: old.settings, request)
    let ignored = OwnAddresses.ignored(settings)
    let made = try await prepareFirewall(plan, old: old.settings.firewall)
    current.withLock { $0 = plan }
    let stillDropped = reading.droppedJails + plan.dropped
    dropped.withLock { $0 = stillDropped }
    writer.applyReload(settings)
    onReload(settings)
    try startConsumers(settings)
    // The decider first: it can take batches of the plan before its own, not of one that it does not know yet.
    await ask { .reload(plan, ignoring: ignored, $0) }
    lists.reload(settings)
    revertUnlessConfirmed(to: old.settings, request)
    let warnings =
      stillDropped.map { "jail \($0.name) is still left out: \($0.reason)" } + made.map(\.description)
      + (await readerGoesOver(to: plan) ? [] : [Self.delayed])
    monitor.update(at: SystemClock.now())
    let left = stillDropped.isEmpty ? [] : ["left out: \(stillDropped.map(\.name).joined(separator: ", "))"]
    tell(of: settings.values.differences(from: old.settings.values), in: settings, by: request.user)
    writer.event(.reload, detail: (changes + left).joined(separator: "; "), uid: uid, command: "reload")
    for warning in warnings { log.warning(warning) }
    log.notice("settings reloaded: \(changes.isEmpty ? "nothing changed" : changes.joined(separator: "; "))")
    return (changes, warnings)
  }

  /// What `reload` would change; nothing is. The values are those that the files say.
  public func previewReload() throws -> (changes: [String], values: [EffectiveSettings.Difference]) {
    let settings = try admittedPlan(load()).settings
    let old = self.settings
    return (ReloadReport.changes(from: old, to: settings), settings.values.differences(from: old.values))
  }

  /// - Throws: what is wrong with jails that run now, or anywhere else.
  private func admittedPlan(_ reading: Settings.Reading) throws -> Plan {
    let known = droppedJails
    let plan = Plan(try reading.admitted(dropped: known))
    let refused = plan.dropped.filter { jail in !known.contains { $0.name == jail.name } }
    guard refused.isEmpty else {
      throw DaemonError(
        refused.map { "jail \($0.name): \($0.reason)" }.joined(separator: "; "), remedy: "bailiff check tells more",
        isUsage: true)
    }
    return plan
  }

  private static func firstLine(_ text: String) -> String {
    String(text.split(separator: "\n").first ?? "")
  }

  func startConsumers(_ settings: Settings) throws {
    let consumers = try (log.isQuiet ? [] : [log.consumer]) + outputs(settings)
    try writer.consumers.start(
      consumers.map { consumer in
        var consumer = consumer
        // What was decided on paper while nothing was enforced is no news.
        consumer.filter.isReal = !writer.isDryRun
        return consumer
      })
  }

  /// Who is told what is stored, and how far.
  public var consumers: [ConsumerStatus] { writer.consumers.status }

  /// Makes the firewall ready for a new plan; where the settings ask for another backend, the bans go over to it first.
  private func prepareFirewall(_ plan: Plan, old: FirewallSettings) async throws -> [FirewallNotice] {
    let wanted = plan.settings.firewall
    guard wanted.backend != old.backend else { return try firewall.prepare(plan.firewallPlan) }
    let choice = choose(wanted)
    guard choice.backend != firewall.backend else {
      self.choice.withLock { $0 = choice }
      return try firewall.prepare(plan.firewallPlan)
    }
    guard choice.backend != .dryRun, firewall.changesKernel else {
      throw DaemonError(
        "`backend` cannot go from \(firewall.backend.rawValue) to \(choice.backend.rawValue) in a running daemon: what a dry "
          + "run decided is never enforced", remedy: "restart it: `systemctl restart bailiff`", isUsage: true)
    }
    let result = await ask {
      .switchBackend(firewall, to: choice.backend.makeActuator(), plan.firewallPlan, $0)
    }
    let made = try result.get()
    self.choice.withLock { $0 = choice }
    log.notice("firewall: bans are in force by \(choice.backend.rawValue) now (\(choice.reason))")
    return made
  }

  private static let delayed =
    "reading waits for the store, which another process has; changed sources and filters take effect when it is free"

  /// Has the reader adopt `plan` between two turns. False when that will be later, because it waits for a disk that is full.
  private func readerGoesOver(to plan: Plan) async -> Bool {
    let isDone = Mutex(false)
    reader.reload(sources: plan.specs) { [intake] in
      intake.applyReload(plan)
      isDone.withLock { $0 = true }
    }
    while !isDone.withLock({ $0 }) {
      guard isReading.withLock({ $0 }), !writer.isStuck else { return false }
      try? await Task.sleep(for: .milliseconds(5))
    }
    return true
  }

  /// Those in force.
  public var settings: Settings { current.withLock { $0.settings } }

  public var sources: [SourceReport] {
    let counts = intake.counts()
    let plan = current.withLock { $0 }
    return reader.status().map { status in
      let count = counts[status.info.number]
      var report = SourceReport(
        status: status, matched: count?.matched ?? 0, ignored: count?.ignored ?? 0, distrusted: count?.distrusted ?? 0,
        clockOffset: count?.clockOffset,
        jails: (count?.jails ?? plan.jails(reading: status.info.specs)).filter { $0 < plan.jailNames.count }.map {
          plan.jailNames[$0]
        })
      for (jail, understanding) in count?.understandings ?? [:] where jail < plan.jails.count {
        report.understandings[plan.jailNames[jail]] = understanding
      }
      return report
    }
  }

  /// Patterns that were stopped at their limit since the settings were read.
  public var stoppedPatterns: [StoppedPattern] { patterns.all }

  private static func record(
    _ pattern: PatternName, _ hits: Int, _ writer: StoreWriter, _ log: RunLog
  ) {
    let subject = "\(pattern.filter)/\(pattern.name)"
    let times = hits == 1 ? "" : " \(hits) times"
    let what = "stopped at its match limit\(times), and did not see those lines: make it less ambiguous"
    log.warning("pattern \(subject) (\(pattern.file)) was \(what)")
    writer.event(.patternQuarantined, subject: subject, detail: what)
  }

  private static func record(_ event: SourceEvent, _ writer: StoreWriter, _ log: RunLog) {
    switch event.kind {
    case .reading:
      log.notice("\(event)")
    case .failed:
      log.error("\(event)")
      writer.event(.sourceFailed, subject: event.source, detail: "\(event)")
    case .waiting:
      log.warning("\(event)")
    case .rotated, .rewritten, .recovered:
      log.notice("\(event)")
    case .truncated, .lost, .rateLimited:
      log.warning("\(event)")
      writer.event(.sourceFailed, subject: event.source, detail: "\(event)")
    }
  }
}

/// Why a command could not be carried out, with the remedy.
public struct DaemonError: Error, Sendable, CustomStringConvertible {
  public var message: String
  public var remedy: String
  /// Is the request itself wrong (there is no such jail), rather than refused?
  public var isUsage: Bool

  public init(_ message: String, remedy: String, isUsage: Bool = false) {
    self.message = message
    self.remedy = remedy
    self.isUsage = isUsage
  }

  public var description: String { "\(message); \(remedy)" }
}
