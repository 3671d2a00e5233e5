internal import Fail2banMatching
public import Filters
internal import Matching
internal import Model
public import Settings
internal import System

/// Everything that is wrong with the settings, found without starting anything.
public struct SettingsCheck: Sendable {
  public var settings: Settings
  public var errors: [SettingsError]
  public var warnings: [SettingsError]

  public init(_ reading: Settings.Reading) {
    settings = reading.settings
    errors = reading.errors
    warnings = reading.warnings
    var seen: [FilterDefinition] = []
    for jail in settings.jails {
      guard let definition = jail.definition, !seen.contains(definition) else { continue }
      seen.append(definition)
      let (filter, problems) = Self.examined(definition, jail: jail.name)
      add(problems)
      if let filter, jail.enabled { warnAboutLiterals(of: filter, definition, jail) }
    }
  }

  /// Such a pattern costs as much as all others together (it runs on every line), so it is worth knowing.
  private mutating func warnAboutLiterals(of filter: Filter, _ definition: FilterDefinition, _ jail: JailSettings) {
    for name in filter.patternsWithoutLiterals {
      var place = Place(file: definition.file, line: 0, column: 0)
      if case .native(let rules) = definition.rules, let pattern = rules.patterns.first(where: { $0.name == name }) {
        place = pattern.place
      }
      warnings.append(
        SettingsError(
          place, "pattern `\(name)` holds no text that all its matches share, so it is tried on every line",
          remedy: "name what the service always writes, if there is such a text", jail: jail.name))
    }
  }

  private mutating func add(_ problems: [SettingsError]) {
    for problem in problems
    where !errors.contains(where: { $0.place == problem.place && $0.message == problem.message }) {
      errors.append(problem)
    }
  }

  /// A filter's problems: each pattern that does not compile or lets a client choose the address, patterns without samples,
  /// and samples that do not behave.
  public static func problems(of definition: FilterDefinition, jail: String? = nil) -> [SettingsError] {
    examined(definition, jail: jail).problems
  }

  /// The compiled filter (nil if a pattern does not compile) and its problems. Compiling is what costs here, so it is done once.
  private static func examined(
    _ definition: FilterDefinition, jail: String?
  ) -> (filter: Filter?, problems: [SettingsError]) {
    var problems = definition.problems
    let filter: Filter?
    do throws(FilterError) { filter = try Filter(definition) } catch {
      filter = nil
      problems += compileErrors(of: definition, first: error, jail: jail)
    }
    guard case .native(let rules) = definition.rules else { return (filter, problems) }
    for pattern in rules.patterns {
      if let (message, remedy) = CatchAll.problem(in: pattern) {
        problems.append(SettingsError(pattern.place, message, remedy: remedy, jail: jail))
      }
    }
    if let filter {
      let clock = LogClock(now: SystemClock.now())
      problems += definition.samples.compactMap { try? SampleCheck($0, filter, clock: clock).complaint }
    }
    return (filter, problems)
  }

  /// Compiling a filter stops at the first pattern that is wrong; here they are compiled one at a time, to find them all.
  private static func compileErrors(
    of definition: FilterDefinition, first: FilterError, jail: String?
  ) -> [SettingsError] {
    guard case .native(let rules) = definition.rules else { return [SettingsError(first, jail: jail)] }
    // A host replaces the missing pattern.
    let host = PatternDefinition(name: "host", match: "^<host>$")
    let alone =
      rules.patterns.map { (patterns: [$0], ignore: []) } + rules.ignore.map { (patterns: [host], ignore: [$0]) }
    let errors = alone.compactMap { patterns, ignore -> SettingsError? in
      var single = definition
      single.rules = .native(
        NativeRules(formats: rules.formats, patterns: patterns, ignore: ignore))
      do throws(FilterError) { _ = try Filter(single) } catch { return SettingsError(error, jail: jail) }
      return nil
    }
    return errors.isEmpty ? [SettingsError(first, jail: jail)] : errors
  }
}
