import Fail2banImport
import Filters
import Glibc
import Settings

extension ConfigOptions {
  /// fail2ban's filters, for settings that name one.
  static func fail2banFilter(_ path: String, _ options: [String: String]) throws -> FilterDefinition {
    try FilterTranslation.loadFilter(path: path, options: options)
  }

  /// The settings with every jail and filter, and all that is wrong with them. Without a file, and none named, the filters
  /// whose logs are on this machine, in a dry run.
  func read() -> Settings.Reading {
    if isAutomatic {
      return Settings.Reading(settings: .automatic())
    }
    return Settings.read(path: path, fail2banFilter: Self.fail2banFilter)
  }

  /// What they would be with another text in one of the files.
  func read(replacing replacement: SettingsChange.Replacement) -> Settings.Reading {
    Settings.read(path: path, replacing: replacement, fail2banFilter: Self.fail2banFilter)
  }

  /// The same, where anything wrong is the end.
  func settings() throws -> Settings {
    let reading = read()
    guard reading.errors.isEmpty else { throw SettingsErrors(reading.errors) }
    return reading.settings
  }

  /// Is there neither a file nor the name of one?
  // Safe: access(2) reads the path during the call.
  var isAutomatic: Bool { unsafe config == nil && access(path, F_OK) != 0 }
}
