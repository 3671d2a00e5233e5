internal import Filters
internal import Model

/// A native filter, compiled.
final class NativeFilter: Sendable {
  let join: JoinDefinition?
  let programs: [[UInt8]]
  let hasOwnLog: Bool
  let patterns: [NativePattern]
  let ignore: [NativePattern]
  /// The fields of a line; nil for lines of text.
  let fields: FieldPlan?
  /// Does the log itself say which column is what?
  let readsHeader: Bool
  let untrustedAfterOpenQuote: Int?
  let torn: CompiledExpression?
  let records: RecordFormat?
  /// For each pattern the texts of which one must be in the lines that are scanned for it.
  let requiredLiterals: [RequiredLiterals?]

  init(_ rules: NativeRules) throws(FilterError) {
    join = rules.join
    programs = rules.programs.map { Array(($0.hasSuffix("-*") ? $0.dropLast() : $0[...]).utf8) }
    hasOwnLog = rules.hasOwnLog
    untrustedAfterOpenQuote = rules.untrustedAfterOpenQuote
    records = rules.records
    torn = try rules.torn.map { text throws(FilterError) in
      try CompiledExpression(text, pattern: "torn", place: rules.formats.first?.fields.place ?? FieldRoles().place)
    }
    readsHeader = rules.formats.contains { ColumnReader.headerLiterals($0.format, []) != [] }
    var names = FieldNames(rules.formats)
    var compiled: [NativePattern] = []
    let hasParts = rules.patterns.contains { $0.attempt != .alone }
    for var definition in rules.patterns {
      if hasParts, definition.attempt == .alone { definition.attempt = .whole }
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

  /// Is this the program whose lines the filter reads? `postfix` also admits `postfix/smtpd`, and `postfix-*` what begins so up
  /// to a slash, `postfix-out/smtpd`.
  func admits(_ line: borrowing Span<UInt8>, _ program: Range<Int>) -> Bool {
    for name in programs {
      guard program.count >= name.count else { continue }
      var same = true
      for i in 0..<name.count where line[program.lowerBound + i] != name[i] {
        same = false
        break
      }
      guard same else { continue }
      if name.last == UInt8(ascii: "-") { return program.count > name.count }
      if program.count == name.count || line[program.lowerBound + name.count] == UInt8(ascii: "/") { return true }
    }
    return false
  }
}
