public import Filters

/// A compiled filter: immutable, shared by all threads that match with it.
///
/// `Filter(definition)` compiles a native filter and those of other engines alike; it is in `Fail2banMatching`, the
/// engine beside this one.
public final class Filter: Sendable {
  enum Body: Sendable {
    case native(NativeFilter)
    case foreign(any ForeignFilter)
  }

  public let definition: FilterDefinition
  let body: Body
  /// For each pattern the texts of which one must be in a line that it matches; nil where none can be told.
  package let requiredLiterals: [RequiredLiterals?]

  /// A native filter. Throws with the place of the first pattern that cannot be used.
  package init(_ definition: FilterDefinition, rules: NativeRules) throws(FilterError) {
    self.definition = definition
    let filter = try NativeFilter(rules, units: definition.units)
    body = .native(filter)
    requiredLiterals = filter.requiredLiterals
  }

  /// A filter that another engine reads.
  package init(_ definition: FilterDefinition, engine filter: any ForeignFilter) {
    self.definition = definition
    body = .foreign(filter)
    requiredLiterals = filter.requiredLiterals
  }

  /// The names of its patterns, in the order in which matches number them.
  public var patternNames: [String] {
    switch body {
    case .native(let filter): filter.patterns.map(\.name)
    case .foreign(let filter): filter.patternNames
    }
  }

  /// The patterns whose lines tell of activities, by their numbers.
  package var activityPatterns: [Int] {
    guard case .native(let filter) = body else { return [] }
    return filter.patterns.indices.filter { filter.patterns[$0].event != nil }
  }

  /// Does what a line means depend on the lines before it (sessions, torn records, names of columns)? Parts of a log then cannot be matched
  /// apart.
  public var needsOrder: Bool {
    switch body {
    case .native(let filter): filter.readsHistory || filter.join != nil || filter.readsHeader
    case .foreign: true
    }
  }

  /// The names of the patterns that are tried on every line of their sources, because no text can be told that all their
  /// matches hold.
  public var patternsWithoutLiterals: [String] {
    zip(patternNames, requiredLiterals).compactMap { $1 == nil ? $0 : nil }
  }

  /// Every pattern as PCRE2 gets it, for the prefilter and for those who want to see it.
  public var expressions: [String] {
    switch body {
    case .native(let filter): (filter.patterns + filter.ignore).flatMap(\.sources)
    case .foreign(let filter): filter.expressions
    }
  }
}
