public import Filters
internal import Matching

/// A fail2ban filter, compiled: immutable, shared by all threads that match with it, each through a `Fail2banMatcher`.
public final class Fail2banFilter: Sendable {
  let name: String
  let prefregex: Fail2banPattern?
  let failregex: [Fail2banPattern]
  let ignoreregex: [Fail2banPattern]
  let templates: [DateTemplate]
  let zone: DefaultZone
  let decoding: LogEncoding
  let maxlines: Int
  let usedns: Fail2banRules.DNS
  let fields: FieldNames
  let keys: Keys

  /// The fields that mean something to the matcher.
  struct Keys: Sendable {
    let fid, ip4, ip6, dns, cidr, user, content: Int
    let session, nofail, gained, forget: Int

    init(_ fields: inout FieldNames) {
      fid = fields.number("fid")
      ip4 = fields.number("ip4")
      ip6 = fields.number("ip6")
      dns = fields.number("dns")
      cidr = fields.number("cidr")
      user = fields.number("user")
      content = fields.number("content")
      session = fields.number("mlfid")
      nofail = fields.number("nofail")
      gained = fields.number("mlfgained")
      forget = fields.number("mlfforget")
    }
  }

  /// Throws with the option and the reason when an expression cannot be used.
  public init(_ rules: Fail2banRules, name: String, file: String) throws(FilterError) {
    func wrong(_ option: String, _ reason: String, _ remedy: String) -> FilterError {
      FilterError(
        place: Place(file: file, line: 0, column: 0), message: "[Definition] \(option): \(reason)", remedy: remedy)
    }
    let repair = "correct the expression, in NAME.local next to the file if it is a packaged one"
    self.name = name
    var fields = FieldNames()
    keys = Keys(&fields)
    let multiline = rules.maxlines > 1
    func compile(_ text: String, _ option: String, _ multiline: Bool) throws(FilterError) -> Fail2banPattern {
      do { return try Fail2banPattern(text, usedns: rules.usedns, multiline: multiline, &fields) } catch {
        throw wrong(option, error.reason, repair)
      }
    }
    var prefregex: Fail2banPattern?
    if let text = rules.prefregex, !text.isEmpty { prefregex = try compile(text, "prefregex", false) }
    guard !rules.failregex.isEmpty else {
      throw wrong("failregex", "there is none", "write one, or leave the filter out")
    }
    var failregex: [Fail2banPattern] = []
    let identifying = TagExpansion.identityGroups + ["mlfid"]
    let hasPrefix = prefregex.map { prefregex in identifying.contains { prefregex.names($0) } } ?? false
    for (index, text) in rules.failregex.enumerated() {
      let option = "failregex \(index + 1)"
      let pattern = try compile(text, option, multiline)
      guard hasPrefix || identifying.contains(where: { pattern.names($0) }) else {
        throw wrong(
          option, "nothing in it says who failed", "add <HOST>, <ADDR>, <F-ID>…</F-ID> or <F-MLFID>…</F-MLFID>")
      }
      failregex.append(pattern)
    }
    var ignoreregex: [Fail2banPattern] = []
    for (index, text) in rules.ignoreregex.enumerated() {
      ignoreregex.append(try compile(text, "ignoreregex \(index + 1)", false))
    }
    self.prefregex = prefregex
    self.failregex = failregex
    self.ignoreregex = ignoreregex
    self.fields = fields
    maxlines = max(1, rules.maxlines)
    usedns = rules.usedns
    do {
      templates =
        try rules.datepattern.map { text throws(DateTemplate.Failure) in try DateTemplates.parse(text) }
        ?? DateTemplates.defaults
    } catch {
      throw wrong("datepattern", error.reason, "see \"datepattern\" in jail.conf(5)")
    }
    guard let decoding = LogEncoding(name: rules.logencoding) else {
      throw wrong("logencoding", "\"\(rules.logencoding)\" is not supported", LogEncoding.supported)
    }
    self.decoding = decoding
    guard let zone = Self.zone(rules.logtimezone) else {
      throw wrong(
        "logtimezone", "there is no zone \"\(rules.logtimezone ?? "")\"", "write UTC+0200, CET or Europe/Berlin")
    }
    self.zone = zone
  }

  private static func zone(_ name: String?) -> DefaultZone? {
    guard let name, !name.isEmpty else { return .clock }
    let bytes = Array(name.utf8)
    if let offset = ZoneName.offset(bytes.span) { return .fixed(offset) }
    return ZoneOffsets(name: name).map { .named($0) }
  }

  /// The expressions of which one must match a line for anything to come of it, as PCRE2 gets them: failures, and also the
  /// lines that only help (they carry a user or an address, or end a session). They are matched after the date is cut out,
  /// so a literal in them can be in the line in two parts, with the date between.
  public var patternsForPrefilter: [String] { failregex.map(\.pattern.source) }

  /// Can the date only are at the line's start, so that it parts no word of a pattern?
  var datesLeadLines: Bool { templates.allSatisfy(\.cutsLineStart) }

  /// Must every line be tried, because earlier lines are part of what is matched?
  public var needsEveryLine: Bool { maxlines > 1 }

  public var patternCount: Int { failregex.count }
}
