internal import API
internal import AuditLog
internal import BanSharing
internal import Fail2banSocket
internal import Fleet
internal import Model
internal import Outputs
internal import Pipeline
internal import Reporting
internal import Settings
internal import Synchronization
internal import System

/// Who is told of what is decided, and who is answered in a language of their own: outputs and `compat`.
final class Neighbours: Sendable {
  /// What fail2ban's client changed.
  let limits = RuntimeLimits()
  private let outputs: Outputs
  private let view = BanView()
  private let sharing: SharingServer
  private let fail2ban = Mutex<Fail2banServer?>(nil)
  /// Nil: it counts alone.
  private let fleet: FleetMember?
  private let reports = Mutex<FailureSocket?>(nil)
  private let log: RunLog
  private let isDryRun: Bool

  /// - Throws: what is wrong with the fleet's settings.
  init(version: String, isDryRun: Bool, settings: Settings, log: RunLog) throws {
    self.log = log
    fleet = isDryRun ? nil : try FleetMember(settings) { log.warning($0) }
    self.isDryRun = isDryRun
    outputs = Outputs(version: version) { Self.report($0, log) }
    sharing = SharingServer(view) { log.warning($0) }
  }

  /// A dry run tells nobody.
  func consumers(_ settings: Settings) -> [DecisionConsumer] {
    let isShared = settings.compat.crowdsec != nil || settings.compat.check != nil
    return (isDryRun ? [] : outputs.consumers(settings)) + (isShared ? [view.consumer] : []) + (fleet?.consumers ?? [])
  }

  /// Sends a report by an output of these settings.
  /// - Throws: why it did not arrive.
  func send(_ letter: ReportMaker.Letter, _ settings: Settings) throws {
    guard !isDryRun else { throw RequestError(.rejected, "a dry run sends nothing") }
    guard let output = settings.outputs.first(where: { $0.name == letter.output }) else {
      throw RequestError(.rejected, "there is no output \(letter.output)")
    }
    let days = [letter.report.since, letter.report.until].map { LocalTime.text($0).prefix(10) }
    let isPage = letter.format == .html
    let file = MailedFile(
      title: "report of \(days[0]) to \(days[1])", text: letter.summary,
      name: "bailiff-\(days[0])-\(days[1]).\(letter.format.rawValue)",
      type: isPage ? "text/html; charset=utf-8" : "application/pdf", bytes: letter.bytes)
    _ = try outputs.send(file, by: output)
  }

  /// Listens for them; what does not succeed is said, and the daemon runs all the same.
  func start(_ settings: Settings, _ daemon: Daemon, metrics: @escaping @Sendable () -> String) async {
    let compat = settings.compat
    if let path = compat.fail2ban {
      do {
        let server = try Fail2banServer(path, daemon: daemon, limits: limits)
        fail2ban.withLock { $0 = server }
      } catch { log.error("compat: fail2ban: \(error); fail2ban's own server may be running") }
    }
    if let failures = settings.failures {
      do {
        let socket = try FailureSocket(failures.socket, daemon: daemon, log: log)
        reports.withLock { $0 = socket }
      } catch { log.error("failures: \(error)") }
    }
    if compat.crowdsec != nil || compat.check != nil {
      do { view.fill(try await daemon.bans(jail: nil)) } catch { log.error("compat: \(error)") }
    }
    for problem in await sharing.start(compat, metrics: metrics) { log.error(problem) }
    fleet?.start { [log] in await daemon.obey($0, log) }
  }

  /// What Prometheus is told.
  func metrics(of daemon: Daemon, file: String, version: String) -> String {
    DaemonMetrics(
      status: StatusReply(daemon, config: file, version: version), pipeline: daemon.metrics, outputs: outputs.status,
      lists: daemon.listReports.map(ListReply.init)
    ).text
  }

  func stop() async {
    fleet?.stop()
    fail2ban.withLock { $0.take() }?.stop()
    reports.withLock { $0.take() }?.stop()
    await sharing.stop()
  }

  private static func report(_ notice: OutputNotice, _ log: RunLog) {
    switch notice {
    case .refused(let name, let problem): log.warning("output \(name): \(problem); it is tried again")
    case .recovered(let name): log.notice("output \(name) is reached again")
    case .dropped(let name, let what): log.error("output \(name): \(what)")
    }
  }
}
