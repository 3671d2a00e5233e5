import ArgumentParser
import Maintenance
import Settings
import System

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Settings and bans in another program's files.",
    discussion: """
      Example:
        bailiff export fail2ban /root/fail2ban
      """,
    subcommands: [ExportFail2ban.self])
}

struct ExportFail2ban: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fail2ban",
    abstract: "Write jails and the bans in force as fail2ban's files, for those who go back.",
    discussion: """
      Example:
        bailiff export fail2ban /root/fail2ban
        bailiff unban --all && systemctl disable --now bailiff
        cp /root/fail2ban/jail.local /etc/fail2ban/ && cp /root/fail2ban/fail2ban.sqlite3 /var/lib/fail2ban/
        systemctl enable --now fail2ban

      Native filters become fail2ban's of the same name; a jail for which it has none is left out, and told. Bans keep the time \
      that is left of them.
      """)

  @Argument(help: "The directory to write jail.local and fail2ban.sqlite3 into.", completion: .directory)
  var directory: String
  @Option(help: ArgumentHelp("Where fail2ban's filters are.", valueName: "directory"), completion: .directory)
  var filters = "/etc/fail2ban/filter.d"
  @OptionGroup var config: ConfigOptions

  func run() throws {
    let summary = try Fail2banExport.write(
      to: directory, of: try config.settings(), now: SystemClock.now(), filters: filters)
    for note in summary.notes { Diagnostics.write(printable(note) + "\n") }
    var output = Output()
    output.line(
      printable("\(directory): \(counted(summary.jails.count, "jail")), \(counted(summary.bans, "ban")) in force"))
    output.flush()
  }
}
