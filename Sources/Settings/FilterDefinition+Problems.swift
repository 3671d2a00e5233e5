internal import Detection
public import Filters
internal import Model

extension FilterDefinition {
  /// What is wrong with a filter that can be read, apart from patterns that do not compile and samples that do not
  /// behave: patterns without a sample, samples that expect what no pattern gives. `filter test` and `check` call it an
  /// error; `run` does not, since such a filter still bans whom it should.
  public var problems: [SettingsError] {
    guard case .native(let rules) = rules else { return [] }
    let expected = Set(samples.compactMap { $0.expect?["pattern"] })
    var names: Set<String> = []
    var errors: [SettingsError] = []
    for pattern in rules.patterns {
      if !names.insert(pattern.name).inserted {
        errors.append(
          SettingsError(
            pattern.place, "two patterns are called \(quoted(pattern.name))", remedy: "give each its own name"))
      }
      if pattern.role == nil, !expected.contains(pattern.name) {
        errors.append(
          SettingsError(
            pattern.place, "pattern \(quoted(pattern.name)) has no sample",
            remedy: "add a line that it matches, with expect: {pattern: \(pattern.name), "
              + (pattern.event.map { "activity: \($0.rawValue)}" } ?? "host: …}")))
      }
    }
    let patternNames = rules.patterns.map(\.name)
    for sample in samples {
      guard let expect = sample.expect else { continue }
      guard let name = expect["pattern"] else {
        errors.append(
          SettingsError(sample.place, "the sample's `expect` names no `pattern`", remedy: "add pattern: name"))
        continue
      }
      if !names.contains(name) {
        errors.append(
          SettingsError(
            sample.place, "no pattern \(quoted(name))",
            remedy: suggestion(for: name, among: patternNames, otherwise: "there are: \(listed(patternNames))")))
      }
    }
    return Problems.sorted(errors)
  }
}

extension FilterDefinition {
  /// Do its failures name what is counted by itself? fail2ban's filters may name an account, and no application.
  func tells(_ per: Jail.Counting) -> Bool {
    guard per != .address, case .native(let rules) = rules else { return per != .app }
    let (tag, group) = ("<\(per.rawValue)>", "(?<\(per.rawValue)>")
    let role: FieldRole = per == .user ? .user : .app
    return rules.formats.contains { $0.fields.names[role] != nil || $0.format.hasByConvention(role) }
      || rules.patterns.contains { pattern in
        pattern.event == nil
          && (pattern.fields.names[role] != nil
            || pattern.expressions.contains { $0.contains(group) || role == .user && $0.contains(tag) })
      }
  }
}

extension LogFormat {
  /// Access logs have the account and the virtual host in fields that every filter knows.
  fileprivate func hasByConvention(_ role: FieldRole) -> Bool {
    switch self {
    case .combined, .server: true
    case .haproxy: role == .app
    case .text, .json, .logfmt, .separated, .w3c, .split: false
    }
  }
}
