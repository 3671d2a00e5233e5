import ArgumentParser
import Fleet
import Model
import System

struct FleetNodes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nodes",
    abstract: "Servers that told something within the time that failures are kept.",
    discussion: """
      Example:
        bailiff fleet nodes

      A server where nobody fails tells nothing.
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let streams = try config.streams()
    let nodes = try failing { () throws(FleetError) in try streams.nodes() }
    var output = Output()
    var table = Table([.text("SITE"), .text("SERVER"), .number("BATCHES"), .text("LAST")])
    for node in nodes {
      let last = try failing { () throws(FleetError) in try streams.lastReport(site: node.site, name: node.name) }
        .map { Instant(seconds: $0) }
      if format.json {
        output.json(NodeReply(site: node.site, name: node.name, batches: node.batches, last: last))
      } else {
        table.add([node.site, node.name, "\(node.batches)", last.map(LocalTime.text) ?? "-"])
      }
    }
    if !format.json { table.print(to: &output, on: Terminal()) }
    output.flush()
  }
}

struct NodeReply: Encodable {
  var site: String
  var name: String
  var batches: UInt64
  var last: Instant?
}
