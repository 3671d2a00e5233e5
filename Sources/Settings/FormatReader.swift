internal import Filters

/// `format:` and `fields:` of a filter.
enum FormatReader {
  static let words = ["text", "combined", "json"]

  static func format(_ value: Value) -> LogFormat? {
    switch value.word {
    case "text": return .text
    case "combined": return .combined
    case "json": return .json
    case let word?:
      value.fail(
        "`format` is \(quoted(word))", suggestion(for: word, among: words, otherwise: "write \(listed(words))"))
      return nil
    case nil:
      value.fail("`format` is \(value.typed)", "write \(listed(words))")
      return nil
    }
  }

  /// Which field is what: a name, or a list of which the first that is there counts.
  static func roles(_ value: Value) -> FieldRoles {
    var roles = FieldRoles(place: value.place)
    guard let fields = Fields(value, "fields", known: Keys.roles.names) else { return roles }
    for role in FieldRole.allCases {
      guard let names = fields[role.rawValue]?.names(role.rawValue) else { continue }
      roles.names[role] = names
    }
    return roles
  }
}
