internal import Filters

/// `where:` of a pattern: fields and what must hold for them.
///
/// ```yaml
/// where: {status: [401, 403], method: POST, msg: {match: '^Login failed'}, bytes: {at_least: 1, below: 10000}}
/// ```
struct ConditionReader {
  private static let tests = ["match", "has", "not", "at_least", "below", "absent"]
  private let tags: FilterTags

  init(_ tags: FilterTags) { self.tags = tags }

  func conditions(_ value: Value) -> [FieldCondition] {
    guard let fields = Fields(value, "where") else { return [] }
    if fields.entries.isEmpty { value.fail("`where` is empty", "write field: value, or use match") }
    return fields.entries.compactMap { entry in
      let tests = tests(entry.value, entry.key)
      return tests.isEmpty ? nil : FieldCondition(field: entry.key, tests: tests, place: entry.value.place)
    }
  }

  /// A value, a list of values, or a map of tests that must all hold.
  private func tests(_ value: Value, _ field: String) -> [FieldCondition.Test] {
    guard value.isMap else { return values(value, field).map { [.equals($0)] } ?? [] }
    guard let fields = Fields(value, field, known: Self.tests) else { return [] }
    if fields.entries.isEmpty {
      value.fail("nothing is asked of \(quoted(field))", "write a value, or one of \(listed(Self.tests))")
    }
    return fields.entries.compactMap { test($0, field) }
  }

  private func test(_ entry: Fields.Entry, _ field: String) -> FieldCondition.Test? {
    switch entry.key {
    case "match":
      guard let text = entry.value.text("match", anyCharacter: true), !text.isEmpty else { return nil }
      return .match(tags.expand(text))
    case "has":
      guard let texts = values(entry.value, "has") else { return nil }
      for text in texts where text.utf8.count < 2 {
        entry.value.fail("\(quoted(text)) is shorter than two bytes", "write more of it, or use match")
      }
      return .has(texts)
    case "not":
      let tests = tests(entry.value, field)
      return tests.isEmpty ? nil : .not(tests)
    case "at_least": return entry.value.integer("at_least", Limits.fieldNumber).map { .atLeast($0) }
    case "below": return entry.value.integer("below", Limits.fieldNumber).map { .below($0) }
    case "absent": return entry.value.bool("absent").map { .absent($0) }
    default: return nil
    }
  }

  private func values(_ value: Value, _ field: String) -> [String]? {
    guard let items = value.list(field) else { return nil }
    let texts = items.compactMap { item -> String? in
      guard let text = item.text(field, anyCharacter: true) else { return nil }
      if text.isEmpty || text == "-" {
        item.fail("\(quoted(field)) is to be \(item.typed), which logs write for nothing", "write {absent: true}")
        return nil
      }
      return text
    }
    if items.isEmpty { value.fail("\(quoted(field)) has no value", "write a value, or {absent: true}") }
    return texts.isEmpty ? nil : texts
  }
}
