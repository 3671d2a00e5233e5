import ArgumentParser
import Detection
import Glibc
import Inspection
import Model
import Pipeline
import Settings
import System

struct ReplayLogs: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "The same engine over past logs: who would have been banned, and when.",
    discussion: """
      Nothing is banned and, without --record, nothing is stored. Files may be compressed (gzip, xz, zstd); `-` is standard
      input; a directory is a journal's, read by the jails with a `journalmatch`. A file that a jail's logpath names is
      read by that jail; any other file by all of them. Without settings, every native filter is a jail, with its own
      limits. Names in `ignoreip` stand for the addresses that they have now.

      Examples:
        bailiff replay /var/log/auth.log
        bailiff replay /var/log/journal/$(cat /etc/machine-id)
        journalctl -o short-iso -u ssh | bailiff replay -
        bailiff replay --jail sshd /var/log/auth.log.*.gz
        bailiff replay --json auth.log | jq -r 'select(.action == "ban").id'
      """)

  @OptionGroup var config: ConfigOptions
  @Option(help: "Only this jail.")
  var jail: String?
  @Flag(help: "Also write the store, as `run` would have.")
  var record = false
  @Flag(help: "Also say what a person should have looked at.")
  var alerts = false
  @OptionGroup var format: JSONOption
  @Argument(help: "Logs, or a journal's directory, oldest first.", completion: .file())
  var files: [String]

  func run() throws {
    for file in files where file != "-" { try LogLines.checkReadable(file) }
    // The log may be another machine's, so it does not matter which logs are on this one.
    let everywhere = Settings.Machine(hasFile: { _ in true }, hasJournal: true)
    // Reading every filter takes longer than reading many a log.
    var settings =
      config.isAutomatic ? .automatic(machine: everywhere, only: jail.map { [$0] }) : try config.settings()
    if let jail {
      guard let index = settings.jails.firstIndex(where: { $0.name == jail }) else {
        let jails = config.isAutomatic ? Settings.automatic(machine: everywhere).jails : settings.jails
        let names = jails.map(\.name).joined(separator: ", ")
        throw CommandFailure(.usage, "there is no jail `\(jail)`; jails are: \(names)")
      }
      settings.jails = [settings.jails[index]]
      settings.jails[0].enabled = true
    }
    // What nobody will see costs a log of logins more than its failures do.
    if !record, !alerts { (settings.activity, settings.alerts) = (false, .none) }
    if record {
      do { try Directory.make(settings.state, mode: 0o700) } catch { throw CommandFailure(.rejected, "\(error)") }
    }
    let replay = try Replay(settings, database: record ? settings.database : nil)
    for name in replay.unresolved {
      Diagnostics.write("warning: ignoreip: `\(printable(name))` has no address now; nothing is ignored for it\n")
    }
    let printer = Printer(json: format.json)
    if alerts { replay.onAlert = { printer.print($0) } }
    let summary: Replay.Summary
    do {
      summary = try replay.run(files, progress: printer.show) { printer.print($0) }
    } catch {
      printer.flush()
      throw CommandFailure(.rejected, "\(error)")
    }
    printer.end(summary)
    if summary.hostNames > 0 {
      Diagnostics.write(
        "bailiff: \(counted(summary.hostNames, "failure")) named a host instead of its address; names are not looked up "
          + "here, and ban nobody\n")
    }
    if summary.matched == 0, summary.ignored == 0 { sayWhatIsNotUnderstood(settings) }
    // What the replay holds is not taken apart: it goes with the process.
    withExtendedLifetime(replay) { Glibc.exit(ExitStatus.done.rawValue) }
  }

  /// No failures in logs that no filter understands are no good news.
  private func sayWhatIsNotUnderstood(_ settings: Settings) {
    let filters = settings.jails.filter(\.enabled).compactMap(\.definition).compactMap {
      try? FilterLoading.compile($0)
    }
    guard !filters.isEmpty else { return }
    for file in files {
      guard let problem = (try? LogExamination(of: file, by: filters))?.problem else { continue }
      Diagnostics.write("bailiff: \(printable(file)): \(problem)\n")
    }
  }

  /// Prints decisions as they fall.
  private final class Printer {
    private let json: Bool
    private var output = Output()
    private let isTerminal = isatty(STDOUT_FILENO) == 1
    private let progress = Progress()

    init(json: Bool) { self.json = json }

    func show(_ at: Replay.Progress) {
      progress.show {
        let log = at.log == "-" ? "standard input" : at.log
        if at.isJournal { return "\(log): \(grouped(Int(clamping: at.done))) entries read" }
        let read = "\(log): \(grouped(Int(clamping: at.done >> 20))) MiB read"
        return at.size.map { $0 > 0 ? "\(read), \(at.done * 100 / $0) %" : read } ?? read
      }
    }

    func print(_ decision: Decision) {
      if isTerminal { progress.clear() }
      if json {
        output.json(DecisionReply(decision))
      } else {
        let end = decision.until.map { "until \(LocalTime.text($0))" } ?? "for ever"
        output.line(
          "\(LocalTime.text(decision.time))  \(decision.action.rawValue)  \(printable(decision.jail))  "
            + "\(printable(decision.identity.description))  after \(decision.count)  \(end)")
      }
      if isTerminal { output.flush() }
    }

    func print(_ alert: Alert) {
      if isTerminal { progress.clear() }
      if json {
        output.json(ReplayAlertReply(alert))
      } else {
        output.line(
          "\(LocalTime.text(alert.time))  alert  \(printable(alert.jail))  \(alert.kind.rawValue)  \(printable(alert.text))"
        )
      }
      if isTerminal { output.flush() }
    }

    func end(_ s: Replay.Summary) {
      progress.clear()
      if json {
        output.json(ReplayReply(s))
      } else {
        output.line(
          "\(grouped(s.lines)) lines, \(grouped(s.failures)) failures, \(grouped(s.bans)) \(s.bans == 1 ? "ban" : "bans")"
        )
      }
      output.flush()
    }

    func flush() {
      progress.clear()
      output.flush()
    }
  }
}
