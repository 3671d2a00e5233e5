internal import Filters
internal import Model

/// A native filter, compiled.
final class NativeFilter: Sendable {
  let programs: [[UInt8]]
  let hasOwnLog: Bool
  let patterns: [NativePattern]
  let ignore: [NativePattern]
  let untrustedAfterOpenQuote: Int?
  let records: RecordFormat?

  init(_ rules: NativeRules) throws(FilterError) {
    programs = rules.programs.map { Array($0.utf8) }
    hasOwnLog = rules.hasOwnLog
    untrustedAfterOpenQuote = rules.untrustedAfterOpenQuote
    records = rules.records
    var compiled: [NativePattern] = []
    let hasParts = rules.patterns.contains { $0.attempt != .alone }
    for var definition in rules.patterns {
      if hasParts, definition.attempt == .alone { definition.attempt = .whole }
      compiled.append(try NativePattern(definition, needsHost: true))
    }
    patterns = compiled
    compiled = []
    for definition in rules.ignore { compiled.append(try NativePattern(definition, needsHost: false)) }
    ignore = compiled
  }

  /// The texts of which one must be in the lines that are scanned for a pattern.
  func requiredLiterals(_ source: String) -> RequiredLiterals? {
    guard records == .modsecurityAudit else { return RequiredLiterals(source) }
    // What precedes the line end in the pattern is of another line; and a record's boundaries must be seen too.
    guard let join = source.firstRange(of: #"\n"#) else { return nil }
    return RequiredLiterals(String(source[join.upperBound...]))?
      .adding(["-A--", "-H--", "-I--", "-J--", "-K--", "-Z--"])
  }

  /// Is this the program whose lines the filter reads? `postfix` also admits `postfix/smtpd`.
  func admits(_ line: borrowing Span<UInt8>, _ program: Range<Int>) -> Bool {
    for name in programs {
      guard program.count >= name.count else { continue }
      var same = true
      for i in 0..<name.count where line[program.lowerBound + i] != name[i] {
        same = false
        break
      }
      guard same else { continue }
      if program.count == name.count || line[program.lowerBound + name.count] == UInt8(ascii: "/") { return true }
    }
    return false
  }
}

/// A native pattern, its tags expanded and its groups known by number.
final class NativePattern: Sendable {
  let name: String
  let pattern: Pattern
  let hosts: [Int]
  let users: [Int]
  let rules: [Int]
  let ports: [Int]
  let attempt: AttemptPart
  let count: Int?
  let weight: CompiledWeight

  /// What represents a pattern's tags. A host is what has the shape of an address; whether it is one, `Address` says.
  static let tags: [(tag: String, expression: String)] = [
    ("<host>", "(?<host>(?:[0-9]{1,3}\\.){3}[0-9]{1,3}|[0-9A-Fa-f:]{0,40}:[0-9A-Fa-f:.]{0,45})"),
    ("<user>", "(?<user>.*)"),
    ("<port>", "(?<port>[0-9]{1,5})"),
  ]

  static func expand(_ match: String) -> String {
    var out = ""
    var rest = Substring(match)
    while let at = rest.firstIndex(of: "<") {
      out += rest[..<at]
      rest = rest[at...]
      // `(?<host>…)` written by hand is a group already, not the tag.
      if !out.hasSuffix("(?"), !out.hasSuffix("(?P"), let tag = tags.first(where: { rest.hasPrefix($0.tag) }) {
        out += tag.expression
        rest = rest.dropFirst(tag.tag.count)
      } else {
        out.append("<")
        rest = rest.dropFirst()
      }
    }
    out += rest
    return out
  }

  init(_ definition: PatternDefinition, needsHost: Bool) throws(FilterError) {
    name = definition.name
    let expanded = Self.expand(definition.match)
    let compiled: Pattern
    do {
      // Bytes, not characters; a journal message may hold line ends, which `.` must not stop at.
      compiled = try Pattern(expanded, options: [.dotAll, .dollarEndOnly, .duplicateNames])
    } catch {
      throw FilterError(
        place: definition.place, message: "pattern `\(definition.name)`: \(error)",
        remedy: "PCRE2 stopped near `\(Self.near(expanded, error.offset))`")
    }
    func groups(_ name: String) -> [Int] { compiled.names.filter { $0.name == name }.map(\.group) }
    pattern = compiled
    hosts = groups("host")
    users = groups("user")
    rules = groups("rule")
    ports = groups("port")
    attempt = definition.attempt
    count = groups("count").first
    if needsHost, hosts.isEmpty {
      throw FilterError(
        place: definition.place, message: "pattern `\(definition.name)` has no <host>",
        remedy: "say with <host> where the address stands; a failure without one cannot be banned")
    }
    switch definition.weight {
    case .fixed(let value): weight = .fixed(UInt32(clamping: value))
    case .captured(let group, let values, let otherwise):
      guard let number = groups(group).first else {
        throw FilterError(
          place: definition.place, message: "pattern `\(definition.name)`: no group is named `\(group)`",
          remedy: "name a group of the pattern, as in (?<\(group)>…)")
      }
      weight = .captured(
        group: number,
        values: values.map { (Array($0.key.utf8), UInt32(clamping: $0.value)) }.sorted { $0.0.count < $1.0.count },
        otherwise: UInt32(clamping: otherwise))
    }
  }

  private static func near(_ pattern: String, _ offset: Int) -> String {
    let bytes = Array(pattern.utf8)
    let from = max(0, min(offset, bytes.count) - 12)
    return String(decoding: bytes[from..<min(bytes.count, from + 24)], as: UTF8.self)
  }
}

enum CompiledWeight: Sendable {
  case fixed(UInt32)
  case captured(group: Int, values: [([UInt8], UInt32)], otherwise: UInt32)
}
