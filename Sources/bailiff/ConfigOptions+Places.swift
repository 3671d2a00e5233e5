import Settings
import System

extension ConfigOptions {
  /// Where socket and store are, also while the settings are broken: whoever has to lift a ban at night must not have to mend
  /// YAML first. What is wrong is said, once.
  /// - Throws: `SettingsErrors` when the file that was named cannot be read at all.
  func places() throws -> Settings {
    guard isThere else { return try general() }
    let reading = Settings.readGeneral(path: path)
    guard let first = reading.generalErrors.first else { return reading.settings }
    guard let text = SmallFile.text(path, limit: 16 << 20) else { throw SettingsErrors(reading.generalErrors) }
    var settings = reading.settings
    if let socket = Self.value(of: "socket", in: text) { settings.socket = socket }
    if let state = Self.value(of: "state", in: text) { settings.state = state }
    Diagnostics.write(
      printable("\(first)") + "\n"
        + printable(
          "bailiff: the settings are broken; going on with socket \(settings.socket) and state \(settings.state)")
        + "\n")
    return settings
  }

  /// The path behind `socket:` at the beginning of a line, in a text that need not be YAML.
  private static func value(of key: String, in text: String) -> String? {
    for line in text.split(separator: "\n") where line.hasPrefix(key + ":") {
      let rest = line.dropFirst(key.count + 1).prefix { $0 != "#" }
      let path = rest.filter { $0 != "\"" && $0 != "'" }.drop { $0 == " " }.prefix { $0 != " " && $0 != "\r" }
      if path.hasPrefix("/") { return String(path) }
    }
    return nil
  }
}
