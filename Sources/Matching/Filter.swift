/// A compiled filter: immutable, shared by all threads that match with it.
public final class Filter: Sendable {
  enum Body: Sendable {
    case native(NativeFilter)
    case fail2ban(Fail2banFilter)
  }

  public let definition: FilterDefinition
  let body: Body
  /// For each pattern the texts of which one must be in a line that it matches; nil where none can be told.
  let requiredLiterals: [RequiredLiterals?]

  /// Throws with the place of the first pattern that cannot be used.
  public init(_ definition: FilterDefinition) throws(FilterError) {
    self.definition = definition
    switch definition.rules {
    case .native(let rules): body = .native(try NativeFilter(rules))
    case .fail2ban(let rules):
      body = .fail2ban(try Fail2banFilter(rules, name: definition.name, file: definition.file))
    }
    requiredLiterals =
      switch body {
      case .native(let filter): filter.patterns.map { filter.requiredLiterals($0.pattern.source) }
      case .fail2ban(let filter):
        // Earlier lines matter to a filter with `maxlines`: it must see them all.
        filter.patternsForPrefilter.map {
          filter.needsEveryLine
            ? nil : RequiredLiterals($0, text: filter.datesLeadLines ? .withoutDateAtStart : .withoutDate)
        }
      }
  }

  /// The names of its patterns, in the order in which matches number them.
  public var patternNames: [String] {
    switch body {
    case .native(let filter): filter.patterns.map(\.name)
    case .fail2ban(let filter): (1...max(1, filter.patternCount)).map { "failregex-\($0)" }
    }
  }

  /// Does what a line means depend on the lines before it (sessions, torn records)? Parts of a log then cannot be matched
  /// apart.
  public var needsOrder: Bool {
    switch body {
    case .native(let filter): filter.untrustedAfterOpenQuote != nil || filter.records != nil
    case .fail2ban: true
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
    case .native(let filter): (filter.patterns + filter.ignore).map(\.pattern.source)
    case .fail2ban(let filter): filter.patternsForPrefilter
    }
  }
}
