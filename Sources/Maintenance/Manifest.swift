public import Model

/// What a backup says of itself: a key and a value a line.
public struct Manifest: Hashable, Sendable {
  public var version: String
  public var taken: Instant
  /// The settings file that it was taken of.
  public var settings: String
  /// Where the audit was.
  public var database: String

  static let format = "bailiff-backup 1"

  var text: String {
    "\(Self.format)\nversion \(version)\ntaken \(taken.rfc3339())\nsettings \(settings)\ndatabase \(database)\n"
  }

  init(version: String, taken: Instant, settings: String, database: String) {
    self.version = version
    self.taken = taken
    self.settings = settings
    self.database = database
  }

  /// Nil for what is no manifest, or one of a later format.
  init?(_ text: String) {
    var lines = text.split(separator: "\n")[...]
    guard lines.popFirst().map(String.init) == Self.format else { return nil }
    let values = Dictionary(
      lines.map { line in
        let parts = line.split(separator: " ", maxSplits: 1)
        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
      }, uniquingKeysWith: { first, _ in first })
    guard let version = values["version"], let taken = values["taken"].flatMap({ Instant(rfc3339: $0) }),
      let settings = values["settings"], let database = values["database"]
    else { return nil }
    self.init(version: version, taken: taken, settings: settings, database: database)
  }
}
