internal import API
internal import Fail2banSocket
internal import Firewall
internal import Glibc
internal import Model
public import Pipeline
internal import Reporting
public import Settings
internal import Synchronization
internal import System

/// The daemon as a service of the system: settings, firewall, pipeline, API, signals and what systemd is told.
///
/// ```swift
/// Signals.block()   // before any thread is made
/// try await Service(version: "0.1.0", file: path, log: RunLog(), read: { Settings.read(path: path) }).run()
/// ```
public struct Service: Sendable {
  public var version: String
  /// The settings' file; empty: they were made up.
  public var file: String
  /// Refuse to start when a jail has an error, rather than leave it out.
  public var isStrict = false
  /// Decide and record, but leave the firewall alone.
  public var isDryRun = false
  /// Read files and the journal from their beginning where no position is stored.
  public var readsFromStart = false
  public var log: RunLog
  /// Reads the settings, at the start and at each reload.
  public var read: @Sendable () -> Settings.Reading

  public init(version: String, file: String, log: RunLog, read: @escaping @Sendable () -> Settings.Reading) {
    self.version = version
    self.file = file
    self.log = log
    self.read = read
  }

  /// Returns when it was told to end, or standard input, where that is all that is read, has ended.
  /// - Throws: `SettingsErrors`, `RequestError`, or what the store says.
  public func run() async throws {
    FileLimit.raise()
    let reading = try firstReading()
    let settings = reading.settings
    // Before the firewall is touched: another daemon's bans are not ours to change.
    if (try? ControlClient(socket: settings.socket, deadline: 2).status()) != nil {
      throw RequestError(
        .rejected, "a daemon already answers on \(settings.socket)",
        remedy: "stop it first, or name another `socket` and `state`")
    }
    let (ending, end) = AsyncStream.makeStream(of: Int32.self)
    let neighbours = try Neighbours(version: version, isDryRun: isDryRun, settings: settings, log: log)
    let server = APIServer()
    let daemon = try makeDaemon(reading, neighbours, server, onInputEnd: { end.yield(SIGTERM) })
    let metrics = { @Sendable [file, version] in neighbours.metrics(of: daemon, file: file, version: version) }
    let reports = ReportMaker(daemon, neighbours, file: file, version: version)
    var handlers = ControlHandlers(daemon, file: file, version: version, metrics: metrics)
    handlers.reports = reports
    let started = try await ControlServer.start(
      socket: settings.socket, group: settings.group, remote: settings.api, handlers: handlers,
      context: InspectionContext(
        version: version, database: { daemon.settings.database }, settings: { daemon.settings }))
    server.start(started)
    daemon.start()
    daemon.note(version: version)
    await neighbours.start(settings, daemon, metrics: metrics)
    reports.start()
    listen(daemon, end)
    let watched = counted(settings.jails.count { $0.enabled }, "jail")
    let changesKernel = daemon.health.changesKernel
    log.notice("\(changesKernel ? "watching" : "dry run, watching") with \(watched)")
    ServiceManager.ready(Self.summary(daemon.activeWarnings, else: watched))
    ResidentMemory.giveBackFilePages()

    var signal = SIGTERM
    for await sent in ending {
      signal = sent
      break
    }
    ServiceManager.stopping()
    reports.stop()
    await neighbours.stop()
    await started.stop()
    if signal == Signals.stopLiftingBans {
      // Nobody is banned any more while they are lifted.
      daemon.stopReading()
      _ = try await daemon.unbanAll(jail: nil, uid: 0, command: "stop --unban")
    }
    daemon.stop()
    let bans = signal == Signals.stopLiftingBans ? "every ban is lifted" : "bans stay in force until their time is over"
    log.notice(changesKernel ? "stopped; \(bans)" : "stopped; it was a dry run, nobody was banned")
  }

  private func makeDaemon(
    _ reading: Settings.Reading, _ neighbours: Neighbours, _ server: APIServer,
    onInputEnd: @escaping @Sendable () -> Void
  ) throws -> Daemon {
    do {
      return try Daemon(
        reading.settings, dropped: reading.droppedJails,
        choose: { [isDryRun] in isDryRun ? BackendChoice(.dryRun, because: "--dry-run") : $0.choice }, log: log,
        start: readsFromStart ? .beginning : .end,
        load: { [read] in
          let reading = neighbours.limits.applied(to: read())
          _ = try ControlServer.groupID(reading.settings.group)
          return reading
        },
        onReload: { [log] settings in
          do { try server.current?.admit(group: settings.group) } catch { log.error("group: \(error)") }
        },
        outputs: { neighbours.consumers($0) }, heartbeat: { ServiceManager.isAlive() },
        onWarning: { Self.tellServiceManager($0) }, onInputEnd: onInputEnd)
    } catch let error as FirewallError {
      throw RequestError(.rejected, "\(error)")
    }
  }

  private func listen(_ daemon: Daemon, _ end: AsyncStream<Int32>.Continuation) {
    Signals.listen { [log] signal in
      guard signal == SIGHUP else {
        end.yield(signal)
        return
      }
      Task {
        do { _ = try await daemon.reload(uid: 0) } catch {
          log.error("settings not reloaded, nothing changed: \(error)")
        }
      }
    }
  }

  /// A jail that is wrong is left out and said, everything else that is wrong is the end.
  private func firstReading() throws -> Settings.Reading {
    let reading = read()
    guard reading.generalErrors.isEmpty, reading.errors.isEmpty || !isStrict else {
      throw SettingsErrors(reading.errors)
    }
    for error in reading.errors { log.error("\(error)") }
    for warning in reading.warnings { log.warning("\(warning)") }
    guard reading.settings.jails.contains(where: \.enabled) || reading.errors.isEmpty else {
      throw RequestError(.invalid, "every jail has an error; none can run")
    }
    return reading
  }

  /// What `systemctl status` shows.
  private static func tellServiceManager(_ warnings: [Warning]) {
    ServiceManager.status(summary(warnings, else: "all is well"))
  }

  private static func summary(_ warnings: [Warning], else well: String) -> String {
    guard let first = warnings.first else { return well }
    let more = warnings.count > 1 ? " (and \(warnings.count - 1) more)" : ""
    return "\(counted(warnings.count, "warning")): \(first)\(more)"
  }
}

/// The API's server, which comes after the daemon that it asks and that tells it of new settings.
private final class APIServer: Sendable {
  private let server = Mutex<ControlServer?>(nil)

  var current: ControlServer? { server.withLock { $0 } }

  func start(_ started: ControlServer) { server.withLock { $0 = started } }
}
