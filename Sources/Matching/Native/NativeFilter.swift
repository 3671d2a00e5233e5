internal import Filters
internal import Model

/// A native filter, compiled.
final class NativeFilter: Sendable {
  let join: JoinDefinition?
  let programs: [ProgramName]
  let hasOwnLog: Bool
  let patterns: [NativePattern]
  let ignore: [NativePattern]
  /// The fields of a line; nil for lines of text.
  let fields: FieldPlan?
  /// Does the log itself say which column is what?
  let readsHeader: Bool
  let untrustedAfterOpenQuote: Int?
  /// Lines behind which nothing is believed, because a client's line end tore them.
  let torn: [CompiledExpression]
  let untrustedAfterMatch: Int?
  let records: RecordFormat?
  /// For each pattern the texts of which one must be in the lines that are scanned for it.
  let requiredLiterals: [RequiredLiterals?]

  /// - Parameter units: of systemd, whose names `journalctl -o with-unit` writes instead of a program's.
  init(_ rules: NativeRules, units: [String] = []) throws(FilterError) {
    join = rules.join
    programs = (rules.programs.isEmpty ? [] : rules.programs + units).map(ProgramName.init)
    hasOwnLog = rules.hasOwnLog
    untrustedAfterOpenQuote = rules.untrustedAfterOpenQuote
    var torn: [CompiledExpression] = []
    let place = rules.formats.first?.fields.place ?? FieldRoles().place
    for text in rules.torn { torn.append(try CompiledExpression(text, pattern: "torn", place: place)) }
    self.torn = torn
    untrustedAfterMatch = rules.untrustedAfterMatch
    records = rules.records
    readsHeader = rules.formats.contains { ColumnReader.headerLiterals($0, []) != [] }
    var names = FieldNames(rules.formats)
    var compiled: [NativePattern] = []
    let hasParts = rules.patterns.contains { $0.attempt != .alone }
    for var definition in rules.patterns {
      if hasParts, definition.event == nil, definition.attempt == .alone { definition.attempt = .whole }
      compiled.append(try NativePattern(definition, &names, needsHost: true, join: rules.join))
    }
    patterns = compiled
    compiled = []
    for definition in rules.ignore { compiled.append(try NativePattern(definition, &names, needsHost: false)) }
    ignore = compiled
    fields = try FieldPlan(rules.formats, names)
    requiredLiterals = patterns.map { Self.requiredLiterals($0, rules, names.slots) }
  }

  private static func requiredLiterals(_ pattern: NativePattern, _ rules: NativeRules, _ slots: [FieldSlot])
    -> RequiredLiterals?
  {
    guard rules.records == .modsecurityAudit else { return pattern.requiredLiterals(rules.formats, slots) }
    // What precedes the line end in the pattern is of another line; and a record's boundaries must be seen too.
    guard let source = pattern.expression?.pattern.source, let join = source.firstRange(of: #"\n"#) else { return nil }
    return RequiredLiterals(String(source[join.upperBound...]))?
      .adding(["-A--", "-H--", "-I--", "-J--", "-K--", "-Z--"])
  }

  /// Does whether a line is believed depend on the lines before it?
  var readsHistory: Bool {
    untrustedAfterOpenQuote != nil || untrustedAfterMatch != nil || !torn.isEmpty || records != nil
  }

  /// Is this the program whose lines the filter reads?
  func admits(_ line: borrowing Span<UInt8>, _ program: Range<Int>) -> Bool {
    for name in programs where name.admits(line, program) { return true }
    return false
  }
}

/// A name in a filter's `program`: `postfix` also admits `postfix/smtpd`, and `postfix-*` what begins so, `postfix-out/smtpd`.
struct ProgramName: Sendable {
  let bytes: [UInt8]
  let isBeginning: Bool

  init(_ text: String) {
    isBeginning = text.hasSuffix("-*")
    bytes = Array((isBeginning ? text.dropLast() : text[...]).utf8)
  }

  func admits(_ line: borrowing Span<UInt8>, _ program: Range<Int>) -> Bool {
    guard program.count >= bytes.count else { return false }
    for i in 0..<bytes.count where line[program.lowerBound + i] != bytes[i] { return false }
    if isBeginning { return program.count > bytes.count }
    return program.count == bytes.count || line[program.lowerBound + bytes.count] == UInt8(ascii: "/")
  }
}
