internal import Filters

/// A condition of `where`, its field known by slots and its patterns compiled.
struct CompiledCondition: Sendable {
  enum Test: Sendable {
    case equals([[UInt8]])
    case match(CompiledExpression)
    case has(TextSet)
    case atLeast(Int)
    case below(Int)
    case absent(Bool)
    indirect case not([Test])
  }

  /// Of these the first that is there.
  let slots: [Int]
  /// Those that need no pattern first.
  let tests: [Test]

  init(_ definition: FieldCondition, slots: [Int], pattern name: String) throws(FilterError) {
    self.slots = slots
    var tests: [Test] = []
    for test in definition.tests { tests.append(try Self.compile(test, definition, name)) }
    self.tests = tests.filter { !$0.needsPattern } + tests.filter(\.needsPattern)
  }

  private static func compile(
    _ test: FieldCondition.Test, _ definition: FieldCondition, _ name: String
  ) throws(FilterError) -> Test {
    switch test {
    case .equals(let texts): return .equals(texts.map { Array($0.utf8) })
    case .match(let text):
      return .match(try CompiledExpression(text, pattern: name, place: definition.place))
    case .has(let texts):
      guard let set = TextSet(texts) else {
        throw FilterError(
          place: definition.place, message: "pattern `\(name)`: a text of `has` is shorter than two bytes",
          remedy: "write more of it, or use match")
      }
      return .has(set)
    case .atLeast(let number): return .atLeast(number)
    case .below(let number): return .below(number)
    case .absent(let absent): return .absent(absent)
    case .not(let tests):
      var compiled: [Test] = []
      for test in tests { compiled.append(try compile(test, definition, name)) }
      return .not(compiled)
    }
  }

  /// Its patterns, but for those that must not match.
  var expressions: [CompiledExpression] {
    tests.compactMap { if case .match(let expression) = $0 { expression } else { nil } }
  }
}

extension CompiledCondition.Test {
  /// Can it only hold where the field is there?
  var needsValue: Bool {
    switch self {
    case .equals, .match, .has, .atLeast, .below: true
    case .absent(let absent): !absent
    case .not: false
    }
  }

  fileprivate var needsPattern: Bool {
    switch self {
    case .match: true
    case .not(let tests): tests.contains(where: \.needsPattern)
    case .equals, .has, .atLeast, .below, .absent: false
    }
  }
}
