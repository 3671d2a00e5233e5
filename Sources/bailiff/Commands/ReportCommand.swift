import API
import ArgumentParser
import Model
import Reporting
import Settings
import System

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "A page for people: a summary, findings, failures and bans, who was let in, what operators did, posture.",
    discussion: """
      Examples:
        bailiff report --since 7d --output report.html
        bailiff report --since 2026-11-01 --until 2026-12-01 --output november.pdf
        bailiff report make --since 30d
        bailiff report list

      The first two are `bailiff report write`, which works while the daemon is down, too. The daemon makes reports in the background and
      keeps them (`make`, `list`, `get`, `remove`), by itself where the settings have `reports: {schedule: weekly}`.
      """,
    subcommands: [ReportWrite.self, ReportMake.self, ReportList.self, ReportGet.self, ReportRemove.self],
    defaultSubcommand: ReportWrite.self)
}

struct ReportWrite: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "write",
    abstract: "Write a report to a file. The default.",
    discussion: """
      Examples:
        bailiff report --since 7d --output report.html
        bailiff report write --since yesterday --until today --output yesterday.pdf

      One file of HTML that loads nothing; charts are drawn in it. A name that ends in .pdf gets a PDF, by WeasyPrint (the
      Debian package weasyprint).
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
    let status = try? config.client(deadline: 5).status()
    let page = try Past(config).report(since: start, until: end, status: status)
    guard output != "-" else {
      var standard = Output()
      standard.write(page)
      standard.flush()
      return
    }
    try output.hasSuffix(".pdf") ? Self.print(page, to: output) : Self.write(page, to: output)
  }

  private static func print(_ page: [UInt8], to output: String) throws {
    let source = "\(output).html"
    try write(page, to: source)
    defer { try? SmallFile.remove(source) }
    do { try PDFPrinter.print(source, to: output) } catch { throw CommandFailure(.rejected, "\(error)") }
  }

  static func write(_ page: [UInt8], to output: String) throws {
    do { try SmallFile.replace(output, with: page) } catch {
      throw CommandFailure(.rejected, "\(output): cannot be written: \(SystemError.text(error.code))")
    }
  }
}

struct ReportMake: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "make",
    abstract: "Have the daemon make a report in the background, and keep it.",
    discussion: """
      Examples:
        bailiff report make --since 30d
        bailiff report make --since 2026-11-01 --until 2026-12-01 --wait

      Prints the report's id.
      """)

  @Option(help: ArgumentHelp("From then on: 7d, yesterday, 2026-11-21, RFC 3339.", valueName: "time"))
  var since = "7d"
  @Option(help: ArgumentHelp("Before then; now unless given.", valueName: "time"))
  var until: String?
  @Flag(help: "Return when it is made.")
  var wait = false
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let client = try config.client()
    var reply = try client.makeReport(ReportRequest(since: since, until: until))
    while wait, reply.state == .making {
      ServiceThread.sleep(seconds: 0.3)
      reply = try client.reports().first { $0.id == reply.id } ?? reply
    }
    var output = Output()
    if format.json { output.json(reply) } else { output.line(reply.id) }
    output.flush()
    if reply.state == .failed { throw CommandFailure(.rejected, reply.problem ?? "it could not be made") }
  }
}

struct ReportList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "The reports that the daemon keeps, newest first.",
    discussion: """
      Example:
        bailiff report list
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let reports = try config.client().reports()
    var output = Output()
    defer { output.flush() }
    if format.json {
      for report in reports { output.json(report) }
      return
    }
    guard !reports.isEmpty else { return output.line("no reports; bailiff report make makes one") }
    var table = Table([.text("ID"), .text("FROM"), .text("TO"), .text("BY"), .rest("STATE")])
    for report in reports {
      table.add([
        report.id, LocalTime.text(report.since), LocalTime.text(report.until),
        report.by ?? report.schedule ?? "", report.standing,
      ])
    }
    table.print(to: &output, on: Terminal())
  }
}

struct ReportGet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Fetch a report that the daemon keeps.",
    discussion: """
      Examples:
        bailiff report get 20261129-060000-3f9a --output report.html
        bailiff report get 20261129-060000-3f9a --output report.pdf

      A name that ends in .pdf gets the PDF, which there is where WeasyPrint was installed when the report was made.
      """)

  @Argument(help: "Its id, as `bailiff report list` has it.")
  var id: String
  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where to; - is standard output.", valueName: "file"), completion: .file())
  var output: String
  @OptionGroup var config: ConfigOptions

  func run() throws {
    let bytes = try config.client(deadline: 60).report(id, output.hasSuffix(".pdf") ? .pdf : .html)
    guard output == "-" else { return try ReportWrite.write(bytes, to: output) }
    var standard = Output()
    standard.write(bytes)
    standard.flush()
  }
}

struct ReportRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove a report that the daemon keeps.",
    discussion: """
      Example:
        bailiff report remove 20261129-060000-3f9a
      """)

  @Argument(help: "Its id.")
  var id: String
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let reply = try config.client().removeReport(id)
    var output = Output()
    if format.json { output.json(reply) } else { output.line("removed \(printable(reply.id))") }
    output.flush()
  }
}
