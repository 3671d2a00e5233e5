import ArgumentParser
import Glibc
import Service
import System

@main
struct Bailiff: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bailiff",
    abstract: "Watches logs for failed logins and abuse, and bans the addresses behind them.",
    discussion: """
      Begin with what this machine's settings say, and with what they would have done:

        bailiff check
        bailiff replay /var/log/auth.log

      Then run the daemon (or start its unit), and ask it:

        bailiff run
        bailiff status
        bailiff explain 192.0.2.7

      `bailiff help topics` lists what else there is to read.

      Exit status:
        0  done
        1  no: not banned, samples fail, refused
        2  wrong usage or settings
        3  the daemon is not there
        4  status: something needs a person
      """,
    version: version,
    groupedSubcommands: [
      CommandGroup(name: "The daemon:", subcommands: daemonCommands),
      CommandGroup(name: "Bans:", subcommands: [Bans.self, BanNow.self, Unban.self, Confirm.self] + allowCommands),
      CommandGroup(name: "Many servers:", subcommands: [FleetGroup.self, AggregateCommand.self]),
      CommandGroup(name: "The past:", subcommands: pastCommands),
      CommandGroup(name: "Settings:", subcommands: settingsCommands),
    ])

  static let version = "0.1.0"

  // A line each, so that whoever adds a command changes one.
  private static let daemonCommands: [any ParsableCommand.Type] = [
    Run.self,
    ReplayLogs.self,
    Status.self,
    Watch.self,
    Reload.self,
    Stop.self,
    SupportCommand.self,
    FirewallCommand.self,
    ReportFailure.self,
    TokenCommand.self, UserCommand.self,
  ]
  private static let allowCommands: [any ParsableCommand.Type] = [
    AllowCommand.self,
    DisallowCommand.self,
    ListsCommand.self,
  ]
  private static let pastCommands: [any ParsableCommand.Type] = [
    Explain.self,
    Audit.self,
    ActivityCommand.self,
    AlertsCommand.self,
    Top.self,
    WhatIfCommand.self,
    Report.self,
    PostureCommand.self,
  ]
  private static let settingsCommands: [any ParsableCommand.Type] = [
    SetupCommand.self,
    Check.self,
    SettingsCommand.self,
    FilterCommand.self,
    OutputCommand.self,
    Import.self,
    Export.self,
    BackupCommand.self,
    RestoreCommand.self,
  ]

  static func main() {
    // `bailiff audit | head`: writing then fails with EPIPE, which `Output` takes as the end.
    signal(SIGPIPE, SIG_IGN)
    if ["run", "aggregate"].contains(CommandLine.arguments.dropFirst().first) { Signals.block() }
    do {
      if try HelpTopic.print(Array(CommandLine.arguments.dropFirst())) { return }
      try CommandSpelling.check(Array(CommandLine.arguments.dropFirst()))
      var command = try parseAsRoot()
      if let command = command as? Run {
        wait { try await command.run() }
      } else {
        try command.run()
      }
    } catch {
      ExitStatus.end(with: error)
    }
  }

  /// Not `async`: Dispatch would take over this thread, and wait in it with every signal unblocked, so that SIGTERM ended
  /// the daemon on the spot.
  private static func wait(_ body: @escaping @Sendable () async throws -> Void) {
    let isDone = Monitor(false)
    Task.detached {
      do { try await body() } catch { ExitStatus.end(with: error) }
      isDone.change { $0 = true }
    }
    _ = isDone.wait { $0 ? true : nil }
  }
}
