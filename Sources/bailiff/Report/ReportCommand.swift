import API
import ArgumentParser
import AuditLog
import Foundation
import Model
import Settings

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
    let end = try until.map { try parsePast($0, option: "--until") } ?? LocalTime.now()
    guard start < end else {
      throw CommandFailure(
        .usage, "--since (\(LocalTime.text(start))) is not before --until (\(LocalTime.text(end))); swap them")
    }
    let reader = try AuditStore.readOnly(path: try config.general().database)
    func top(_ key: TopKey, _ limit: Int = 10) throws -> TopResult {
      try reader.top(by: key, since: start, until: end, limit: limit)
    }
    let page = ReportPage(
      since: start, until: end, host: ProcessInfo.processInfo.hostName,
      data: try reader.report(since: start, until: end),
      addresses: try top(.ip), prefixes: try top(.prefix), users: try top(.user), jails: try top(.jail),
      patterns: try top(.pattern), rules: try top(.rule, 20), cost: cost())
    let html = page.html
    guard output != "-" else {
      var standard = Output()
      standard.write(html)
      standard.flush()
      return
    }
    do { try Data(html.utf8).write(to: URL(fileURLWithPath: output), options: .atomic) } catch {
      throw CommandFailure(.rejected, "\(output): cannot be written: \(error.localizedDescription)")
    }
  }

  /// What the daemon has done since it started, while it runs.
  private func cost() -> [(String, String)] {
    guard let status = try? config.client(deadline: 5).status() else { return [] }
    let lines: UInt64 = status.sources.reduce(0) { $0 + $1.read }
    let matched: UInt64 = status.sources.reduce(0) { $0 + $1.matched }
    var rows = [
      ("Lines read since the daemon started", grouped(lines)), ("of which matched", grouped(matched)),
      ("The daemon runs for", LocalTime.span(.seconds(Int64(status.uptime)))),
    ]
    if let seconds = Self.processorTime(of: status.pid) {
      rows.append(("Processor time it took", "\(LocalTime.span(.seconds(seconds)))"))
    }
    return rows
  }

  /// Seconds in user and system mode (proc_pid_stat(5), fields 14 and 15, which Linux counts in hundredths).
  private static func processorTime(of pid: Int32) -> Int64? {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let name = stat.lastIndex(of: ")")
    else { return nil }
    let fields = stat[name...].split(separator: " ")
    guard fields.count > 13, let user = Int64(fields[12]), let system = Int64(fields[13]) else { return nil }
    return (user + system) / 100
  }
}
