internal import Filters
internal import Model
internal import System
internal import YAML

/// A node of a settings file that turns into what its key wants, or into a problem at its place.
struct Value {
  let node: YAMLNode
  let place: Place
  let problems: Problems
  /// What earlier files say at the same key, the oldest first. Maps are merged with them (`Fields`); any other value stands
  /// for itself, unless its key says that they add up.
  var earlier: [Value] = []

  /// The text of one value, however it is quoted.
  var word: String? { node.text }

  var isNull: Bool { node.isNull }

  var isMap: Bool { if case .mapping = node.content { true } else { false } }

  /// What was typed, for messages.
  var typed: String {
    switch node.content {
    case .scalar(let text, _): isNull ? "nothing" : quoted(text)
    case .sequence: "a list"
    case .mapping: "a map"
    }
  }

  func fail(_ message: String, _ remedy: String) { problems.add(place, message, remedy: remedy) }

  /// One value; control characters only where a log line or a pattern is written, since the rest ends up in paths,
  /// commands and messages.
  func text(_ key: String, anyCharacter: Bool = false) -> String? {
    guard let text = word, !isNull else {
      fail("\(quoted(key)) must be one value, not \(typed)", "write \(key): value")
      return nil
    }
    if !anyCharacter, text.unicodeScalars.contains(where: isUnprintable) {
      fail("\(quoted(key)) has a control character in \(quoted(text))", "remove it")
      return nil
    }
    return text
  }

  func name(_ key: String) -> String? {
    guard let text = text(key) else { return nil }
    guard !text.isEmpty else {
      fail("\(quoted(key)) is empty", "give a value or drop the key")
      return nil
    }
    return text
  }

  func bool(_ key: String) -> Bool? {
    switch word?.lowercased() {
    case "true", "yes", "on": return true
    case "false", "no", "off": return false
    default:
      fail("\(quoted(key)) must be true or false, not \(typed)", "write \(key): true or \(key): false")
      return nil
    }
  }

  func integer(_ key: String, _ range: ClosedRange<Int>) -> Int? {
    guard let text = word, let value = Int(text) else {
      fail(
        "\(quoted(key)) must be a whole number, not \(typed)",
        "write a number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    guard range.contains(value) else {
      fail("\(quoted(key)) is \(value)", "write a number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return value
  }

  func number(_ key: String, above least: Double) -> Double? {
    guard let text = word, let value = Double(text), value.isFinite, value > least, value < 1e9 else {
      fail("\(quoted(key)) must be a number above \(Int(least)), not \(typed)", "write for example 2 or 1.5")
      return nil
    }
    return value
  }

  /// A length of time; negative ones are the caller's to judge.
  func signedSpan(_ key: String) -> TimeSpan? {
    guard let text = word, !isNull else {
      fail("\(quoted(key)) must be a time, not \(typed)", "write for example 10m, 1h30m or 2d")
      return nil
    }
    do {
      return try TimeSpan(parsing: text)
    } catch {
      fail(
        "\(quoted(key)) is \(quoted(text)), which \(error)",
        "write for example 10m, 1h30m or 2d; m is minutes, mo is months")
      return nil
    }
  }

  func span(_ key: String) -> TimeSpan? {
    guard let span = signedSpan(key) else { return nil }
    guard span > .zero else {
      fail("\(quoted(key)) is \(typed), which is not above 0", "write for example 10m, 1h30m or 2d")
      return nil
    }
    return span
  }

  /// One of an enumeration's words.
  func choice<Choice: CaseIterable & RawRepresentable<String>>(
    _ key: String, _: Choice.Type = Choice.self, hints: [String: String] = [:]
  ) -> Choice? {
    let words = Choice.allCases.map(\.rawValue)
    if let text = word, let choice = Choice(rawValue: text) { return choice }
    let typedWord = word ?? ""
    fail(
      "\(quoted(key)) is \(typed)",
      hints[typedWord] ?? suggestion(for: typedWord, among: words, otherwise: "write \(listed(words))"))
    return nil
  }

  /// A list's values; one value represents a list of one, nothing for an empty one.
  func list(_ key: String) -> [Value]? {
    switch node.content {
    case .sequence(let items): return items.map(child)
    case .scalar: return isNull ? [] : [self]
    case .mapping:
      fail("\(quoted(key)) must be a list, not \(typed)", "write \(key): [first, second]")
      return nil
    }
  }

  func names(_ key: String) -> [String]? { list(key)?.compactMap { $0.name(key) } }

  func child(_ node: YAMLNode) -> Value {
    Value(node: node, place: Place(file: place.file, line: node.line, column: node.column), problems: problems)
  }
}
