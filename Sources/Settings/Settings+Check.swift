public import Matching

extension Settings.Reading {
  /// The same reading after compiling every filter: patterns that do not compile become errors, and their jails are taken
  /// out of `settings.jails`. With `samples`, patterns without one are errors too, which take out no jail: such a filter
  /// still bans whom it should. `bailiff check` wants both, `run` the first.
  public func compilingFilters(samples: Bool) -> Self {
    var reading = self
    var seen: [FilterDefinition] = []
    var errors: [SettingsError] = []
    reading.settings.jails = []
    for jail in settings.jails {
      guard let definition = jail.definition else {
        reading.settings.jails.append(jail)
        continue
      }
      let compileErrors = definition.compileErrors
      if compileErrors.isEmpty {
        reading.settings.jails.append(jail)
      } else {
        reading.brokenJails.append(jail.name)
      }
      guard !seen.contains(definition) else { continue }
      seen.append(definition)
      for var error in compileErrors + (samples ? definition.problems : []) {
        error.jail = jail.name
        if error.place.line == 0, error.place.file.isEmpty { error.place = jail.place }
        errors.append(error)
      }
    }
    reading.errors = Problems.sorted(reading.errors + errors, first: settings.file)
    return reading
  }
}

extension FilterDefinition {
  /// Every pattern that does not compile, where compiling the filter stops at the first.
  public var compileErrors: [SettingsError] {
    guard let error = compileError else { return [] }
    guard case .native(let rules) = rules else { return [SettingsError(error)] }
    var single = self
    let each =
      rules.patterns.map { NativeRules(programs: rules.programs, patterns: [$0]) }
      + rules.ignore.map { NativeRules(programs: rules.programs, patterns: [], ignore: [$0]) }
    let errors = each.compactMap { rules in
      single.rules = .native(rules)
      return single.compileError.map { SettingsError($0) }
    }
    return errors.isEmpty ? [SettingsError(error)] : errors
  }

  private var compileError: FilterError? {
    do throws(FilterError) {
      _ = try Filter(self)
      return nil
    } catch {
      return error
    }
  }
}
