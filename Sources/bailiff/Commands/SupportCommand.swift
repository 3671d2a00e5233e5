import API
import ArgumentParser
import JSON
import Maintenance
import Settings
import System

struct SupportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "support",
    abstract: "What a bug report needs, with addresses and names replaced.",
    discussion: """
      Examples:
        bailiff support > report.md
        bailiff support --as-is > report.md

      Settings without secrets, what is wrong with them, the daemon's status and its journal, the unit, the rules of the \
      firewall, the system's version. No line of another log is in it. Addresses, names of machines and of people are \
      replaced, the same by the same word; a jail's name is not, nor a word that nobody could know to be a name: read it \
      before you send it.
      """)

  @Flag(help: "Leave addresses and names as they are.")
  var asIs = false
  @OptionGroup var config: ConfigOptions

  func run() throws {
    let report = SupportReport([
      .init(
        "Bailiff", "\(Bailiff.version), settings \(config.path)\(config.isAutomatic ? ", which is not there" : "")"),
      .init("Settings", EffectiveSettings(path: config.path).yaml()),
      .init("What is wrong with them", problems),
      .init("Status", status),
    ])
    var output = Output()
    output.write(report.markdown(asIs: asIs))
    output.flush()
  }

  private var problems: String {
    let errors = config.read().errors
    return errors.isEmpty ? "nothing" : errors.map(\.description).joined(separator: "\n")
  }

  private var status: String {
    do {
      return try String(decoding: JSONOutput.line(of: config.client().status()), as: UTF8.self)
    } catch {
      return "\(error)"
    }
  }
}
