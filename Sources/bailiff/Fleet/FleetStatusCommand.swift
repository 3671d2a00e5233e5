import ArgumentParser
import Fleet
import Model
import System

struct FleetStatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Are the streams there, whole, and read?",
    discussion: """
      Example:
        bailiff fleet status

      What this server has not told yet is in `bailiff status`, among the consumers. Exits 4 when something needs a person.
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let streams = try config.streams()
    let all = try failing { () throws(FleetError) in try streams.look() }
    let aggregators = try failing { () throws(FleetError) in try streams.aggregators() }
    var problems: [String] = []
    var output = Output()
    var table = Table([.text("STREAM"), .number("MESSAGES"), .number("BYTES"), .number("COPIES"), .text("LEADER")])
    for (name, report) in all {
      guard let report else {
        problems.append("there is no stream \(name); run bailiff fleet init")
        continue
      }
      problems += report.behind.map { "\(name): \($0)" }
      if format.json { output.json(StreamReply(report)) }
      table.add([
        name, "\(report.messages)", "\(report.bytes)", "\(report.replicas)", report.leader ?? "this one alone",
      ])
    }
    if aggregators.isEmpty, problems.isEmpty {
      problems.append("nobody decides: write aggregate: true on three servers, or run bailiff aggregate")
    }
    for reader in aggregators where reader.pending > 100_000 {
      problems.append("\(reader.name) lags by \(reader.pending) messages")
    }
    if format.json {
      for reader in aggregators { output.json(AggregatorReply(name: reader.name, pending: reader.pending)) }
    } else {
      if !table.isEmpty { table.print(to: &output, on: Terminal()) }
      for reader in aggregators { output.line("\(reader.name) decides, \(reader.pending) messages behind") }
      for problem in problems { output.line("! \(printable(problem))") }
    }
    output.flush()
    guard problems.isEmpty else { throw CommandFailure(.attention) }
  }
}

struct AggregatorReply: Encodable {
  var name: String
  var pending: UInt64
}

/// A stream as `--json` shows it.
struct StreamReply: Encodable {
  var name: String
  var messages: UInt64
  var bytes: UInt64
  var replicas: Int
  var leader: String?
  var behind: [String]
  var changed: [String]

  init(_ report: FleetStreams.Report) {
    name = report.name
    messages = report.messages
    bytes = report.bytes
    replicas = report.replicas
    leader = report.leader
    behind = report.behind
    changed = report.differences
  }
}
