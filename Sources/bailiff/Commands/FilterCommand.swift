import ArgumentParser
import Filters
import Inspection
import Settings
import System

struct FilterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "filter",
    abstract: "List filters, explain them, test them on lines, find out which fit a log, make one from a log.",
    discussion: """
      Examples:
        bailiff filter list
        bailiff filter explain sshd
        bailiff filter test sshd
        bailiff filter test /etc/fail2ban/filter.d/sshd.conf /var/log/auth.log
        bailiff filter detect /var/log/mail.log
        bailiff filter new /var/log/app.log
      """,
    subcommands: [FilterList.self, FilterExplain.self, FilterTest.self, FilterDetect.self, FilterNew.self])
}

struct FilterList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "The native filters of this machine.",
    discussion: """
      Example:
        bailiff filter list

      Filters are looked for in the settings' `filters` directories first, then in those that came with the program; \
      the first of a name counts.
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let (filters, errors) = try config.general().library.all()
    var output = Output()
    var table = Table([.text("FILTER"), .number("PATTERNS"), .number("SAMPLES"), .rest("SUMMARY"), .rest("FILE")])
    for reply in filters.map({ FilterReply($0) }) {
      if format.json {
        output.json(reply)
      } else {
        table.add([reply.filter, "\(reply.patterns)", "\(reply.samples)", reply.summary, reply.file])
      }
    }
    if !format.json, !table.isEmpty { table.print(to: &output, on: Terminal()) }
    output.flush()
    guard errors.isEmpty else { throw SettingsErrors(errors) }
    if filters.isEmpty { throw CommandFailure(.rejected, "there are no filters; set `filters:` in the settings") }
  }
}

struct FilterDetect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract: "Which native filters find failures in a log.",
    discussion: """
      Examples:
        bailiff filter detect /var/log/auth.log
        journalctl -o short-iso | bailiff filter detect -
      """)

  @Argument(help: "A log; - for standard input.", completion: .file())
  var file: String
  @OptionGroup var clock: ClockOptions
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    // Before all filters are read, which takes longer.
    if file != "-" { try LogLines.checkReadable(file) }
    let (definitions, errors) = try config.general().library.all()
    for error in errors { Diagnostics.write(error.description + "\n") }
    guard !definitions.isEmpty else {
      throw CommandFailure(.usage, "there are no filters; set `filters:` in the settings")
    }
    let filters = try definitions.map { try FilterLoading.compile($0) }
    let hits = try FilterDetection.run(filters, on: file, clock: try clock.clock())
    var output = Output()
    if format.json {
      for hit in hits { output.json(hit) }
    } else if hits.isEmpty {
      output.line("no filter finds a failure in \(printable(file))")
      if let problem = try LogExamination(of: file, by: filters).problem { output.line(problem) }
    } else {
      let summaries = Dictionary(definitions.map { ($0.name, $0.summary) }, uniquingKeysWith: { first, _ in first })
      var table = Table([
        .text("FILTER"), .number("FAILURES"), .number("COUNTED"), .number("IDS"), .rest("FIRST"), .rest("WHAT"),
      ])
      for hit in hits {
        table.add([
          hit.filter, grouped(hit.failures), grouped(hit.counted), grouped(hit.ids.count),
          hit.ids.prefix(3).joined(separator: ", "), summaries[hit.filter] ?? "",
        ])
      }
      table.print(to: &output, on: Terminal())
      propose(hits, to: &output)
    }
    output.flush()
  }

  /// What to write into bailiff.yaml; filters that only record find nobody to ban.
  private func propose(_ hits: [DetectReply], to output: inout Output) {
    let useful = hits.filter { $0.counted > 0 }
    guard !useful.isEmpty else { return }
    output.line()
    output.line("in bailiff.yaml (`bailiff filter explain NAME` says more):")
    output.line("jails:")
    let logpath = file.hasPrefix("/") ? ", logpath: [\(printable(file))]" : ""
    for hit in useful { output.line("  \(hit.filter): {filter: \(hit.filter)\(logpath)}") }
  }
}
