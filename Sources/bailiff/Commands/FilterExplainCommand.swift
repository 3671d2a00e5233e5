import ArgumentParser
import Filters
import Inspection
import Settings
import System

struct FilterExplain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "What a filter sees, needs and misses.",
    discussion: """
      Examples:
        bailiff filter explain postgresql
        bailiff filter explain http-probe --json | jq -r '.patterns[].name'

      What its author found out about the service: since which version, where it logs, what must be set for the client's address to \
      be there, what cannot be told. Then where its lines are on this machine, each pattern with its weight and a line, and lines \
      that look like failures and are none.
      """)

  @Argument(help: "A filter's name, or a native filter's file.")
  var filter: String
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let definition = try config.general().library.load(filter)
    let head = FilterExplanation.head(SmallFile.text(definition.file) ?? "")
    let explanation = FilterExplanation(definition, head: head)
    var output = Output()
    if format.json {
      output.json(explanation)
    } else {
      print(explanation, to: &output)
    }
    output.flush()
  }

  private func print(_ told: FilterExplanation, to output: inout Output) {
    let terminal = Terminal()
    let width = min(terminal.width ?? 100, 100)
    output.line(terminal.styled("\(told.filter): \(told.summary)", .bold))
    for paragraph in told.about {
      output.line()
      for line in wrapped(printable(paragraph), width) { output.line(line) }
    }
    section("Where its lines are", &output, terminal)
    if !told.program.isEmpty {
      output.line("  of the program\(told.program.count == 1 ? "" : "s") \(told.program.joined(separator: ", "))")
    }
    if !told.format.isEmpty {
      output.line("  in the format\(told.format.count == 1 ? "" : "s") \(told.format.joined(separator: ", "))")
    }
    for place in told.places {
      let state = place.isHere.map { $0 ? "  (is here)" : "  (not here)" } ?? "  (the journal)"
      output.line("  \(printable(place.text))\(state)")
    }
    if told.places.isEmpty { output.line("  the jail must say: logpath, journalmatch or containers") }
    let limit = [told.maxretry.map { "\($0) failures" }, told.findtime.map { "in \($0)" }].compactMap(\.self)
    section("What a jail does", &output, terminal)
    output.line("  closes " + (told.port.isEmpty ? "all ports" : "ports \(told.port.joined(separator: ", "))"))
    output.line(
      "  bans after " + (limit.isEmpty ? "the settings' own limit" : limit.joined(separator: " "))
        + ", unless the settings say otherwise")
    section("What it finds", &output, terminal)
    for pattern in told.patterns {
      let weight =
        pattern.weight == "1" ? "" : pattern.weight == "0" ? "  recorded, never bans" : "  weighs \(pattern.weight)"
      output.line("  \(pattern.name)\(weight)")
      if !pattern.example.isEmpty { output.line("      " + printable(pattern.example)) }
    }
    guard !told.spared.isEmpty else { return }
    section("What it leaves alone", &output, terminal)
    for line in told.spared { output.line("      " + printable(line)) }
  }

  private func section(_ title: String, _ output: inout Output, _ terminal: Terminal) {
    output.line()
    output.line(terminal.styled(title, .bold))
  }

  private func wrapped(_ text: String, _ width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      if !lines[lines.count - 1].isEmpty, displayWidth(lines[lines.count - 1]) + displayWidth(String(word)) >= width {
        lines.append("")
      }
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }
    return lines
  }
}
