internal import Filters
internal import Model

/// What a pattern's line is.
enum PatternKind: String, CaseIterable {
  case failure, activity
}

/// Reads a filter's patterns, and the format whose fields they name.
struct PatternReader {
  let formats: [FieldFormat]
  private let fields: Fields
  let tags: FilterTags

  init(_ fields: Fields) {
    self.fields = fields
    tags = FilterTags(fields)
    if let several = fields["formats"] {
      for key in ["format", "fields"] where fields.has(key) {
        fields[key]?.fail("the filter has `\(key)` beside `formats`", "put it into an entry of `formats`")
      }
      formats = FormatReader.formats(several)
      if formats.isEmpty { several.fail("`formats` is empty", "write a list: - format: json") }
      return
    }
    let format = fields["format"].flatMap(FormatReader.format) ?? .text
    if let entry = fields.entry("fields") {
      formats = [FieldFormat(format, fields: FormatReader.roles(entry.value))]
      guard format == .text, !fields.has("format") || fields["format"]?.word == "text" else { return }
      entry.value.problems.add(
        entry.place, "the filter has `fields`, but its lines are text",
        remedy: "say which format: json, combined, logfmt …")
    } else {
      formats = [FieldFormat(format, fields: FieldRoles(place: fields.place))]
    }
  }

  /// The patterns of `patterns` or `ignore`; only the first have weights.
  func patterns(_ key: String) -> [PatternDefinition] {
    guard let items = fields[key]?.list(key) else { return [] }
    let known = (key == "patterns" ? Keys.pattern : Keys.ignored).names
    return items.compactMap { item in
      guard let pattern = Fields(item, key, known: known) else { return nil }
      return definition(pattern, item)
    }
  }

  /// The patterns of a list that are nothing but text.
  func texts(_ key: String) -> [String] {
    fields[key]?.list(key)?.compactMap { $0.text(key).map(tags.expand) } ?? []
  }

  private func definition(_ pattern: Fields, _ item: Value) -> PatternDefinition? {
    guard let name = pattern["name"]?.name("name") else {
      if pattern["name"] == nil { item.fail("a pattern has no `name`", "add name: a-short-name") }
      return nil
    }
    var match: String?
    if let value = pattern["match"] {
      guard let text = value.text("match", anyCharacter: true), !text.isEmpty else { return nil }
      match = tags.expand(text)
    }
    let conditions = pattern["where"].map { ConditionReader(tags).conditions($0) } ?? []
    if pattern["where"] != nil, formats.allSatisfy({ $0.format == .text }) {
      pattern["where"]?.fail(
        "`where` asks for fields, but the filter's lines are text",
        "say which format: json, combined, logfmt …, or use match")
    }
    guard match != nil || pattern["where"] != nil else {
      item.fail("pattern \(quoted(name)) has no `match`", "add match: '…', or where: with conditions on fields")
      return nil
    }
    var definition = PatternDefinition(
      name: name, match: match, conditions: conditions, weight: pattern["weight"].flatMap(weight) ?? .fixed(1),
      place: (pattern["match"] ?? pattern["where"])?.place ?? item.place)
    if let own = pattern["fields"] { definition.fields = FormatReader.roles(own) }
    if let role = pattern["role"]?.choice("role", JoinRole.self) { definition.role = role }
    if let part = pattern["attempt"] { attempt(part, &definition) }
    activity(pattern, item, &definition)
    return definition
  }

  /// `kind: activity` with its `event`.
  private func activity(_ pattern: Fields, _ item: Value, _ definition: inout PatternDefinition) {
    let isActivity = pattern["kind"]?.choice("kind", PatternKind.self) == .activity
    let event = pattern["event"]?.choice("event", ActivityEvent.self)
    guard isActivity else {
      pattern["event"]?.fail("`event` is for activities, and this pattern is a failure", "add kind: activity")
      return
    }
    if !pattern.has("event") {
      item.fail(
        "pattern \(quoted(definition.name)) is an activity without an `event`",
        "add event: " + ActivityEvent.allCases.map(\.rawValue).joined(separator: " or "))
    }
    definition.event = event
    for key in ["weight", "role"] where pattern.has(key) {
      pattern[key]?.fail("`\(key)` is for failures, and this pattern is an activity", "leave it out")
    }
    if [.begins, .ends].contains(definition.attempt) {
      pattern["attempt"]?.fail("an activity neither begins nor ends an attempt", "write {key: [user], within: 1h}")
    }
  }

  private func attempt(_ value: Value, _ definition: inout PatternDefinition) {
    if value.isMap { return act(value, &definition) }
    switch value.name("attempt") {
    case "begins": definition.attempt = .begins
    case "ends": definition.attempt = .ends
    case nil: break
    case let name?:
      value.fail("`attempt` is \(quoted(name))", "write begins, ends, or {key: [group], within: 10s}, or leave it out")
    }
  }

  /// `{key: [referrer], within: 10s}`.
  private func act(_ value: Value, _ definition: inout PatternDefinition) {
    guard let fields = Fields(value, "attempt", known: Keys.act.names) else { return }
    for key in ["key", "within"] where !fields.has(key) {
      value.fail("`attempt` has no `\(key)`", "write {key: [group], within: 10s}")
    }
    guard let key = fields["key"]?.names("key"), let within = fields["within"]?.span("within") else { return }
    guard within >= .seconds(1), within <= .hours(1) else {
      fields["within"]?.fail("`within` is \(within)", "write a time from 1s to 1h")
      return
    }
    definition.attempt = .together
    definition.act = ActDefinition(key: key, within: within)
  }

  /// A number, or one chosen by what a group captured.
  private func weight(_ value: Value) -> Weight? {
    if value.word != nil { return value.integer("weight", Limits.weight).map(Weight.fixed) }
    guard let fields = Fields(value, "weight", known: Keys.weight.names) else { return nil }
    guard let group = fields["group"]?.name("group") else {
      if fields["group"] == nil {
        value.fail("`weight` has no `group`", "name the group whose text decides: group: severity")
      }
      return nil
    }
    var values: [String: Int] = [:]
    if let map = fields["values"], let entries = Fields(map, "values")?.entries {
      for entry in entries { values[entry.key] = entry.value.integer(entry.key, Limits.weight) }
    }
    return .captured(
      group: group, values: values, otherwise: fields["otherwise"]?.integer("otherwise", Limits.weight) ?? 1)
  }
}
