import ArgumentParser
import AuditLog
import Inspection
import Model
import Settings
import System

struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract:
      "Who fails most: by address, prefix, country, network, user, jail, pattern, kind of attack, source, rule or hour.",
    discussion: """
      Examples:
        bailiff top
        bailiff top --by prefix --since 7d
        bailiff top --by kind
        bailiff top --by country
        bailiff top --by user --json | jq -r .name

      It reads the store itself, so it also works while the daemon is down.
      """)

  @Option(help: "What to count by.")
  var by: TopKey = .ip
  @Option(help: ArgumentHelp("From then on: 24h, today, 2026-11-21, RFC 3339.", valueName: "time"))
  var since = "24h"
  @Option(help: ArgumentHelp("Before then.", valueName: "time"))
  var until: String?
  @Option(help: "How many.")
  var limit = 20
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    if limit < 1 { throw ValidationError("--limit needs at least 1") }
  }

  func run() throws {
    let from = try parsePast(since, option: "--since")
    let to = try until.map { try parsePast($0, option: "--until") }
    if let to, from >= to {
      throw CommandFailure(
        .usage, "--since (\(LocalTime.text(from))) is not before --until (\(LocalTime.text(to))); swap them")
    }
    let result = try Past(config).top(by: by, since: from, until: to, limit: limit)
    var output = Output()
    if format.json {
      for entry in result.entries { output.json(TopReply(entry, by: by)) }
    } else {
      print(result, to: &output)
    }
    output.flush()
  }

  private func print(_ result: TopResult, to output: inout Output) {
    guard !result.entries.isEmpty else {
      output.line("no failures since \(LocalTime.text(result.since))")
      return
    }
    let terminal = Terminal()
    let most = result.entries.map(\.failures).max() ?? 1
    let hasBans = result.entries.contains { $0.bans > 0 }
    var table = Table(
      [.rest(by.rawValue.uppercased()), .number("FAILURES"), .number("SHARE")] + (hasBans ? [.number("BANS")] : [])
        + [.text("")])
    for entry in result.entries {
      table.add(
        [name(entry), grouped(entry.failures), Self.percent(entry.failures, of: result.total)]
          + (hasBans ? [grouped(entry.bans)] : []) + [Self.bar(entry.failures, of: most)])
    }
    table.print(to: &output, on: terminal)
    output.line(
      "\(counted(result.total, "failure")) of \(counted(result.distinct, by.rawValue, plural: Self.plurals[by])) since \(LocalTime.text(result.since))"
    )
  }

  /// Hours as this machine's clock shows them.
  private func name(_ entry: TopEntry) -> String {
    if by == .hour { return Instant(rfc3339: entry.name).map(LocalTime.text) ?? entry.name }
    return entry.detail.isEmpty ? entry.name : "\(entry.name) \(entry.detail)"
  }

  private static let plurals: [TopKey: String] = [.prefix: "prefixes", .country: "countries"]

  private static func percent(_ part: Int, of whole: Int) -> String {
    guard whole > 0 else { return "" }
    let tenths = Int((Double(part) / Double(whole) * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10) %"
  }

  /// Up to twenty columns, in eighths.
  private static func bar(_ value: Int, of most: Int) -> String {
    let eighths = max(1, Int(Double(value) / Double(max(1, most)) * 160))
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    return String(repeating: "█", count: eighths / 8) + rest
  }
}
