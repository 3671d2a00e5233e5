import API
import ArgumentParser
import AuditLog
import Glibc
import Model
import System

struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "A live view: rates, bans as they fall, and whether all is well.",
    discussion: """
      It fills the terminal, from 80 columns on, and ends with Ctrl-C. Where the output is no terminal, one view follows the other.

      Examples:
        bailiff watch
        bailiff watch --interval 10s
        bailiff watch --count 1
      """)

  @Option(help: ArgumentHelp("How often: 2s.", valueName: "time"), transform: parseSpan)
  var interval = TimeSpan.seconds(2)
  @Option(help: "End after so many views.")
  var count: Int?
  @OptionGroup var config: ConfigOptions

  func validate() throws {
    if interval.seconds < 1 { throw ValidationError("--interval needs at least one second") }
    if let count, count < 1 { throw ValidationError("--count needs at least 1") }
  }

  func run() throws {
    let client = try config.client()
    var before: LiveView.Sample?
    var shown = 0
    while shown < count ?? .max {
      let now = LiveView.Sample(try client.status(), at: monotonicSeconds())
      let terminal = Terminal()
      let view = LiveView(now: now, before: before, news: try Self.news(client), height: Self.height)
      var output = Output()
      // Home, and what is below is erased (ECMA-48, 8.3.57 and 8.3.39): no flicker.
      if terminal.width != nil, !terminal.isDumb { output.write(shown == 0 ? "\u{1b}[2J\u{1b}[H" : "\u{1b}[H\u{1b}[J") }
      view.print(to: &output, on: terminal)
      output.flush()
      before = now
      shown += 1
      if shown < count ?? .max { ServiceThread.sleep(seconds: Double(interval.microseconds) / 1e6) }
    }
  }

  /// The newest bans and what people did, newest first.
  private static func news(_ client: ControlClient) throws(RequestError) -> [AuditRow] {
    var filter = AuditFilter()
    filter.kinds = [.ban, .unban, .operator]
    return try client.page(filter, limit: 50).rows
  }

  /// Lines of the terminal; 24 where it does not say.
  private static var height: Int {
    var size = winsize()
    // Safe: TIOCGWINSZ fills the structure that it is given (ioctl_tty(2)).
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return 24 }
    return Int(size.ws_row)
  }
}

/// One view.
struct LiveView {
  /// Counters at a moment.
  struct Sample {
    var status: StatusReply
    /// Monotonic seconds.
    var time: Double

    init(_ status: StatusReply, at time: Double) {
      self.status = status
      self.time = time
    }

    var lines: UInt64 { status.sources.reduce(0) { $0 + $1.read } }
    var failures: UInt64 { status.jails.reduce(0) { $0 + $1.failures } }
    var bans: UInt64 { status.jails.reduce(0) { $0 + $1.bansEver } }
  }

  let now: Sample
  /// Nil for the first view, which knows no rates.
  let before: Sample?
  /// Newest first.
  let news: [AuditRow]
  let height: Int

  func print(to output: inout Output, on terminal: Terminal) {
    let status = now.status
    let width = terminal.width ?? 80
    func line(_ text: String) { output.line(truncated(text, to: width)) }
    let mode = status.dryRun ? "dry run" : status.firewall.backend
    line(
      "bailiff \(printable(status.version)), up \(TimeSpan(seconds: Int64(status.uptime)).brief), \(printable(mode))")
    output.line(status.summary(terminal))
    line(rates)
    let warnings = status.warnings.prefix(3)
    for warning in warnings {
      output.line(terminal.styled(truncated(printable("warning \(warning)"), to: width), .yellow))
    }
    output.line()
    let jails = printJails(to: &output, on: terminal, most: max(3, (height - 8 - warnings.count) / 2))
    output.line()
    // What is above, the empty lines, and the one that the cursor is in.
    let room = max(3, height - 3 - warnings.count - 1 - jails - 1 - 1)
    for row in news.prefix(room) {
      let text = "\(LocalTime.text(row.time).split(separator: " ")[1])  \(Self.sentence(row))"
      line(printable(text))
    }
    if news.isEmpty { output.line("no bans yet") }
  }

  private var rates: String {
    guard let before, now.time > before.time else { return "lines –/s, failures –/min, bans –/min" }
    let seconds = now.time - before.time
    func rate(_ value: (Sample) -> UInt64, per unit: Double) -> String {
      let (new, old) = (value(now), value(before))
      return grouped(Int((Double(new >= old ? new - old : new) / seconds * unit).rounded()))
    }
    return
      "lines \(rate(\.lines, per: 1))/s, failures \(rate(\.failures, per: 60))/min, bans \(rate(\.bans, per: 60))/min"
  }

  /// Returns how many lines there were.
  private func printJails(to output: inout Output, on terminal: Terminal, most: Int) -> Int {
    var table = Table([.rest("JAIL"), .number("FAILURES"), .number("TRACKED"), .number("BANS"), .number("BANS EVER")])
    let jails = now.status.jails.sorted { ($0.bans, $0.failures, $1.name) > ($1.bans, $1.failures, $0.name) }
    for jail in jails.prefix(most) {
      table.add(
        [jail.name, grouped(jail.failures), grouped(jail.tracked), grouped(jail.bans), grouped(jail.bansEver)],
        style: jail.problem == nil ? nil : .red)
    }
    table.print(to: &output, on: terminal)
    guard jails.count > most else { return jails.count + 1 }
    output.line("… and \(counted(jails.count - most, "more jail"))")
    return most + 2
  }

  private static func sentence(_ row: AuditRow) -> String {
    switch row.kind {
    case .failure: row.id
    case .ban: "\(row.action)  \(row.id)  \(row.jail)" + (row.count > 0 ? "  \(counted(row.count, "failure"))" : "")
    case .unban: "unban  \(row.id)  \(row.jail)"
    case .operator: [row.action, row.subject, row.command, row.detail].filter { !$0.isEmpty }.joined(separator: "  ")
    }
  }
}
