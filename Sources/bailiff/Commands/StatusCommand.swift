import API
import ArgumentParser
import Model
import System

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "How the daemon is: sources, jails, store, firewall.",
    discussion: """
      What is well and what is not comes first; of many sources and jails those that have a problem, and the busiest. For each source:
      lines read = matched + ignored + unmatched + too long, and how far it is behind.
      For each jail: failures since the start, ids in its windows, bans in force and ever.

      Examples:
        bailiff status
        bailiff status --jail sshd
        bailiff status --all
        bailiff status --json | jq .firewall

      Exits 0 when all is well, 4 when something needs a person (the warnings say what; docs/warnings.md has each one's
      cause and remedy), 3 when the daemon is not there.
      """)

  @Option(help: "This jail alone, and what it reads.")
  var jail: String?
  @Flag(help: "Every source and every jail, however many there are.")
  var all = false
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    var status = try config.client().status()
    if let jail {
      guard status.jails.contains(where: { $0.name == jail }) else {
        let names = status.jails.map(\.name).joined(separator: ", ")
        throw CommandFailure(.usage, "there is no jail `\(jail)`; there are: \(names)")
      }
      status.jails.removeAll { $0.name != jail }
      status.sources.removeAll { !$0.jails.contains(jail) }
    }
    var output = Output()
    if format.json {
      output.json(status)
    } else {
      status.print(to: &output, on: Terminal(), most: all ? .max : StatusReply.mostRows)
    }
    output.flush()
    if !status.ok { throw CommandFailure(.attention) }
  }
}

extension StatusReply {
  /// Rows of a table that fit on a screen with the rest.
  static let mostRows = 12

  func print(to output: inout Output, on terminal: Terminal, most: Int) {
    let up = TimeSpan(seconds: Int64(uptime)).brief
    let mode = dryRun ? ", dry run: nothing is changed in the firewall" : ""
    output.line("bailiff \(printable(version)), pid \(pid), up \(up) since \(LocalTime.text(started))\(mode)")
    output.line("state     \(summary(terminal))")
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
    printSources(to: &output, on: terminal, most: most)
    output.line()
    printJails(to: &output, on: terminal, most: most)
    guard !quarantined.isEmpty else { return }
    output.line()
    var table = Table([.text("QUARANTINED PATTERN"), .number("HITS"), .rest("REASON")])
    for pattern in quarantined {
      table.add(["\(pattern.filter)/\(pattern.pattern)", grouped(pattern.hits), pattern.reason], style: .yellow)
    }
    table.print(to: &output, on: terminal)
  }

  /// `ok, 6 jails, 12 sources, 34 bans in force`
  func summary(_ terminal: Terminal) -> String {
    let state =
      ok ? terminal.styled("ok", .green) : terminal.styled("\(counted(warnings.count, "warning")), see below", .yellow)
    let bans = counted(jails.reduce(0) { $0 + $1.bans }, "ban")
    // The jail of bans by hand is nobody's setting.
    let own = jails.count { $0.name != "operator" }
    return "\(state), \(counted(own, "jail")), \(counted(sources.count, "source")), \(bans) in force"
  }

  /// Those with a problem, then the busiest, in the order in which they were; and how many are left out.
  private static func folded<Row>(
    _ rows: [Row], most: Int, isWell: (Row) -> Bool, weight: (Row) -> UInt64
  ) -> (shown: [Row], left: [Row]) {
    guard rows.count > most else { return (rows, []) }
    let order = rows.indices.sorted { a, b in
      (isWell(rows[a]) ? 1 : 0, weight(rows[b]), a) < (isWell(rows[b]) ? 1 : 0, weight(rows[a]), b)
    }
    let shown = Set(order.prefix(most))
    return (
      rows.indices.filter(shown.contains).map { rows[$0] }, rows.indices.filter { !shown.contains($0) }.map { rows[$0] }
    )
  }

  private func health(_ problem: String?, _ terminal: Terminal) -> String {
    problem.map { terminal.styled(printable($0), .red) } ?? terminal.styled("ok", .green)
  }

  private func printSources(to output: inout Output, on terminal: Terminal, most: Int) {
    guard !sources.isEmpty else {
      output.line("no sources")
      return
    }
    var table = Table([
      .rest("SOURCE"), .number("READ"), .number("MATCHED"), .number("IGNORED"), .number("UNMATCHED"),
      .number("TOO LONG"), .number("BEHIND"), .rest("STATE"),
    ])
    let (shown, left) = Self.folded(sources, most: most, isWell: \.ok, weight: \.read)
    for source in shown {
      table.add(
        [
          source.name, grouped(source.read), grouped(source.matched), grouped(source.ignored),
          grouped(source.unmatched), grouped(source.tooLong), source.lagText,
          source.problem ?? "ok" + source.clockText + source.distrustText,
        ], style: source.problem == nil ? nil : .red)
    }
    table.print(to: &output, on: terminal)
    if !left.isEmpty {
      let failed = left.count { !$0.ok }
      output.line(
        "… and \(counted(left.count, "more source")) with \(grouped(left.reduce(0) { $0 + $1.read })) lines"
          + (failed > 0 ? ", \(failed) of them with a problem" : "") + ": --all")
    }
  }

  private func printJails(to output: inout Output, on terminal: Terminal, most: Int) {
    guard !jails.isEmpty else {
      output.line("no jails")
      return
    }
    var table = Table([
      .text("JAIL"), .number("FAILURES"), .number("TRACKED"), .number("EVICTED"), .number("BANS"), .number("BANS EVER"),
      .rest("STATE"),
    ])
    let (shown, left) = Self.folded(jails, most: most, isWell: \.ok) { UInt64($0.bans) + $0.failures }
    for jail in shown {
      table.add(
        [
          jail.name, grouped(jail.failures), grouped(jail.tracked), grouped(jail.evicted), grouped(jail.bans),
          grouped(jail.bansEver), jail.problem ?? "ok",
        ], style: jail.problem == nil ? nil : .red)
    }
    table.print(to: &output, on: terminal)
    if !left.isEmpty {
      output.line(
        "… and \(counted(left.count, "more jail")) with \(counted(left.reduce(0) { $0 + $1.bans }, "ban")): --all")
    }
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
