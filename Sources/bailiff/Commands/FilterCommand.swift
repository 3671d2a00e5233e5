import ArgumentParser
import Filters
import Matching
import Model
import Settings
import System

struct FilterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "filter",
    abstract: "List filters, test them on lines, find out which fit a log.",
    discussion: """
      Examples:
        bailiff filter list
        bailiff filter test sshd
        bailiff filter test /etc/fail2ban/filter.d/sshd.conf /var/log/auth.log
        bailiff filter detect /var/log/mail.log
      """,
    subcommands: [FilterList.self, FilterTest.self, FilterDetect.self])
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
    for filter in filters {
      var patterns = 0
      var programs: [String] = []
      if case .native(let rules) = filter.rules {
        patterns = rules.patterns.count
        programs = rules.programs
      }
      if format.json {
        output.json([
          ("filter", .string(filter.name)), ("summary", .string(filter.summary)), ("file", .string(filter.file)),
          ("patterns", .number(patterns)), ("samples", .number(filter.samples.count)), ("program", .texts(programs)),
          ("journalmatch", .texts(filter.journalmatch)), ("logpath", .texts(filter.logpath)),
          ("port", .texts(filter.port)),
        ])
      } else {
        table.add([filter.name, "\(patterns)", "\(filter.samples.count)", filter.summary, filter.file])
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
    let (definitions, errors) = try config.general().library.all()
    for error in errors { Diagnostics.write(error.description + "\n") }
    let filters = try definitions.map(FilterArgument.compile)
    guard !filters.isEmpty else { throw CommandFailure(.usage, "there are no filters; set `filters:` in the settings") }
    let set = FilterSet(filters)
    let history = LineHistory()
    var clock = try self.clock.clock()
    var found = [Detected](repeating: Detected(), count: filters.count)
    try LogLines.forEachBatch(in: file) { batch in
      set.scan(batch.bytes.span, clock: &clock, history: history) { match, line, _ in
        let name = match.bytes(match.name, in: line)
        found[match.filter].add(name.isEmpty ? match.address.description : String(decoding: name, as: UTF8.self))
      }
    }
    let hits = zip(filters, found).filter { $0.1.failures > 0 }
    var output = Output()
    if format.json {
      for (filter, detected) in hits {
        output.json([
          ("filter", .string(filter.definition.name)), ("failures", .number(detected.failures)),
          ("ids", .texts(detected.ids)),
        ])
      }
    } else if hits.isEmpty {
      output.line("no filter finds a failure in \(printable(file))")
    } else {
      var table = Table([.text("FILTER"), .number("FAILURES"), .number("IDS"), .rest("FIRST")])
      for (filter, detected) in hits.sorted(by: { $0.1.failures > $1.1.failures }) {
        table.add([
          filter.definition.name, grouped(detected.failures), grouped(detected.ids.count),
          detected.ids.prefix(3).joined(separator: ", "),
        ])
      }
      table.print(to: &output, on: Terminal())
    }
    output.flush()
  }

  private struct Detected {
    var failures = 0
    var ids: [String] = []
    private var seen: Set<String> = []

    mutating func add(_ id: String) {
      failures += 1
      if seen.insert(id).inserted { ids.append(id) }
    }
  }
}
