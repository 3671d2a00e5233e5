import ArgumentParser
import Fleet
import Model
import Settings
import System

struct FleetInit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make the fleet's two streams, or change them to these limits, and check them.",
    discussion: """
      BL_FAIL holds what the servers tell, for a day unless --keep says otherwise; BL_LIVE the last word about each id, for 32 days. \
      With three NATS servers --replicas 3 keeps both when one of them is lost. What was different is printed; nothing is removed.

      Examples:
        bailiff fleet init
        bailiff fleet init --replicas 3 --size 20GiB

      The user needs the rights to make streams, which servers of the fleet do not have: run it once, with the NATS administrator's.
      """)

  @Option(help: "On how many NATS servers each message is: 1, 3 or 5.")
  var replicas = 1
  @Option(
    help: ArgumentHelp("How long failures are kept: windows and what aggregators catch up with.", valueName: "time"),
    transform: parseSpan)
  var keep: TimeSpan?
  @Option(
    help: ArgumentHelp(
      "How long the last word about an id is kept; no longer ban reaches who was away.", valueName: "time"),
    transform: parseSpan)
  var remember: TimeSpan?
  @Option(
    help: ArgumentHelp("Above it the oldest failures go: 2GiB unless told.", valueName: "bytes"), transform: parseBytes)
  var size: Int64?
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    guard [1, 3, 5].contains(replicas) else { throw ValidationError("--replicas is 1, 3 or 5") }
  }

  func run() throws {
    var limits = FleetStreams.Limits()
    limits.replicas = replicas
    if let keep { limits.keep = keep }
    if let remember { limits.remember = remember }
    if let size { limits.size = size }
    let streams = try config.streams()
    let reports = try failing { () throws(FleetError) in try streams.establish(limits) }
    var output = Output()
    for report in reports {
      if format.json {
        output.json(StreamReply(report))
      } else {
        let what = report.isNew ? "made" : report.differences.isEmpty ? "is as it should be" : "changed"
        output.line(
          "\(report.name) \(what)"
            + (report.differences.isEmpty ? "" : ": \(report.differences.joined(separator: "; "))"))
      }
    }
    output.flush()
  }
}

func parseBytes(_ text: String) throws -> Int64 {
  guard let bytes = ByteSize.parse(text), bytes >= 1 << 20 else {
    throw ValidationError("`\(printable(text))` is no size; write at least 1MiB, for example 2GiB")
  }
  return bytes
}
