import API
import ArgumentParser
import Model
import System

struct Reload: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "Read the settings again, without losing a line, a window or a ban.",
    discussion: """
      Examples:
        bailiff reload
        bailiff check && bailiff reload
        bailiff reload --confirm 60s
        bailiff reload --keep

      Settings that are wrong change nothing: the daemon says what is wrong and goes on as before, and this exits 2.
      Sending SIGHUP to the daemon does the same.

      With --confirm the settings before are in force again after that time unless `bailiff reload --keep` follows, best from
      a NEW connection: for changes of firewall.block and firewall.allow_only. Settings by which you, or an administrator who
      is logged in, would get no new connection are refused without --force.
      """)

  @Option(
    help: ArgumentHelp("Go back after this time unless --keep follows.", valueName: "time"),
    transform: parseSpan)
  var confirm: TimeSpan?
  @Flag(help: "Keep settings that were reloaded with --confirm.")
  var keep = false
  @Flag(help: "Also where it locks out somebody who is logged in.")
  var force = false

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    if let confirm, confirm.seconds < 1 { throw ValidationError("--confirm needs at least one second") }
    if keep, confirm != nil || force { throw ValidationError("--keep goes alone") }
  }

  func run() throws {
    // Compiling some hundred patterns again takes a while.
    let reply = try config.client(deadline: 120).reload(
      ReloadRequest(
        confirm: confirm?.seconds, force: force ? true : nil, keep: keep ? true : nil,
        port: ConfigOptions.sessionPort.map { Int($0) }))
    var output = Output()
    if format.json {
      output.json(reply)
    } else if keep {
      output.line("the settings that were reloaded stay")
    } else {
      output.line(reply.changes.isEmpty ? "reloaded; nothing changed" : "reloaded")
      for change in reply.changes { output.line("  \(printable(change))") }
      for warning in reply.warnings { output.line("warning: \(printable(warning))") }
      if let confirmBy = reply.confirmBy {
        output.line(
          "the settings before are in force again at \(LocalTime.text(confirmBy)), unless you open a NEW connection and run: "
            + "bailiff reload --keep")
      }
    }
    output.flush()
  }
}
