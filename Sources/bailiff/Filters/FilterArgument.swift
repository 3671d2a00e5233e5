import Fail2banImport
import Fail2banMatching
import Filters
import Glibc
import Matching
import Settings

/// A filter as the command line names it: `sshd`, `./sshd.yaml`, `/etc/fail2ban/filter.d/sshd.conf`.
enum FilterArgument {
  /// `journal`: are the lines the journal's?
  static func load(
    _ reference: String, options: [String: String], journal: Bool, library: FilterLibrary
  ) throws -> FilterDefinition {
    guard reference.hasSuffix(".conf") || reference.hasSuffix(".local") else {
      guard options.isEmpty else {
        throw CommandFailure(.usage, "native filters have no options; --option is for fail2ban's")
      }
      return try library.load(reference)
    }
    // A bare name is a file here before it is one of fail2ban's own.
    let isHere = unsafe !reference.contains("/") && access(reference, F_OK) == 0
    do {
      return try FilterTranslation.loadFilter(
        path: isHere ? "./" + reference : reference, options: options, journal: journal)
    } catch {
      throw CommandFailure(.usage, error.description)
    }
  }

  /// A compiled filter, or what keeps it from being one, said as settings errors are.
  static func compile(_ definition: FilterDefinition) throws -> Filter {
    do { return try Filter(definition) } catch { throw SettingsError(error) }
  }
}

extension SettingsError {
  init(_ error: FilterError, jail: String? = nil) {
    self.init(error.place, error.message, remedy: error.remedy, jail: jail)
  }
}
