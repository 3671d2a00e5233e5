internal import Filters
internal import System
internal import YAML

/// A mapping's keys and values in the order of the file.
struct Fields {
  struct Entry {
    var key: String
    var place: Place
    var value: Value
  }

  let entries: [Entry]
  let place: Place
  let problems: Problems

  /// Nil when `value` is no mapping; nothing at all is an empty one.
  init?(_ value: Value, _ key: String) {
    place = (value.earlier.first ?? value).place
    problems = value.problems
    var merged: [Entry] = []
    for layer in value.earlier + [value] {
      guard let entries = Self.entries(layer, key) else { return nil }
      Self.lay(entries, over: &merged)
    }
    entries = merged
  }

  /// Later values come over earlier ones of the same key; a later key without a value says nothing.
  private static func lay(_ later: [Entry], over merged: inout [Entry]) {
    guard !merged.isEmpty else {
      merged = later
      return
    }
    for entry in later {
      guard let index = merged.firstIndex(where: { $0.key == entry.key }) else {
        merged.append(entry)
        continue
      }
      guard !entry.value.isNull else { continue }
      var below = merged[index].value
      merged[index] = entry
      merged[index].value.earlier = below.earlier
      below.earlier = []
      merged[index].value.earlier.append(below)
    }
  }

  private static func entries(_ value: Value, _ key: String) -> [Entry]? {
    guard !value.isNull else { return [] }
    guard case .mapping(let mapping) = value.node.content else {
      value.fail("\(quoted(key)) must be a map of keys and values, not \(value.typed)", "write key: value, a line each")
      return nil
    }
    return mapping.compactMap { entry in
      let child = value.child(entry.key)
      guard let key = entry.key.text else {
        child.fail("a key must be a word, not \(child.typed)", "write key: value")
        return nil
      }
      return Entry(key: key, place: child.place, value: value.child(entry.value))
    }
  }

  /// The same, with every other key a problem. `elsewhere` maps keys that people bring along (from fail2ban, mostly) to
  /// what is meant instead.
  init?(_ value: Value, _ key: String, known: [String], elsewhere: [String: String] = [:]) {
    self.init(value, key)
    var lastKnown: Entry?
    lazy var all = "\(key.isEmpty ? "known keys" : quoted(key) + " knows"): \(known.sorted().joined(separator: ", "))"
    for (index, entry) in entries.enumerated() {
      guard !known.contains(entry.key) else {
        lastKnown = entry
        continue
      }
      let hint =
        entry.key == "<<"
        ? "YAML's merge keys are not supported; write the keys out or use `defaults`"
        : elsewhere[entry.key] ?? lastKnown.flatMap { layout(of: index, behind: $0) }
          ?? suggestion(for: entry.key, among: known, otherwise: all)
      problems.add(entry.place, "unknown key \(quoted(entry.key))", remedy: hint)
    }
  }

  /// An unknown key that is none: a list without brackets, or what should be indented below the key before it.
  /// `before` is the last known key that precedes it.
  private func layout(of index: Int, behind before: Entry) -> String? {
    let entry = entries[index]
    if entry.value.isNull, !before.value.isNull, before.place.line == entry.place.line {
      let words = entries[...index].filter { $0.value.isNull && $0.place.line == before.place.line }.map(\.key)
      let first = before.value.word ?? "…"
      return
        "put brackets around the list: \(before.key): [\(([first] + words).map(printable).joined(separator: ", "))]"
    }
    guard before.value.isNull, before.place.line < entry.place.line else { return nil }
    return "indent it by two blanks if it belongs to \(quoted(before.key)) above, which is empty"
  }

  /// The value of a key that is there and not null.
  subscript(key: String) -> Value? {
    guard let entry = entry(key), !entry.value.isNull else { return nil }
    return entry.value
  }

  func entry(_ key: String) -> Entry? { entries.first { $0.key == key } }

  func has(_ key: String) -> Bool { entry(key) != nil }
}
