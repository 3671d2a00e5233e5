internal import Fail2banImport
internal import Fail2banMatching
public import Filters
internal import Glibc
public import Matching
internal import Model
public import Settings

/// A filter as people name it: `sshd`, `./sshd.yaml`, `/etc/fail2ban/filter.d/sshd.conf`.
public enum FilterLoading {
  /// `journal`: are the lines the journal's?
  /// - Throws: `RequestError`, or `SettingsError` with the place of what is wrong.
  public static func load(
    _ reference: String, options: [String: String] = [:], journal: Bool = false, library: FilterLibrary
  ) throws -> FilterDefinition {
    guard reference.hasSuffix(".conf") || reference.hasSuffix(".local") else {
      guard options.isEmpty else {
        throw RequestError(.invalid, "native filters have no options; --option is for fail2ban's")
      }
      return try library.load(reference)
    }
    // A bare name is a file here before it is one of fail2ban's own.
    // Safe: access(2) reads the path during the call.
    let isHere = unsafe !reference.contains("/") && access(reference, F_OK) == 0
    do {
      return try FilterTranslation.loadFilter(
        path: isHere ? "./" + reference : reference, options: options, journal: journal)
    } catch {
      throw RequestError(.invalid, error.description)
    }
  }

  /// A compiled filter, or what keeps it from being one, said as settings errors are.
  public static func compile(_ definition: FilterDefinition) throws(SettingsError) -> Filter {
    do { return try Filter(definition) } catch { throw SettingsError(error) }
  }
}
