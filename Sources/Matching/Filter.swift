/// A compiled filter: immutable, shared by all threads that match with it.
public final class Filter: Sendable {
  enum Body: Sendable {
    case native(NativeFilter)
  }

  public let definition: FilterDefinition
  let body: Body

  /// Throws with the place of the first pattern that cannot be used.
  public init(_ definition: FilterDefinition) throws(FilterError) {
    self.definition = definition
    switch definition.rules {
    case .native(let rules): body = .native(try NativeFilter(rules))
    case .fail2ban:
      throw FilterError(
        place: Place(file: definition.file, line: 0, column: 0), message: "fail2ban filters are not supported yet",
        remedy: "use a native filter")
    }
  }

  /// The names of its patterns, in the order in which matches number them.
  public var patternNames: [String] {
    switch body {
    case .native(let filter): filter.patterns.map(\.name)
    }
  }

  /// Every pattern as PCRE2 gets it, for the prefilter and for those who want to see it.
  public var expressions: [String] {
    switch body {
    case .native(let filter): (filter.patterns + filter.ignore).map(\.pattern.source)
    }
  }
}
