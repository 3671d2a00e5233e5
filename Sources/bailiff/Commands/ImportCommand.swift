import ArgumentParser
import Fail2banImport
import Glibc
import Maintenance
import Settings
import System

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take over another program's settings.",
    discussion: """
      Example:
        bailiff import fail2ban > bailiff.yaml
      """,
    subcommands: [ImportFail2ban.self])
}

struct ImportFail2ban: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fail2ban",
    abstract: "Write fail2ban's jails as a bailiff.yaml on standard output.",
    discussion: """
      Examples:
        bailiff import fail2ban > bailiff.yaml
        bailiff import fail2ban --all /srv/old/etc/fail2ban > bailiff.yaml
        bailiff import fail2ban --copy-filters /etc/bailiff/filter.d > bailiff.yaml
        bailiff check --config bailiff.yaml
        bailiff import fail2ban --bans

      The settings name fail2ban's filter files where they are; `apt purge fail2ban` takes those away, so copy them before with \
      --copy-filters, and the settings name the copies. Where Bailiff has a filter of its own for a service, a comment says so. What could not be carried over is listed on standard error,
      one line each: file, jail, option, and what to do instead. A jail that is wrong is listed there and left out; the
      others come through.

      With --bans nothing is written: the running daemon takes over what fail2ban has banned, each for the time that is left
      of it. Do it before fail2ban is stopped, and nobody is let in meanwhile.
      """)

  @Argument(help: "Where jail.conf and filter.d are.", completion: .directory)
  var directory = "/etc/fail2ban"
  @Flag(help: "Jails that are not enabled, too; they stay disabled.")
  var all = false
  @Option(
    help: ArgumentHelp("Copy fail2ban's filters there, and name the copies.", valueName: "directory"),
    completion: .directory)
  var copyFilters: String?
  @Flag(help: "Have the running daemon take over fail2ban's bans in force.")
  var bans = false
  @Option(
    help: ArgumentHelp("fail2ban's database, for --bans.", valueName: "file"),
    completion: .file(extensions: ["sqlite3"]))
  var database = Fail2banBans.usualPath
  @Flag(help: "With --bans: change nothing; print what would be taken over, and exit 1 when there is anything.")
  var check = false
  @OptionGroup var config: ConfigOptions

  func validate() throws {
    if check, !bans { throw ValidationError("--check is for --bans; the settings are only printed anyway") }
  }

  func run() throws {
    guard !bans else {
      var takeover = ImportBans(database: database, client: try config.client())
      return try takeover.run(check: check)
    }
    let yaml: String
    let notes: [String]
    do {
      let library = FilterLibrary(directories: [])
      (yaml, notes) = try JailImport.run(
        directory: absolute(directory), all: all, copyingFiltersTo: copyFilters.map(absolute),
        natives: Set(library.names))
    } catch {
      throw CommandFailure(.usage, "\(error)")
    }
    for note in notes { Diagnostics.write(printable(note) + "\n") }
    var output = Output()
    output.write(yaml)
    output.flush()
  }

  /// The settings may end up anywhere, so the filters' paths are written in full.
  private func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    // Safe: with nil, getcwd(3) allocates the text, which is copied and freed here.
    guard let text = unsafe getcwd(nil, 0) else { return path }
    let current = unsafe String(cString: text)
    unsafe free(text)
    return path == "." ? current : current + "/" + path
  }
}
