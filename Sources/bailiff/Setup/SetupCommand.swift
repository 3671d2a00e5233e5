import ArgumentParser
import Maintenance
import Model
import Settings
import System

struct SetupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "setup",
    abstract: "Which jails this machine needs; from watching to banning, and a way back.",
    discussion: """
      Examples:
        bailiff setup
        bailiff setup --print
        bailiff setup --go-live --confirm 5m
        bailiff setup --keep
        bailiff setup --go-live --yes --ignore 192.0.2.0/24 --services sshd,postfix --fail2ban take-over

      Alone it looks at what runs here (systemd's units, listening sockets, containers, logs that grow, fail2ban's jails) and \
      proposes a jail for whatever has a filter and none yet, each with the reason; what listens without a jail is listed. It \
      asks before it writes; --yes writes all, --print prints them as YAML and writes nothing. Run it again when a service has \
      come. It never adds to `ignoreip`.

      --go-live asks for your own addresses, for the services to watch, what to do with fail2ban, which firewall carries bans out, and \
      whether to undo it all unless you say in time that you can still get in. --yes takes the answer in brackets for whatever \
      no option says. A daemon that runs dry is restarted; bans that are in force stay in force.

      With --confirm, everything is as it was after that time, bans lifted and settings put back, unless somebody runs `bailiff \
      setup --keep`: from a new connection, which proves that there can be one.
      """)

  @Flag(help: "Ban from now on.")
  var goLive = false
  @Flag(help: "You got in: what --go-live --confirm did is not undone.")
  var keep = false
  @Flag(help: ArgumentHelp("Put everything back now, unless it was kept.", visibility: .hidden))
  var undo = false
  @Option(help: ArgumentHelp("Which go-live --undo is for.", visibility: .hidden))
  var of: Int?
  @Flag(help: "Ask nothing.")
  var yes = false
  @Flag(help: "Without --go-live: print the jails as YAML, and write nothing.")
  var print = false
  @Option(help: ArgumentHelp("A directory with another machine's files.", visibility: .hidden))
  var root = ""
  @Flag(help: "Change nothing; print what would change, and exit 1 when something would.")
  var check = false
  @Option(help: ArgumentHelp("Addresses and networks that are never banned, with commas.", valueName: "list"))
  var ignore: String?
  @Option(
    help: ArgumentHelp(
      "Which services to watch besides those in the settings, with commas, or none.", valueName: "list"))
  var services: String?
  @Option(help: "fail2ban's bans in force: take-over (and stop it), bans (leave it running), leave.")
  var fail2ban: Answers.Fail2ban?
  @Option(
    help: ArgumentHelp("fail2ban's database.", valueName: "file"), completion: .file(extensions: ["sqlite3"]))
  var database = Fail2banBans.usualPath
  @Option(help: ArgumentHelp("What carries bans out: auto, ipset, nftables.", valueName: "backend"))
  var firewall: String?
  @Option(
    help: ArgumentHelp("Undo it after this time unless it is kept.", valueName: "time"), transform: parseSpan)
  var confirm: TimeSpan?
  @Option(help: ArgumentHelp("What restarts the daemon, where systemd does not run it.", valueName: "command"))
  var restart: String?
  @OptionGroup var config: ConfigOptions

  func validate() throws {
    let steps = [goLive, keep, undo].count { $0 }
    guard steps <= 1 else { throw ValidationError("give --go-live, or --keep") }
    if print, steps > 0 { throw ValidationError("--print is for setup alone, which proposes jails") }
    if let confirm, confirm.seconds < 10 { throw ValidationError("--confirm needs at least 10 seconds") }
  }

  func run() throws {
    guard goLive || keep || undo else {
      return try JailProposing(config: config, root: root).run(yes: yes, print: print, check: check)
    }
    let settings = try config.settings()
    let undoing = LockoutUndo(settings)
    if keep { return try keep(undoing) }
    if undo { return try GoLive(config: config, settings: settings, restart: restart).undo(undoing, of: of) }
    var answers = try Answers(self, settings)
    if !yes { try answers.ask() }
    let live = GoLive(config: config, settings: settings, restart: restart)
    let changes = live.changes(answers)
    guard !check else { return try printChanges(changes) }
    try live.run(answers, changes, undoing)
  }

  private func keep(_ undo: LockoutUndo) throws {
    guard undo.isWaiting else {
      throw RequestError(.rejected, "nothing waits to be kept; it was undone, or there was no --confirm")
    }
    try undo.keep()
    var output = Output()
    output.line("kept; it bans from now on")
    output.flush()
  }

  private func printChanges(_ changes: [GoLive.Change]) throws {
    var output = Output()
    for change in changes { output.line(printable("\(change.path.joined(separator: ".")): \(change.value)")) }
    output.flush()
    if !changes.isEmpty { throw CommandFailure(.rejected) }
  }
}
