import API
import ArgumentParser
import Model
import System

struct ListsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lists",
    abstract: "The blocklists and allow lists in force, and how fresh they are.",
    discussion: """
      Lists are in the settings, under `lists:` (docs/lists.md). One that cannot be read, or that is refused, leaves the last
      good one in force.

      Examples:
        bailiff lists
        bailiff lists --json
        bailiff lists --accept drop

      A list that has lost more than nine tenths of its entries is refused; --accept takes it over all the same.
      Exits 1 when a list is not as its source has it.
      """)

  @Option(help: ArgumentHelp("Take over a list that has lost most of its entries.", valueName: "name"))
  var accept: String?
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let client = try config.client()
    var output = Output()
    if let accept {
      let reply = try client.acceptList(accept)
      if format.json { output.json(reply) } else { output.line("list \(printable(accept)) is read again") }
      output.flush()
      return
    }
    let lists = try client.lists()
    if format.json {
      for list in lists { output.json(list) }
    } else {
      print(lists, to: &output)
    }
    output.flush()
    guard lists.allSatisfy({ $0.problem == nil }) else { throw CommandFailure(.rejected) }
  }

  private func print(_ lists: [ListReply], to output: inout Output) {
    guard !lists.isEmpty else { return output.line("no lists (docs/lists.md)") }
    var table = Table([
      .text("NAME"), .text("DOES"), .number("ENTRIES"), .number("LEFT OUT"), .text("AS OF"), .rest("SOURCE"),
    ])
    for list in lists {
      table.add(
        [
          list.name, list.rulesOnly ? "rules" : list.allow ? "allow" : "block", grouped(list.entries),
          grouped(list.leftOut),
          list.loaded.map(LocalTime.text) ?? "never", list.source,
        ], style: list.problem == nil ? nil : .red)
    }
    table.print(to: &output, on: Terminal())
    for list in lists {
      if let problem = list.problem { output.line("\(printable(list.name)): \(printable(problem))") }
      if list.strange > 0 {
        output.line("\(printable(list.name)): \(counted(list.strange, "line")) without an address")
      }
    }
  }
}
