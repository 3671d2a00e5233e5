internal import Filters
public import Settings

/// A jail that has an error in its settings or its filter, and does not run while the others do.
public struct DroppedJail: Hashable, Sendable {
  public var name: String
  /// One line: where, what, and the remedy.
  public var reason: String

  public init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }
}

extension Settings.Reading {
  /// Those that the settings name and that are left out, each with its first error.
  public var droppedJails: [DroppedJail] {
    brokenJails.map { name in
      let error = errors.first { $0.jail == name }
      return DroppedJail(name: name, reason: error.map { "\($0)" } ?? "it has an error; bailiff check says which")
    }
  }

  /// The settings for a reload. An error anywhere refuses it, except in a jail that does not run already for one: that jail
  /// stays left out, and holds up nothing else.
  func admitted(dropped: [DroppedJail]) throws(SettingsErrors) -> Settings {
    let known = Set(dropped.map(\.name))
    let refused = errors.filter { error in error.jail.map { !known.contains($0) } ?? true }
    guard refused.isEmpty else { throw SettingsErrors(refused) }
    return settings
  }
}
