import API
import ArgumentParser
import Glibc
import Model
import Settings

/// `--config`, which every command takes.
struct ConfigOptions: ParsableArguments {
  static let defaultPath = "/etc/bailiff/bailiff.yaml"

  @Option(
    name: .long, help: ArgumentHelp("The settings: where the socket and the store are.", valueName: "file"),
    completion: .file(extensions: ["yaml"]))
  var config: String?

  var path: String { config ?? Self.defaultPath }

  /// The default file may be missing; a file that was named may not.
  var isThere: Bool { unsafe config != nil || access(path, F_OK) == 0 }

  /// The settings outside the jails, which is all that most commands need. Jails may be wrong; everything else may not.
  func general() throws -> Settings {
    // What `run` does without a file; the filters are left out, nobody asks for them here.
    guard isThere else { return Settings.automatic(library: FilterLibrary(directories: [], builtin: [])) }
    let reading = Settings.readGeneral(path: path)
    guard reading.generalErrors.isEmpty else { throw SettingsErrors(reading.generalErrors) }
    return reading.settings
  }

  /// The API's client; `deadline` in seconds.
  func client(deadline: Int64 = 10) throws -> ControlClient {
    ControlClient(socket: try places().socket, deadline: deadline, session: Self.session)
  }

  /// The daemon that answers; nil: none does. Settings that are wrong are no obstacle.
  var runningDaemon: StatusReply? {
    let settings = isThere ? Settings.readGeneral(path: path).settings : try? general()
    return settings.flatMap { try? ControlClient(socket: $0.socket, deadline: 5).status() }
  }

  /// Where this terminal's SSH session comes from (ssh(1), SSH_CONNECTION).
  static var session: Address? {
    // Safe: getenv's text lives as long as nobody changes the environment, and it is copied at once.
    guard let text = unsafe getenv("SSH_CONNECTION") else { return nil }
    return unsafe String(cString: text).split(separator: " ").first.flatMap { Address($0) }
  }

  /// The port of this machine that it came in by.
  static var sessionPort: UInt16? {
    // Safe: as above.
    guard let text = unsafe getenv("SSH_CONNECTION") else { return nil }
    let words = unsafe String(cString: text).split(separator: " ")
    return words.count == 4 ? UInt16(words[3]) : nil
  }
}

/// `--json`, for every command that prints data.
struct JSONOption: ParsableArguments {
  @Flag(name: .long, help: "Print JSON, one object a line.")
  var json = false
}
