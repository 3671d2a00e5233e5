import Fail2banMatching
import Filters
import Matching
import Model
import Settings

/// A filter file is refused with its reasons, or it works on the lines that it brings.
enum FiltersFuzz {
  static func run(_ input: [UInt8]) {
    guard let text = String(validating: input, as: UTF8.self),
      let definition = try? FilterFile.parse(text, file: "/fuzz.yaml")
    else { return }
    _ = definition.problems
    guard let filter = try? Filter(definition) else { return }
    _ = filter.patternsWithoutLiterals
    let set = FilterSet([filter], keepsCaptures: true)
    let history = LineHistory()
    var clock = LogClock(now: Instant(seconds: 1_795_000_000))
    for sample in definition.samples.prefix(8) {
      set.scan(Array(sample.line.utf8).span, clock: &clock, history: history) { _, _, _ in }
    }
  }
}

/// Settings are refused with places and reasons, or understood.
enum SettingsFuzz {
  static func run(_ input: [UInt8]) {
    guard let text = String(validating: input, as: UTF8.self) else { return }
    let reading = Settings.read(
      text: text, file: "/nowhere/bailiff.yaml",
      fail2banFilter: { path, _ in
        FilterDefinition(name: "f", file: path, rules: .fail2ban(Fail2banRules(failregex: [])))
      },
      machine: Settings.Machine(hasFile: { _ in true }, hasJournal: true))
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.count
    for problem in reading.errors + reading.warnings {
      require(!problem.description.isEmpty, "an error without a message")
      require(problem.place.line >= 0 && problem.place.line <= lines + 1, "line \(problem.place.line) of \(lines)")
    }
  }
}
