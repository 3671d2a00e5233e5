import API
import ArgumentParser
import System

struct Reload: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "Read the settings again, without losing a line, a window or a ban.",
    discussion: """
      Examples:
        bailiff reload
        bailiff check && bailiff reload

      Settings that are wrong change nothing: the daemon says what is wrong and goes on as before, and this exits 2.
      Sending SIGHUP to the daemon does the same.
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    // Compiling some hundred patterns again takes a while.
    let reply = try config.client(deadline: 120).reload()
    var output = Output()
    if format.json {
      output.json(reply)
    } else {
      output.line(reply.changes.isEmpty ? "reloaded; nothing changed" : "reloaded")
      for change in reply.changes { output.line("  \(printable(change))") }
      for warning in reply.warnings { output.line("warning: \(printable(warning))") }
    }
    output.flush()
  }
}
