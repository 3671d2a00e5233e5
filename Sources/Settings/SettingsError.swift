public import Filters
internal import System

/// One thing that is wrong with a file of settings: where, what, and what would be right.
///
/// ```
/// /etc/bailiff/bailiff.yaml:14:5: unknown key `maxrety`; did you mean `maxretry`?
/// ```
public struct SettingsError: Error, Hashable, Sendable {
  /// Line and column count from 1, in characters; 0 when the whole file is meant.
  public var place: Place
  public var message: String
  public var remedy: String
  /// The jail that cannot run because of it; nil when it concerns everything.
  public var jail: String?
  /// The output that is left out because of it.
  public var output: String?

  public init(_ place: Place, _ message: String, remedy: String, jail: String? = nil, output: String? = nil) {
    self.place = place
    self.message = message
    self.remedy = remedy
    self.jail = jail
    self.output = output
  }

  /// A pattern that does not compile.
  public init(_ error: FilterError, jail: String? = nil) {
    self.init(error.place, error.message, remedy: error.remedy, jail: jail)
  }
}

extension SettingsError: CustomStringConvertible {
  /// `file:line:column: message; remedy`, always one line: control characters are escaped.
  public var description: String { described() }

  /// With a word behind the place, where editors look for it: `file:line:column: warning: …`.
  public func described(as kind: String? = nil) -> String {
    let position = place.line > 0 ? "\(place.file):\(place.line):\(place.column)" : place.file
    return printable(
      "\(position): \(kind.map { $0 + ": " } ?? "")\(message)\(remedy.isEmpty ? "" : "; \(remedy)")")
  }
}

/// Everything that is wrong, in the order of the places.
public struct SettingsErrors: Error, Sendable, CustomStringConvertible {
  public var errors: [SettingsError]

  public init(_ errors: [SettingsError]) { self.errors = errors }

  public var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// What reading has found so far; reading goes on after a problem, so that all of them can be shown at once.
final class Problems {
  private(set) var errors: [SettingsError] = []
  private var seen: Set<SettingsError> = []
  private(set) var warnings: [SettingsError] = []
  /// The jail or the output that is being read.
  var jail: String?
  var output: String?

  func add(_ place: Place, _ message: String, remedy: String) {
    add(SettingsError(place, message, remedy: remedy, jail: jail, output: output))
  }

  func add(_ error: SettingsError) {
    if seen.insert(error).inserted { errors.append(error) }
  }

  func warn(_ place: Place, _ message: String, remedy: String) {
    warnings.append(SettingsError(place, message, remedy: remedy, jail: jail, output: output))
  }

  /// Sorted by line inside a file; `file` first, then the others in the order in which they were met.
  static func sorted(_ errors: [SettingsError], first file: String = "") -> [SettingsError] {
    var files = [file: 0]
    for error in errors where files[error.place.file] == nil { files[error.place.file] = files.count }
    return errors.sorted {
      (files[$0.place.file]!, $0.place.line, $0.place.column) < (files[$1.place.file]!, $1.place.line, $1.place.column)
    }
  }
}
