import ArgumentParser
import Inspection
import System

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Why an address is banned, or how close it is: the lines, the pattern, the window, the decision.",
    discussion: """
      Examples:
        bailiff explain 192.0.2.7
        bailiff explain 2001:db8::/64 --json

      It reads the store itself, so it also works while the daemon is down. Exits 1 when nothing is known of the id.
      """)

  @Argument(help: "An address, a block or a name.")
  var id: String
  @Option(help: "How many of its bans to tell, newest first.")
  var bans = 3
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    try IDArguments.check(id)
    if bans < 1 { throw ValidationError("--bans needs at least 1") }
  }

  func run() throws {
    let now = SystemClock.now()
    let reply = try Past(config).explain(id, bans: bans, now: now)
    var output = Output()
    if format.json { output.json(reply) } else { reply.print(to: &output, now: now) }
    output.flush()
  }
}
