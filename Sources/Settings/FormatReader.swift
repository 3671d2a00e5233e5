internal import Filters

/// `format:` and `fields:` of a filter.
enum FormatReader {
  static let words = ["text", "combined", "json", "logfmt", "csv", "tsv", "w3c", "haproxy"]
  static let maps = ["nginx", "apache", "split", "csv", "tsv", "spaces", "w3c"]

  private static let example =
    "write \(listed(words)), or {nginx: '$remote_addr …'}, {apache: '%h …'}, {split: 'PATTERN'}, {csv: [columns]}"

  static func format(_ value: Value) -> LogFormat? {
    if value.isMap { return map(value) }
    switch value.word {
    case "text": return .text
    case "combined": return .combined
    case "json": return .json
    case "logfmt": return .logfmt
    case "csv": return .separated(by: UInt8(ascii: ","), columns: [])
    case "tsv": return .separated(by: UInt8(ascii: "\t"), columns: [])
    case "w3c": return .w3c(columns: [])
    case "haproxy": return .haproxy
    case let word?:
      value.fail("`format` is \(quoted(word))", suggestion(for: word, among: words, otherwise: example))
      return nil
    case nil:
      value.fail("`format` is \(value.typed)", example)
      return nil
    }
  }

  private static func map(_ value: Value) -> LogFormat? {
    guard let fields = Fields(value, "format", known: maps) else { return nil }
    guard fields.entries.count == 1, let entry = fields.entries.first else {
      value.fail("`format` is a map of \(fields.entries.count) keys", example)
      return nil
    }
    func text() -> String? { entry.value.text(entry.key, anyCharacter: true) }
    func columns() -> [String]? {
      guard let names = entry.value.names(entry.key) else { return nil }
      if names.isEmpty {
        entry.value.fail("\(quoted(entry.key)) has no columns", "write {\(entry.key): [first, second]}")
      }
      return names.isEmpty ? nil : names
    }
    switch entry.key {
    case "nginx": return text().map { .server(ServerFormat(kind: .nginx, text: $0, place: entry.value.place)) }
    case "apache": return text().map { .server(ServerFormat(kind: .apache, text: $0, place: entry.value.place)) }
    case "split": return text().map { .split(SplitFormat(pattern: $0, place: entry.value.place)) }
    case "csv": return columns().map { .separated(by: UInt8(ascii: ","), columns: $0) }
    case "tsv": return columns().map { .separated(by: UInt8(ascii: "\t"), columns: $0) }
    case "spaces": return columns().map { .separated(by: UInt8(ascii: " "), columns: $0) }
    case "w3c": return columns().map { .w3c(columns: $0) }
    default: return nil
    }
  }

  /// `formats:`, a list of formats with their fields.
  static func formats(_ value: Value) -> [FieldFormat] {
    guard let items = value.list("formats") else { return [] }
    return items.compactMap { item in
      guard let fields = Fields(item, "formats", known: Keys.fieldFormat.names) else { return nil }
      guard let format = fields["format"] else {
        item.fail("an entry of `formats` has no `format`", "write - format: json")
        return nil
      }
      guard let format = Self.format(format) else { return nil }
      return FieldFormat(format, fields: fields["fields"].map(roles) ?? FieldRoles(place: item.place))
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
