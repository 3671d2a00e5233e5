import ArgumentParser
import Filters
import Inspection
import Matching
import Model
import Settings
import System

struct FilterTest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "What a filter makes of each line of a log, or of its own samples.",
    discussion: """
      Examples:
        bailiff filter test sshd                        its samples
        bailiff filter test ./sshd.yaml /var/log/auth.log
        bailiff filter test /etc/fail2ban/filter.d/sshd.conf auth.log --option mode=aggressive
        bailiff filter test sshd auth.log --json --now 2026-11-21T06:00:00Z --timezone UTC

      With --json each line of the log gives one object, in order: its result is failure, activity, none or ignored, `time` is in \
      seconds since 1970, and every named group of the pattern is a key of its failure.
      Exits 1 when a sample does not behave or a pattern has none, 2 when the filter cannot be used.
      """)

  @Argument(help: "A native filter's name, a .yaml file, or one of fail2ban's .conf files.")
  var filter: String
  @Argument(help: "A log; - for standard input. Without it, the filter's own samples.", completion: .file())
  var file: String?
  @OptionGroup var clock: ClockOptions
  @Flag(name: .customLong("no-timestamps"), help: "The lines carry no time stamps, as the journal's messages.")
  var withoutTimestamps = false
  @Option(
    name: .customLong("option"),
    help: ArgumentHelp("An option of a fail2ban filter; may be repeated.", valueName: "key=value"))
  var options: [String] = []
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    for option in options where !option.contains("=") || option.hasPrefix("=") {
      throw ValidationError("--option \(printable(option)): write KEY=VALUE, such as mode=aggressive")
    }
  }

  func run() throws {
    let definition = try FilterLoading.load(
      filter, options: parsedOptions, journal: withoutTimestamps, library: try config.general().library)
    let compiled = try FilterLoading.compile(definition)
    if let file {
      try test(file, compiled)
    } else {
      try testSamples(compiled)
    }
  }

  private var parsedOptions: [String: String] {
    var parsed: [String: String] = [:]
    for option in options {
      let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      parsed[String(parts[0])] = String(parts[1])
    }
    return parsed
  }

  private func test(_ file: String, _ filter: Filter) throws {
    let tester = try LineTester(filter, clock: try clock.clock(), hasTimestamps: !withoutTimestamps)
    var summary = TestSummary()
    var output = Output()
    var number = 0
    let matches = filter.definition.journalmatch
    try LogLines.forEachBatch(in: file, journalmatch: matches, prefix: tester.prefix, hasTimes: !withoutTimestamps) {
      for result in tester.test($0) {
        number += 1
        if format.json {
          output.json(LineReply(line: number, result))
        } else {
          summary.add(result, line: number)
        }
      }
    }
    if !format.json { summary.print(to: &output, on: Terminal()) }
    output.flush()
    if !format.json, summary.failed == 0, let problem = try LogExamination(of: file, by: [filter]).problem {
      Diagnostics.write("bailiff: \(problem)\n")
    }
    if tester.gaveUp > 0 {
      Diagnostics.write("bailiff: \(tester.gaveUp) times a pattern was stopped at its limit; make it less ambiguous\n")
    }
  }

  private func testSamples(_ filter: Filter) throws {
    guard case .native = filter.definition.rules else {
      throw CommandFailure(.usage, "fail2ban's filters carry no samples; give a log: bailiff filter test FILTER FILE")
    }
    let clock = try clock.clock()
    let checks = try filter.definition.samples.map { try SampleCheck($0, filter, clock: clock) }
    var output = Output()
    if format.json {
      for check in checks { output.json(check) }
    }
    let complaints = filter.definition.problems + checks.compactMap(\.complaint)
    let failed = checks.count { !$0.differences.isEmpty }
    if !format.json {
      for complaint in complaints { output.line(complaint.description) }
      output.line("\(filter.definition.name): \(checks.count - failed) of \(checks.count) samples behave")
    }
    output.flush()
    guard complaints.isEmpty else {
      if format.json { Diagnostics.write(SettingsErrors(complaints).description + "\n") }
      throw CommandFailure(.rejected)
    }
  }
}

/// What people see of a tested log: the failures, and how much there was of what.
private struct TestSummary {
  var lines = 0
  var failed = 0
  var ignored = 0
  var activities = 0
  private var ids: Set<String> = []
  private var patterns: [String: Int] = [:]
  private var table = Table([
    .number("LINE"), .text("TIME"), .text("ID"), .rest("USER"), .number("COUNT"), .rest("PATTERN"),
  ])

  mutating func add(_ result: LineResult, line: Int) {
    lines += 1
    switch result.verdict {
    case .failure: failed += 1
    case .activity: activities += 1
    case .ignored: ignored += 1
    case .none: break
    }
    for activity in result.activities {
      let found = activity.found
      table.add([
        "\(line)", LocalTime.text(found.time), found.host.isEmpty ? "-" : found.id, found.user ?? "",
        activity.event.rawValue, found.pattern,
      ])
    }
    for failure in result.failures {
      ids.insert(failure.id)
      patterns[failure.pattern, default: 0] += 1
      table.add([
        "\(line)", LocalTime.text(failure.time), failure.id, failure.user ?? "", "\(failure.attempts)", failure.pattern,
      ])
    }
  }

  func print(to output: inout Output, on terminal: Terminal) {
    if !table.isEmpty {
      table.print(to: &output, on: terminal)
      output.line()
      var counts = Table([.text("PATTERN"), .number("FAILURES")])
      for (pattern, count) in patterns.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
        counts.add([pattern, grouped(count)])
      }
      counts.print(to: &output, on: terminal)
      output.line()
    }
    output.line(
      "\(grouped(lines)) lines: \(grouped(failed)) with failures of \(grouped(ids.count)) ids, "
        + (activities == 0 ? "" : "\(grouped(activities)) with activities, ")
        + "\(grouped(ignored)) ignored, \(grouped(lines - failed - ignored - activities)) without")
  }
}
