public import Filters

/// Conditions of `where`, decided slowly from a field's texts.
public enum ConditionReference {
  /// `values`: the texts of the condition's field; empty: it is absent. `matches` decides about a pattern.
  public static func holds(
    _ tests: [FieldCondition.Test], _ values: [[UInt8]], matches: (String, [UInt8]) -> Bool
  ) -> Bool {
    tests.allSatisfy { holds($0, values, matches) }
  }

  private static func holds(
    _ test: FieldCondition.Test, _ values: [[UInt8]], _ matches: (String, [UInt8]) -> Bool
  ) -> Bool {
    // An empty text is a field that is there without a text.
    let texts = values.filter { !$0.isEmpty }
    switch test {
    case .equals(let wanted): return texts.contains { wanted.contains(String(decoding: $0, as: UTF8.self)) }
    case .match(let pattern): return texts.contains { matches(pattern, $0) }
    case .has(let wanted):
      // Texts without escapes only: what they mean is tested by itself.
      return texts.contains { text in
        wanted.contains { String(decoding: text, as: UTF8.self).lowercased().contains($0.lowercased()) }
      }
    case .atLeast(let least): return texts.contains { number($0).map { $0 >= Double(least) } ?? false }
    case .below(let limit): return texts.contains { number($0).map { $0 < Double(limit) } ?? false }
    case .absent(let absent): return values.isEmpty == absent
    case .not(let tests): return !tests.contains { holds($0, values, matches) }
    }
  }

  public static func number(_ text: [UInt8]) -> Double? {
    let text = String(decoding: text, as: UTF8.self)
    guard text.wholeMatch(of: #/-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/#) != nil else { return nil }
    return Double(text)
  }
}
