import Filters

/// A jail's filter with everything that the jail changes in it, and the fewest options that give just that.
struct JailFilter {
  /// What fail2ban would run.
  let rules: Fail2banRules
  /// With these, `FilterTranslation.loadFilter` gives `rules`.
  private(set) var options: [String: String]

  init(_ reading: JailReader.Reading, _ reader: JailReader) throws(ConfigurationError) {
    let effective = Self.effective(reading)
    rules = try FilterTranslation.rules(effective, reading.filterReader)
    guard !rules.failregex.isEmpty else {
      throw reader.error(reading.name, "filter", "the filter has no `failregex`; it would match nothing")
    }

    options = reading.filter.options
    let isJournal = reading.options["backend", default: ""].hasPrefix("systemd")
    if isJournal, options["logtype", default: ""].isEmpty { options["logtype"] = FilterReader.LogType.journal.rawValue }
    let given = try load(reading.filterReader.configuration)
    for (name, differs) in Self.differences(given, rules) where differs { options[name] = effective[name] ?? "" }
    try refer(to: given, reading.filterReader.configuration)
    guard try load(reading.filterReader.configuration) == withoutJailKeys(rules) else {
      throw reader.error(reading.name, "filter", "the jail's changes to the filter cannot be written as its options")
    }
    for name in options.keys.sorted() {
      let value = options.removeValue(forKey: name)
      if try load(reading.filterReader.configuration) != withoutJailKeys(rules) { options[name] = value }
    }
  }

  private func load(_ configuration: Configuration) throws(ConfigurationError) -> Fail2banRules {
    var reader = try FilterReader(configuration, options: options, logtype: .file)
    return try withoutJailKeys(FilterTranslation.rules(reader.options(), reader))
  }

  /// Writes the filter's own patterns, which the jail extends, as `<known/failregex>`, so that they stay the filter's.
  private mutating func refer(to given: Fail2banRules, _ configuration: Configuration) throws(ConfigurationError) {
    for (name, own) in [("failregex", given.failregex), ("ignoreregex", given.ignoreregex)] {
      guard let text = options[name], !own.isEmpty else { continue }
      let lines = text.split(separator: "\n").map(String.init)
      guard lines.count > own.count, let range = lines.firstRange(of: own) else { continue }
      options[name] = (lines[..<range.lowerBound] + ["<known/\(name)>"] + lines[range.upperBound...]).joined(
        separator: "\n")
      let same = (try? load(configuration)) == withoutJailKeys(rules)
      if !same { options[name] = text }
    }
  }

  /// `usedns` and `logtimezone` are keys of the jail itself.
  private func withoutJailKeys(_ rules: Fail2banRules) -> Fail2banRules {
    var rules = rules
    rules.usedns = .warn
    rules.logtimezone = nil
    return rules
  }

  /// fail2ban sends the filter's options first and the jail's after them: lists grow, the filter's `prefregex` and
  /// `maxlines` hold where `[Init]` or `filter = x[…]` sets them, the jail's `datepattern` holds always.
  private static func effective(_ reading: JailReader.Reading) -> [String: String] {
    let jail = reading.options
    var values = reading.filterOptions
    for name in ["failregex", "ignoreregex"] {
      if let own = jail[name] { values[name] = [values[name], own].compactMap { $0 }.joined(separator: "\n") }
    }
    for name in ["prefregex", "maxlines", "usedns"] { values[name] = values[name] ?? jail[name] }
    for name in ["datepattern", "logtimezone", "logencoding"] { values[name] = jail[name] ?? values[name] }
    return values
  }

  private static func differences(_ a: Fail2banRules, _ b: Fail2banRules) -> [(name: String, differs: Bool)] {
    [
      ("prefregex", a.prefregex != b.prefregex), ("failregex", a.failregex != b.failregex),
      ("ignoreregex", a.ignoreregex != b.ignoreregex), ("datepattern", a.datepattern != b.datepattern),
      ("maxlines", a.maxlines != b.maxlines), ("logencoding", a.logencoding != b.logencoding),
    ]
  }
}
