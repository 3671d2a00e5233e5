/// What fail2ban's client shows as an error; it wants an exception that it can make (never only a text).
enum Fail2banError: Error, Hashable {
  /// "Sorry but the jail 'X' does not exist"
  case unknownJail(String)
  /// "Sorry but the command is invalid"
  case invalidCommand
  /// With a text of its own.
  case failed(String)
  case value(String)

  var pickle: PickleValue {
    switch self {
    case .unknownJail(let jail): .object(module: "fail2ban.exceptions", name: "UnknownJailException", [.text(jail)])
    case .invalidCommand: .object(module: "builtins", name: "IndexError", [.text("list index out of range")])
    case .failed(let text): .object(module: "builtins", name: "Exception", [.text(text)])
    case .value(let text): .object(module: "builtins", name: "ValueError", [.text(text)])
    }
  }
}
