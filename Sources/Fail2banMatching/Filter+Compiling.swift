public import Filters
public import Matching

extension Filter {
  /// Compiles a filter of either kind. Throws with the place of the first pattern that cannot be used.
  public convenience init(_ definition: FilterDefinition) throws(FilterError) {
    switch definition.rules {
    case .native(let rules): try self.init(definition, rules: rules)
    case .fail2ban(let rules):
      self.init(definition, engine: try Fail2banFilter(rules, name: definition.name, file: definition.file))
    }
  }
}

extension Fail2banFilter: ForeignFilter {
  package var patternNames: [String] { (1...max(1, patternCount)).map { "failregex-\($0)" } }

  package var expressions: [String] { patternsForPrefilter }

  package var requiredLiterals: [RequiredLiterals?] {
    // Earlier lines matter to a filter with `maxlines`: it must see them all.
    patternsForPrefilter.map {
      needsEveryLine ? nil : RequiredLiterals($0, text: datesLeadLines ? .withoutDateAtStart : .withoutDate)
    }
  }

  package func makeMatcher() -> any ForeignMatcher { Fail2banMatcher(self) }
}
