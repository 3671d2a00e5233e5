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

      Exits 3 when the daemon is not there.
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let status = try config.client().status()
    var output = Output()
    if format.json { output.json(status.members) } else { status.print(to: &output, on: Terminal()) }
    output.flush()
  }
}

extension StatusReply {
  var members: [(String, JSON)] {
    [
      ("version", .string(version)), ("pid", .number(pid)), ("started", .time(started.instant)),
      ("uptime", .double(uptime)), ("dry_run", .bool(dryRun)), ("config", .string(config)),
      ("sources", .array(sources.map { .object($0.members) })), ("jails", .array(jails.map { .object($0.members) })),
      (
        "store",
        .object([
          ("ok", .bool(store.problem == nil)), ("problem", .text(store.problem)), ("path", .string(store.path)),
          ("bytes", .number(store.bytes)), ("failures", .number(store.failures)), ("shed", .number(store.shed)),
        ])
      ),
      (
        "firewall",
        .object([
          ("ok", .bool(firewall.problem == nil)), ("problem", .text(firewall.problem)),
          ("backend", .string(firewall.backend)), ("reason", .text(firewall.reason)),
          ("chains", .texts(firewall.chains)),
          ("entries", .number(firewall.entries)), ("repairs", .number(firewall.repairs)),
        ])
      ),
      (
        "consumers",
        .array(
          consumers.map {
            .object([
              ("name", .string($0.name)), ("ok", .bool($0.problem == nil)), ("problem", .text($0.problem)),
              ("behind", .number($0.behind)), ("behind_since", .time($0.behindSince?.instant)),
              ("delivered", .number($0.delivered)), ("missed", .number($0.missed)),
            ])
          })
      ),
      (
        "quarantined",
        .array(
          quarantined.map {
            .object([
              ("filter", .string($0.filter)), ("pattern", .string($0.pattern)), ("reason", .string($0.reason)),
              ("hits", .number($0.hits)),
            ])
          })
      ), ("warnings", .texts(warnings)),
    ]
  }

  func print(to output: inout Output, on terminal: Terminal) {
    let up = LocalTime.span(TimeSpan(seconds: Int64(uptime)))
    let mode = dryRun ? ", dry run: nothing is changed in the firewall" : ""
    output.line("bailiff \(printable(version)), pid \(pid), up \(up) since \(LocalTime.text(started.instant))\(mode)")
    output.line("settings  \(config.isEmpty ? "built-in defaults" : printable(config))")
    output.line(
      "store     \(health(store.problem, terminal)), \(printable(store.path)), \(byteSize(store.bytes)), "
        + "\(grouped(store.failures)) failures" + (store.shed > 0 ? ", \(grouped(store.shed)) given up" : ""))
    output.line(
      "firewall  \(health(firewall.problem, terminal)), \(printable(firewall.backend)) in "
        + "\(printable(firewall.chains.joined(separator: ", "))), \(counted(firewall.entries, "entry", plural: "entries"))"
        + (firewall.repairs > 0 ? ", repaired \(grouped(firewall.repairs)) times" : ""))
    for consumer in consumers where consumer.problem != nil || consumer.behind > 0 {
      let since = consumer.behindSince.map { " since \(LocalTime.text($0.instant))" } ?? ""
      let text = "\(printable(consumer.name)) is \(counted(consumer.behind, "row")) behind\(since)"
      output.line("consumer  \(text)" + (consumer.problem.map { ": \(printable($0))" } ?? ""))
    }
    for warning in warnings { output.line(terminal.styled("warning   " + printable(warning), .yellow)) }
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
          grouped(source.unmatched), grouped(source.tooLong), source.lagText, source.problem ?? "ok",
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
  fileprivate var members: [(String, JSON)] {
    [
      ("name", .string(name)), ("ok", .bool(problem == nil)), ("problem", .text(problem)), ("read", .number(read)),
      ("matched", .number(matched)), ("ignored", .number(ignored)), ("unmatched", .number(unmatched)),
      ("too_long", .number(tooLong)), ("position", .text(position)), ("lag", lag.map(JSON.double) ?? .null),
      ("jails", .texts(jails)),
    ]
  }

  /// Bytes for files, seconds for the journal.
  fileprivate var lagText: String {
    guard let lag else { return "?" }
    if name.hasPrefix("journal") { return LocalTime.span(TimeSpan(seconds: Int64(max(0, min(lag, 1e12))))) }
    return byteSize(UInt64(max(0, min(lag, 1e18))))
  }
}

extension JailStatus {
  fileprivate var members: [(String, JSON)] {
    [
      ("name", .string(name)), ("ok", .bool(problem == nil)), ("problem", .text(problem)),
      ("failures", .number(failures)), ("tracked", .number(tracked)), ("evicted", .number(evicted)),
      ("bans", .number(bans)), ("bans_ever", .number(bansEver)),
    ]
  }
}
