import ArgumentParser
import Maintenance
import Model
import Settings
import System

struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Put a backup back, after its audit was found whole.",
    discussion: """
      Examples:
        bailiff restore /root/bailiff.tar.gz --check
        systemctl stop bailiff && bailiff restore /root/bailiff.tar.gz && systemctl start bailiff
        bailiff restore /root/bailiff.tar.gz --settings && bailiff reload

      Files go where they were; what is there now stays beside them, with `.before-` and the time behind its name. The audit \
      is not put back while a daemon writes it. Bans that were in force then, and are not over, are in force again when the \
      daemon starts.
      """)

  @Argument(help: "What `bailiff backup` wrote.", completion: .file(extensions: ["gz"]))
  var file: String
  @Flag(help: "Change nothing; print what would change, and exit 1 when something would.")
  var check = false
  @Flag(help: "Only settings, filters and lists.")
  var settings = false
  @Flag(help: "Only the audit.")
  var audit = false
  /// Every command takes it; the backup says what it was taken of.
  @OptionGroup(visibility: .hidden) var config: ConfigOptions

  func validate() throws {
    if settings, audit { throw ValidationError("--settings and --audit exclude each other: leave both out for both") }
  }

  func run() throws {
    let restore = try Restore(file)
    var output = Output()
    defer { output.flush() }
    let changes = audit ? [] : restore.changes
    let changesAudit = restore.hasDatabase && !settings
    print(restore.manifest, changes: changes + (changesAudit ? [restore.manifest.database] : []), to: &output)
    if check {
      if changesAudit || !changes.isEmpty { throw CommandFailure(.rejected) }
      return
    }
    for path in try restore.putBack(settings: !audit, audit: !settings, now: SystemClock.now()) {
      output.line(printable("kept \(path)"))
    }
    for path in Settings.readGeneral(path: restore.manifest.settings).settings.files()
    where !restore.files.contains(path) {
      output.line(printable("note: \(path) is not in the backup, and is still read"))
    }
  }

  private func print(_ manifest: Manifest, changes: [String], to output: inout Output) {
    output.line(
      printable("\(file): taken \(manifest.taken.rfc3339()) by bailiff \(manifest.version) of \(manifest.settings)"))
    for path in changes { output.line(printable("  \(path)")) }
  }
}
