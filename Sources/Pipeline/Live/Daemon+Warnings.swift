internal import AuditLog
internal import Filters
internal import Firewall
internal import LockoutGuard
internal import LogSources
public import Model
internal import Settings
internal import Synchronization
internal import System

/// What needs a person.
extension Daemon {
  /// As of now.
  public var activeWarnings: [Warning] {
    monitor.update(at: SystemClock.now())
    return warnings.all
  }

  /// Does every packet meet the bans?
  public var isEnforcing: Bool { !loop.isNotEnforcing }

  /// Jails that have an error and do not run.
  public var droppedJails: [DroppedJail] { dropped.withLock { $0 } }

  /// What the daemon's parts say of themselves, by code. The firewall's are raised where bans are carried out.
  func findings() -> [(code: Warning.Code, found: [HealthFindings.Finding])] {
    let plan = current.withLock { $0 }
    let watched = plan.jails.filter { $0.settings.source == .logs }.map { jail in
      let sources = jail.settings.sources()
      let journal = sources.journal.map { "journal \($0)" }
      return HealthFindings.Watched(name: jail.settings.name, sources: sources.files + journal)
    }
    let sources = sources
    let found = HealthFindings(jails: watched, sources: sources, patterns: stoppedPatterns)
    let filters = Dictionary(
      plan.jails.map { ($0.settings.name, $0.settings.definition?.name ?? "") }, uniquingKeysWith: { first, _ in first }
    )
    let understood = Understood(sources, filters: filters)
    let silent = plan.jails.filter { $0.settings.source == .logs && !understood.jails.contains($0.settings.name) }
    let health = health
    return [
      (.jailDropped, droppedJails.map { ($0.name, $0.reason) }), (.jailBlind, found.blind),
      (.sourceFailed, found.failed), (.patternLimited, found.limited), (.sourceClock, found.clocks),
      (.sourceNotBelieved, found.distrusted), (.guardBlind, guardIsBlind ? [("", Self.blind)] : []),
      (.sourceNotUnderstood, understood.problems),
      (.sourceElsewhere, otherPlace.found(silent, plan, now: SystemClock.now())),
      (.storeNotWriting, health.storeProblem.map { [("", $0)] } ?? []),
      (.listStale, lists.findings(at: SystemClock.now())),
      (.storeOverSize, health.sizeProblem.map { [("", $0)] } ?? []),
      (.consumerBehind, consumers.compactMap { status in status.problem.map { (status.name, $0) } }),
    ]
  }

  /// Is nobody spared who is logged in, though the settings say so?
  private var guardIsBlind: Bool {
    firewall.changesKernel && settings.protectSessions.spared != .none && !LockoutGuard.seesSessions
  }

  private static let blind =
    "there is neither utmp nor logind, and sshd's processes may not be looked at, so nobody is spared because of being logged in: "
    + "give the daemon CAP_SYS_PTRACE, or list your own addresses in `ignoreip`; `protect_sessions: false` if that is meant"

  /// Once in the log and in the audit, when it comes and when it goes.
  static func report(_ change: ActiveWarnings.Change, _ writer: StoreWriter, _ log: RunLog) {
    switch change {
    case .raised(let warning):
      log.warning("warning: \(warning)")
      writer.event(.warningRaised, subject: warning.name, detail: warning.text)
    case .cleared(let warning):
      log.notice("no longer: \(warning)")
      writer.event(.warningCleared, subject: warning.name, detail: warning.text)
    }
  }
}
