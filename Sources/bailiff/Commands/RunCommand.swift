import API
import ArgumentParser
import Firewall
import Foundation
import Pipeline
import Settings

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "The daemon, in the foreground.",
    discussion: """
      Reads the logs that the settings name, bans, and keeps the audit, until SIGTERM or Ctrl-C. SIGHUP reloads the
      settings. Bans stay in force when it ends: the kernel lets go of each when its time is over.

      Without settings, `bailiff run --dry-run` watches the logs it finds on this machine and changes nothing:

        bailiff run --dry-run
        bailiff run --config /etc/bailiff/bailiff.yaml

      Under systemd use the unit bailiff.service, which gives it no more rights than it needs.
      """)

  @OptionGroup var config: ConfigOptions
  @Flag(name: .customLong("dry-run"), help: "Decide and record, but leave the firewall alone.")
  var dryRun = false
  @Flag(help: "Read files and the journal from their beginning where no position is stored.")
  var fromStart = false
  @Flag(name: .shortAndLong, help: "Say only what is wrong.")
  var quiet = false

  func run() async throws {
    let log = RunLog(isQuiet: quiet)
    FileLimit.raise()
    let settings = try begin(log)
    let config = config
    // Before the firewall is touched: another daemon's bans are not ours to change.
    if (try? ControlClient(socket: settings.socket, deadline: 2, session: nil).status()) != nil {
      throw CommandFailure(
        .rejected, "a daemon already answers on \(settings.socket); stop it first, or name another `socket` and `state`"
      )
    }
    let (ending, end) = AsyncStream.makeStream(of: Void.self)
    let daemon: Daemon
    do {
      daemon = try Daemon(
        settings, choose: { [dryRun] in dryRun ? BackendChoice(.dryRun, because: "--dry-run") : $0.choice }, log: log,
        start: fromStart ? .beginning : .end,
        load: { try config.settings() }, heartbeat: { ServiceManager.isAlive() },
        onInputEnd: { end.yield() })
    } catch let error as FirewallError {
      throw CommandFailure(.rejected, "\(error)")
    }
    let server = try await ControlServer.start(
      socket: settings.socket, group: settings.group,
      handlers: ControlHandlers(daemon, config: config.isAutomatic ? "" : config.path))
    daemon.start()
    Signals.listen { signal in
      guard signal == SIGHUP else {
        end.yield()
        return
      }
      Task {
        do { _ = try await daemon.reload(uid: 0) } catch {
          log.error("settings not reloaded, nothing changed: \(error)")
        }
      }
    }
    let changesKernel = daemon.health.changesKernel
    let jails = settings.jails.count { $0.enabled }
    log.notice(
      "\(changesKernel ? "watching" : "dry run, watching") with \(jails) \(jails == 1 ? "jail" : "jails")")
    ServiceManager.ready("\(jails) jails")
    ResidentMemory.giveBackFilePages()

    for await _ in ending { break }
    ServiceManager.stopping()
    await server.stop()
    daemon.stop()
    log.notice(
      changesKernel
        ? "stopped; bans stay in force until their time is over" : "stopped; it was a dry run, nobody was banned")
  }

  /// The settings; a jail that is wrong is left out and said, everything else that is wrong is the end.
  private func begin(_ log: RunLog) throws -> Settings {
    if config.isAutomatic, !dryRun {
      throw CommandFailure(
        .usage,
        "\(config.path) does not exist; write one (docs/settings.md), carry fail2ban's over with `bailiff import fail2ban`, "
          + "or try `bailiff run --dry-run`, which needs none")
    }
    let reading = config.read()
    guard reading.generalErrors.isEmpty else { throw SettingsErrors(reading.errors) }
    for error in reading.errors { log.error("\(error)") }
    for warning in reading.warnings { log.warning("\(warning)") }
    guard reading.settings.jails.contains(where: \.enabled) || reading.errors.isEmpty else {
      throw CommandFailure(.usage, "every jail has an error; none can run")
    }
    return reading.settings
  }
}
