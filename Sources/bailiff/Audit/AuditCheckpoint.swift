import ArgumentParser
import Inspection

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
    let reply = try Past(config).checkpoint()
    var output = Output()
    if format.json { output.json(reply) } else { output.line(reply.checkpoint) }
    output.flush()
  }
}
