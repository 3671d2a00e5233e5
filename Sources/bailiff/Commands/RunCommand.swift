import ArgumentParser
import Pipeline
import Service
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
  @Flag(help: "Refuse to start when a jail has an error, rather than leave it out.")
  var strict = false
  @Flag(help: "Read files and the journal from their beginning where no position is stored.")
  var fromStart = false
  @Flag(name: .shortAndLong, help: "Say only what is wrong.")
  var quiet = false

  func run() async throws {
    if config.isAutomatic, !dryRun {
      throw CommandFailure(
        .usage,
        "\(config.path) does not exist; write one (docs/settings.md), carry fail2ban's over with `bailiff import fail2ban`, "
          + "or try `bailiff run --dry-run`, which needs none")
    }
    let config = config
    var service = Service(
      version: Bailiff.version, file: config.isAutomatic ? "" : config.path, log: RunLog(isQuiet: quiet),
      read: { config.read() })
    service.isDryRun = dryRun
    service.readsFromStart = fromStart
    service.isStrict = strict
    try await service.run()
  }
}
