public import Filters

/// Turns one of fail2ban's filters, unmodified, into what `Matching` runs.
///
///     let filter = try FilterTranslation.loadFilter(
///       path: "/etc/fail2ban/filter.d/sshd.conf", options: ["mode": "aggressive"])
///
/// See jail.conf(5), "FILTER FILES": <https://manpages.debian.org/bookworm/fail2ban/jail.conf.5.en.html>.
public enum FilterTranslation {
  /// - Parameters:
  ///   - path: the `.conf`, whose `.local` and `.d/` join it; or a bare name, looked up in `directory`.
  ///   - options: what the jail gives: the filter's own (`mode`), any of `[Definition]` (`failregex`, `datepattern`,
  ///     `maxlines` …), and `usedns`, `logtimezone`, `logencoding`.
  ///   - journal: are the lines the journal's? It sets `logtype`, unless that is given or the filter sets it.
  ///   - directory: where bare names are looked up.
  /// - Throws: `ConfigurationError`.
  public static func loadFilter(
    path: String, options: [String: String] = [:], journal: Bool = false, directory: String = "/etc/fail2ban/filter.d"
  ) throws(ConfigurationError) -> FilterDefinition {
    let base = basePath(path, directory: directory)
    var reader = try FilterReader(Configuration(base: base), options: options, logtype: journal ? .journal : .file)
    let values = try reader.options()
    return FilterDefinition(
      name: String(base.split(separator: "/").last ?? "filter"), file: base + ".conf",
      rules: .fail2ban(try rules(values, reader)),
      journalmatch: try journalMatches(values["journalmatch"] ?? "", reader))
  }

  /// The path without `.conf` or `.local`.
  static func basePath(_ path: String, directory: String) -> String {
    var base = path.contains("/") ? path : directory + "/" + path
    for suffix in [".conf", ".local"] where base.hasSuffix(suffix) { base.removeLast(suffix.count) }
    return base
  }

  static func rules(_ values: [String: String], _ reader: FilterReader) throws(ConfigurationError) -> Fail2banRules {
    func text(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }
    func lines(_ name: String) -> [String] { (values[name] ?? "").split(separator: "\n").map(String.init) }

    var rules = Fail2banRules(
      prefregex: text("prefregex"), failregex: lines("failregex"), ignoreregex: lines("ignoreregex"),
      datepattern: text("datepattern"), logtimezone: text("logtimezone"), logencoding: text("logencoding") ?? "auto")
    if let value = text("maxlines") {
      guard let number = Int(value.trimmed), number > 0 else {
        throw reader.error("maxlines", "`\(value)` is not a number of lines; write 1 or more")
      }
      rules.maxlines = number
    }
    if let value = text("usedns") { rules.usedns = try usedns(value, reader) }
    for expression in [rules.prefregex].compactMap({ $0 }) {
      try KnownTags.check(expression, option: "prefregex", reader)
    }
    for expression in rules.failregex { try KnownTags.check(expression, option: "failregex", reader) }
    for expression in rules.ignoreregex { try KnownTags.check(expression, option: "ignoreregex", reader) }
    return rules
  }

  private static func usedns(_ value: String, _ reader: FilterReader) throws(ConfigurationError) -> Fail2banRules.DNS {
    switch value.trimmed.lowercased() {
    case "yes", "true", "on", "1": return .yes
    case "no", "false", "off", "0": return .no
    case "warn": return .warn
    case "raw": return .raw
    default: throw reader.error("usedns", "`\(value)` is none of yes, warn, no, raw")
    }
  }

  /// Every element is an alternative; its `FIELD=value` terms, separated by spaces, must all hold.
  static func journalMatches(_ text: String, _ reader: FilterReader) throws(ConfigurationError) -> [String] {
    var matches: [String] = []
    for line in text.split(separator: "\n") {
      guard let words = ShellWords.split(String(line)) else {
        throw reader.error("journalmatch", "a quote is not closed in `\(line)`")
      }
      for group in words.split(separator: "+", omittingEmptySubsequences: true) {
        for term in group where !term.contains("=") {
          throw reader.error("journalmatch", "`\(term)` is not FIELD=value")
        }
        matches.append(group.map(ShellWords.quote).joined(separator: " "))
      }
    }
    return matches
  }
}
