import ArgumentParser
import Maintenance
import Settings
import System

struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Settings, filters, lists and the audit in one file, while the daemon runs.",
    discussion: """
      Example:
        bailiff backup /root/bailiff.tar.gz

      The audit in it is that of one moment. Only its owner can read the file: settings may hold secrets. `bailiff restore` \
      puts it back.
      """)

  @Argument(help: "The file to write, a tar archive.", completion: .file(extensions: ["gz"]))
  var file: String
  @OptionGroup var config: ConfigOptions

  func run() throws {
    let summary = try Backup.write(
      to: file, of: try config.settings(), version: Bailiff.version, now: SystemClock.now())
    var output = Output()
    let audit = summary.database.map { "the audit \($0)" } ?? "no audit, since no daemon has run yet"
    output.line(printable("\(file): \(counted(summary.files.count, "file")), and \(audit)"))
    output.flush()
  }
}
