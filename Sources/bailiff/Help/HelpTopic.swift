import ArgumentParser
import Settings
import System

/// `bailiff help WORD`, where WORD is no command: a topic, or a key of the settings or of a filter.
struct HelpTopic {
  var name: String
  var abstract: String
  var text: String

  /// Prints what was asked for; false: `arguments` are for the parser.
  /// - Throws: `CommandFailure` for a word that nobody knows.
  static func print(_ arguments: [String]) throws -> Bool {
    guard arguments.count == 2, arguments[0] == "help", !arguments[1].hasPrefix("-") else { return false }
    let word = arguments[1]
    if Bailiff.configuration.subcommands.contains(where: { $0.configuration.commandName == word }) { return false }
    var output = Output()
    if word == "topics" {
      list(to: &output)
    } else if let topic = all.first(where: { $0.name == word }) {
      output.line(topic.text)
    } else {
      let keys = KeyHelp.matching(word)
      guard !keys.isEmpty else { throw unknown(word) }
      for key in keys { print(key, to: &output) }
      output.line("\nEvery key, with examples: bailiff.yaml(5), bailiff-filter(5)")
    }
    output.flush()
    return true
  }

  private static func list(to output: inout Output) {
    for topic in all { output.line("  \(topic.name.padded(to: 12))\(topic.abstract)") }
    output.line("\nAlso: bailiff help COMMAND, and bailiff help KEY for a key of bailiff.yaml or of a filter")
  }

  private static func print(_ key: KeyHelp, to output: inout Output) {
    output.line("\(key.path.joined(separator: "."))  (\(key.file.rawValue))")
    output.line("  \(key.about)")
    output.line("  \(key.value)")
  }

  private static func unknown(_ word: String) -> CommandFailure {
    let meant = KeyHelp.nearestName(to: word).map { "did you mean `\($0)`? " } ?? ""
    return CommandFailure(
      .usage, "there is no command, topic or key `\(word)`; \(meant)`bailiff help topics` lists the topics")
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
