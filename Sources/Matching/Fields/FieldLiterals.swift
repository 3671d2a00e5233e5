internal import Filters

/// The texts that a line must hold for a pattern's conditions: what is compared must be in the line, unless the format may
/// write it in another way.
extension NativePattern {
  /// Texts of which one is in every line that the pattern matches, in whichever format; nil where none can be told.
  func requiredLiterals(_ formats: [FieldFormat], _ slots: [FieldSlot]) -> RequiredLiterals? {
    var all: RequiredLiterals?
    for (index, format) in formats.enumerated() where canHold(index, slots) {
      let names = slots.filter { $0.format == index }.map(\.name)
      guard let headers = ColumnReader.headerLiterals(format, names),
        let literals = requiredLiterals(format.format, index, slots)
      else { return nil }
      all = (all.map { $0.adding(literals) } ?? literals).adding(headers)
    }
    return all
  }

  /// Does the format have the fields whose values are asked for?
  private func canHold(_ format: Int, _ slots: [FieldSlot]) -> Bool {
    conditions.allSatisfy { condition in
      condition.slots.contains { slots[$0].format == format } || !condition.tests.contains(where: \.needsValue)
    }
  }

  private func requiredLiterals(_ format: LogFormat, _ index: Int, _ slots: [FieldSlot]) -> RequiredLiterals? {
    if conditions.isEmpty, format == .text { return expression.flatMap { RequiredLiterals($0.pattern.source) } }
    var parts: [PatternSyntax] = []
    func add(_ syntax: PatternSyntax?) {
      guard let syntax else { return }
      // Where in the line each is does not matter.
      parts += [syntax.hiding { format.mayEscape($0) }, .unknown]
    }
    add(expression.flatMap { PatternSyntax($0.pattern.source) })
    for condition in conditions {
      let fields = condition.slots.filter { slots[$0].format == index }.map { slots[$0].name }
      for test in condition.tests {
        switch test {
        case .equals(let texts):
          let before = fields.count == 1 ? format.bytesBefore(fields[0]) : nil
          let values = texts.map { Self.syntax($0, behind: before, format) }
          parts += [values.count == 1 ? values[0] : .alternation(values), .unknown]
        case .match(let expression): add(PatternSyntax(expression.pattern.source))
        case .has(let set): add(set.literals)
        case .atLeast, .below, .absent, .not: break
        }
      }
    }
    guard let literals = RequiredLiterals(.sequence(parts)) else { return nil }
    // JSON may write any character as \u00XX.
    return format == .json ? literals.adding(["\\u00"]) : literals
  }

  /// A whole value; a short one with what precedes it in the line, so that it is found less often by chance.
  private static func syntax(_ text: [UInt8], behind before: [[UInt8]]?, _ format: LogFormat) -> PatternSyntax {
    let value = PatternSyntax.sequence(text.map { .byte($0, caseless: false) }).hiding { format.mayEscape($0) }
    guard let before, text.count < 6 else { return value }
    let lead = before.map { PatternSyntax.sequence($0.map { .byte($0, caseless: false) }) }
    return .sequence([lead.count == 1 ? lead[0] : .alternation(lead), value])
  }
}

extension LogFormat {
  /// Can a byte of a field's text be something else in the line?
  fileprivate func mayEscape(_ byte: UInt8) -> Bool {
    switch self {
    case .text, .combined, .haproxy, .server, .split: false
    // `/` by PHP; what is above 0x7F is one of several bytes, and may be written as \uXXXX.
    case .json:
      byte < 0x20 || byte >= 0x7F || [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/")].contains(byte)
    case .logfmt: byte < 0x20 || byte >= 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    case .separated, .w3c: byte == UInt8(ascii: "\"")
    }
  }

  /// What can precede a field's value in the line; nil where that cannot be told.
  fileprivate func bytesBefore(_ field: String) -> [[UInt8]]? {
    switch self {
    case .json: [":", " ", "\"", "[", ",", "\t", "\r"].map { Array($0.utf8) }
    case .logfmt: ["=", "=\""].map { Array($0.utf8) }
    case .combined where field == "status": [Array("\" ".utf8)]
    case .text, .combined, .haproxy, .separated, .server, .split, .w3c: nil
    }
  }
}

extension PatternSyntax {
  /// The same, with nothing said about bytes of which `isHidden` is true.
  func hiding(_ isHidden: (UInt8) -> Bool) -> PatternSyntax {
    switch self {
    case .empty, .unknown: self
    case .byte(let byte, _): isHidden(byte) ? .unknown : self
    case .oneOf(let bytes, _): bytes.contains(where: isHidden) ? .unknown : self
    case .sequence(let parts): .sequence(parts.map { $0.hiding(isHidden) })
    case .alternation(let branches): .alternation(branches.map { $0.hiding(isHidden) })
    case .repeated(let inner, let least, let most): .repeated(inner.hiding(isHidden), least: least, most: most)
    }
  }
}
