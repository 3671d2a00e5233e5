import ArgumentParser
import AuditLog
import Settings

struct AuditCheckpoint: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "The end of the chain, to be kept elsewhere.",
    discussion: """
      Example:
        bailiff audit checkpoint

      Print it, mail it, put it on another machine: `bailiff audit verify --checkpoint` proves the record against it. \
      Unlike verify, which prints one too, it takes no time.
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    guard let checkpoint = try AuditStore.readOnly(path: try config.general().database).checkpoint() else {
      throw CommandFailure(.rejected, "the store is empty: there is nothing to keep yet")
    }
    var output = Output()
    if format.json {
      output.json([("checkpoint", .string(checkpoint.description)), ("time", .time(LocalTime.now()))])
    } else {
      output.line(checkpoint.description)
    }
    output.flush()
  }
}
