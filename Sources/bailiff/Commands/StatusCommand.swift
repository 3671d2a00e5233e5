import API
import ArgumentParser
import Model
import System

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "How the daemon is: sources, jails, store, firewall.",
    discussion: """
      For each source: lines read = matched + ignored + unmatched + too long, and how far it is behind.
      For each jail: failures since the start, ids in its windows, bans in force and ever.

      Examples:
        bailiff status
        bailiff status --json | jq .firewall

      Exits 0 when all is well, 4 when something needs a person (the warnings say what; docs/warnings.md has each one's
      cause and remedy), 3 when the daemon is not there.
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let status = try config.client().status()
    var output = Output()
    if format.json { output.json(status) } else { status.print(to: &output, on: Terminal()) }
    output.flush()
    if !status.ok { throw CommandFailure(.attention) }
  }
}

extension StatusReply {
  func print(to output: inout Output, on terminal: Terminal) {
    let up = TimeSpan(seconds: Int64(uptime)).brief
    let mode = dryRun ? ", dry run: nothing is changed in the firewall" : ""
    output.line("bailiff \(printable(version)), pid \(pid), up \(up) since \(LocalTime.text(started))\(mode)")
    output.line("settings  \(config.isEmpty ? "built-in defaults" : printable(config))")
    output.line(
      "store     \(health(store.problem, terminal)), \(printable(store.path)), \(byteSize(store.bytes)), "
        + "\(grouped(store.failures)) failures" + (store.shed > 0 ? ", \(grouped(store.shed)) given up" : ""))
    output.line(
      "firewall  \(health(firewall.problem, terminal)), \(printable(firewall.backend)) in "
        + "\(printable(firewall.chains.joined(separator: ", "))), \(counted(firewall.entries, "entry", plural: "entries"))"
        + (firewall.repairs > 0 ? ", repaired " + counted(firewall.repairs, "time") : ""))
    for consumer in consumers where consumer.problem != nil || consumer.behind > 0 {
      let since = consumer.behindSince.map { " since \(LocalTime.text($0))" } ?? ""
      let text = "\(printable(consumer.name)) is \(counted(consumer.behind, "row")) behind\(since)"
      output.line("consumer  \(text)" + (consumer.problem.map { ": \(printable($0))" } ?? ""))
    }
    for warning in warnings {
      let line = "warning   \(warning), since \(LocalTime.text(warning.since))"
      output.line(terminal.styled(printable(line), .yellow))
    }
    output.line()
    printSources(to: &output, on: terminal)
    output.line()
    printJails(to: &output, on: terminal)
    guard !quarantined.isEmpty else { return }
    output.line()
    var table = Table([.text("QUARANTINED PATTERN"), .number("HITS"), .rest("REASON")])
    for pattern in quarantined {
      table.add(["\(pattern.filter)/\(pattern.pattern)", grouped(pattern.hits), pattern.reason], style: .yellow)
    }
    table.print(to: &output, on: terminal)
  }

  private func health(_ problem: String?, _ terminal: Terminal) -> String {
    problem.map { terminal.styled(printable($0), .red) } ?? terminal.styled("ok", .green)
  }

  private func printSources(to output: inout Output, on terminal: Terminal) {
    guard !sources.isEmpty else {
      output.line("no sources")
      return
    }
    var table = Table([
      .rest("SOURCE"), .number("READ"), .number("MATCHED"), .number("IGNORED"), .number("UNMATCHED"),
      .number("TOO LONG"), .number("BEHIND"), .rest("STATE"),
    ])
    for source in sources {
      table.add(
        [
          source.name, grouped(source.read), grouped(source.matched), grouped(source.ignored),
          grouped(source.unmatched), grouped(source.tooLong), source.lagText,
          source.problem ?? "ok" + source.clockText + source.distrustText,
        ], style: source.problem == nil ? nil : .red)
    }
    table.print(to: &output, on: terminal)
  }

  private func printJails(to output: inout Output, on terminal: Terminal) {
    guard !jails.isEmpty else {
      output.line("no jails")
      return
    }
    var table = Table([
      .text("JAIL"), .number("FAILURES"), .number("TRACKED"), .number("EVICTED"), .number("BANS"), .number("BANS EVER"),
      .rest("STATE"),
    ])
    for jail in jails {
      table.add(
        [
          jail.name, grouped(jail.failures), grouped(jail.tracked), grouped(jail.evicted), grouped(jail.bans),
          grouped(jail.bansEver), jail.problem ?? "ok",
        ], style: jail.problem == nil ? nil : .red)
    }
    table.print(to: &output, on: terminal)
  }
}

extension SourceStatus {
  fileprivate var distrustText: String { distrusted > 0 ? ", \(grouped(distrusted)) not believed" : "" }

  fileprivate var clockText: String {
    guard let clockOffset else { return "" }
    let amount = TimeSpan(seconds: Int64(max(-1e12, min(abs(clockOffset), 1e12)))).brief
    return ", stamps \(amount) \(clockOffset < 0 ? "behind" : "ahead")"
  }

  /// Bytes for files, seconds for the journal.
  fileprivate var lagText: String {
    guard let lag else { return "?" }
    if name.hasPrefix("journal") { return TimeSpan(seconds: Int64(max(0, min(lag, 1e12)))).brief }
    return byteSize(UInt64(max(0, min(lag, 1e18))))
  }
}
