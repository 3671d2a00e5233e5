import ArgumentParser
import Settings

/// A mistyped command, which the parser would call an unexpected argument.
enum CommandSpelling {
  static func check(_ arguments: [String]) throws(CommandFailure) {
    var commands = Bailiff.configuration.subcommands
    var path = ["bailiff"]
    for argument in arguments.prefix(2) {
      guard !commands.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return }
      if let command = commands.first(where: { name(of: $0) == argument }) {
        path.append(argument)
        commands = command.configuration.subcommands
        continue
      }
      let names = commands.map(name)
      let remedy =
        nearest(to: argument, among: names).map { "did you mean `\($0)`?" }
        ?? "there are: \(names.joined(separator: ", "))"
      throw CommandFailure(.usage, "`\(path.joined(separator: " "))` has no command `\(argument)`; \(remedy)")
    }
  }

  private static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? command._commandName
  }
}
