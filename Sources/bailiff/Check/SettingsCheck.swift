import Fail2banMatching
import Filters
import Matching
import Model
import Settings

/// Everything that is wrong with the settings, found without starting anything.
struct SettingsCheck {
  var settings: Settings
  var errors: [SettingsError]
  var warnings: [SettingsError]

  init(_ reading: Settings.Reading) {
    settings = reading.settings
    errors = reading.errors
    warnings = reading.warnings
    var seen: [FilterDefinition] = []
    for jail in settings.jails {
      if let definition = jail.definition, !seen.contains(definition) {
        seen.append(definition)
        add(Self.problems(of: definition, jail: jail.name))
        warnAboutLiterals(of: definition, jail)
      }
    }
  }

  /// Such a pattern costs as much as all others together (it runs on every line), so it is worth knowing.
  private mutating func warnAboutLiterals(of definition: FilterDefinition, _ jail: JailSettings) {
    guard jail.enabled, let filter = try? Filter(definition) else { return }
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
  static func problems(of definition: FilterDefinition, jail: String? = nil) -> [SettingsError] {
    guard case .native(let rules) = definition.rules else {
      do throws(FilterError) { _ = try Filter(definition) } catch { return [SettingsError(error, jail: jail)] }
      return []
    }
    var problems = definition.problems
    var compiles = true
    func compile(_ pattern: PatternDefinition, ignore: Bool) {
      var single = definition
      // One at a time, since compiling a filter stops at the first that is wrong. A host replaces the missing pattern.
      let host = PatternDefinition(name: "host", match: "^<host>$")
      single.rules = .native(
        NativeRules(
          formats: rules.formats, patterns: ignore ? [host] : [pattern],
          ignore: ignore ? [pattern] : []))
      do throws(FilterError) { _ = try Filter(single) } catch {
        compiles = false
        problems.append(SettingsError(error, jail: jail))
      }
    }
    for pattern in rules.patterns {
      compile(pattern, ignore: false)
      if let (message, remedy) = CatchAll.problem(in: pattern) {
        problems.append(SettingsError(pattern.place, message, remedy: remedy, jail: jail))
      }
    }
    for pattern in rules.ignore { compile(pattern, ignore: true) }
    if compiles, let filter = try? Filter(definition) {
      let clock = LogClock(now: LocalTime.now())
      problems += definition.samples.compactMap { try? SampleCheck($0, filter, clock: clock).complaint }
    }
    return problems
  }
}
