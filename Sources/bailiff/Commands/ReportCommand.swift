import API
import ArgumentParser
import Model
import System

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "A page for people: failures and bans over time, who, what, how long, and what operators did.",
    discussion: """
      Examples:
        bailiff report --since 7d --output report.html
        bailiff report --since 2026-11-01 --until 2026-12-01 --output november.html

      One file of HTML that loads nothing; charts are drawn in it. Works while the daemon is down, too.
      """)

  @Option(help: ArgumentHelp("From then on: 7d, yesterday, 2026-11-21, RFC 3339.", valueName: "time"))
  var since = "7d"
  @Option(help: ArgumentHelp("Before then; now unless given.", valueName: "time"))
  var until: String?
  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where to; - is standard output.", valueName: "file"), completion: .file())
  var output: String
  @OptionGroup var config: ConfigOptions

  func run() throws {
    let start = try parsePast(since, option: "--since")
    let end = try until.map { try parsePast($0, option: "--until") } ?? SystemClock.now()
    guard start < end else {
      throw CommandFailure(
        .usage, "--since (\(LocalTime.text(start))) is not before --until (\(LocalTime.text(end))); swap them")
    }
    let page = try Past(config).report(since: start, until: end, cost: cost)
    guard output != "-" else {
      var standard = Output()
      standard.write(page)
      standard.flush()
      return
    }
    do { try SmallFile.replace(output, with: page) } catch {
      throw CommandFailure(.rejected, "\(output): cannot be written: \(SystemError.text(error.code))")
    }
  }

  /// What the daemon has done since it started, while it runs.
  private func cost() -> [(name: String, value: String)] {
    guard let status = try? config.client(deadline: 5).status() else { return [] }
    let lines: UInt64 = status.sources.reduce(0) { $0 + $1.read }
    let matched: UInt64 = status.sources.reduce(0) { $0 + $1.matched }
    var rows = [
      (name: "Lines read since the daemon started", value: grouped(lines)), ("of which matched", grouped(matched)),
      ("The daemon runs for", TimeSpan.seconds(Int64(status.uptime)).brief),
    ]
    if let seconds = Self.processorTime(of: status.pid) {
      rows.append((name: "Processor time it took", value: TimeSpan.seconds(seconds).brief))
    }
    return rows
  }

  /// Seconds in user and system mode (proc_pid_stat(5), fields 14 and 15, which Linux counts in hundredths).
  private static func processorTime(of pid: Int32) -> Int64? {
    guard let stat = SmallFile.text("/proc/\(pid)/stat"), let name = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[name...].split(separator: " ")
    guard fields.count > 13, let user = Int64(fields[12]), let system = Int64(fields[13]) else { return nil }
    return (user + system) / 100
  }
}
