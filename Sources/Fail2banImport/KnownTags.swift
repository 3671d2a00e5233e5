/// fail2ban's own tags, which stay in expressions for `Matching`. Other text in angle brackets is the log's (`<>`,
/// `<[^>]+>`), unless it reads like the name of a tag.
enum KnownTags {
  private static let names = ["ADDR", "CIDR", "DNS", "HOST", "IP4", "IP6", "SKIPLINES", "SUBNET"]
  /// What logs themselves put in angle brackets: the first two are in stock filters, the others are log levels and
  /// empty values.
  private static let logWords: Set = [
    "nosrv", "security_log", "emerg", "emergency", "alert", "crit", "critical", "err", "error", "warn", "warning",
    "notice", "info", "debug", "trace", "fatal", "unknown", "none", "null", "nil", "empty", "anonymous", "html",
  ]

  /// - Throws: where a tag is left that nothing defines: `<HSOT>`, or `<mdre-agressive>` of a mode that does not exist.
  static func check(_ expression: String, option: String, _ reader: FilterReader) throws(ConfigurationError) {
    let text = Array(expression.utf8)
    var position = 0
    while let tag = TagSubstitution.nextTag(in: text, from: position) {
      position = tag.upperBound
      // `(?P<name>…)`, `(?<name>…)`, `\g<name>`, `\k<name>` are the expression's own; `\<` is text.
      let before = text[..<tag.lowerBound]
      if ["(?", "(?P", "\\g", "\\k", "\\"].contains(where: { before.ends(with: $0) }) { continue }
      let name = String(decoding: text[tag].dropFirst().dropLast(), as: UTF8.self)
      if let reason = fault(name, reader) { throw reader.error(option, reason) }
    }
  }

  private static func fault(_ tag: String, _ reader: FilterReader) -> String? {
    let name = tag.hasPrefix("/") ? String(tag.dropFirst()) : tag
    if names.contains(name) || name.hasPrefix("F-") { return nil }
    if let meant = names.first(where: { isSlip(name, of: $0) }) {
      return "the tag `<\(tag)>` does not exist; write `<\(meant)>`, or `\\<\(tag)>` where the log says so"
    }
    // An option's name with a mode in it, as in `<mdre-<mode>>`: the mode does not exist.
    guard let dash = name.firstIndex(of: "-"), let options = reader.configuration.options(in: "Definition") else {
      return undefined(tag, name, reader)
    }
    let family = name[...dash]
    let choices = options.keys.filter { $0.hasPrefix(family) && !$0.hasSuffix("-other") }
    guard !choices.isEmpty else { return undefined(tag, name, reader) }
    return "`<\(tag)>` is not defined; there is \(choices.map { "<\($0)>" }.joined(separator: ", "))"
  }

  private static func undefined(_ tag: String, _ name: String, _ reader: FilterReader) -> String? {
    guard isName(name), !logWords.contains(name.lowercased()), !isOption(name, reader) else { return nil }
    if name.contains("/") { return "`<\(tag)>` is not defined; check the section and the option that it names" }
    return "there is neither a tag nor an option `<\(tag)>`; set `\(name)`, or write `\\<\(tag)>` where the log says so"
  }

  /// An option whose value depends on a condition (`[Init?family=inet6]`) stays a tag, which only actions resolve.
  private static func isOption(_ name: String, _ reader: FilterReader) -> Bool {
    ["Definition", "Init"].contains { section in
      reader.configuration.options(in: section)?.keys.contains { $0 == name || $0.hasPrefix(name + "?") } ?? false
    }
  }

  /// A letter, then letters, digits, `_`, `-` and `/`.
  private static func isName(_ text: String) -> Bool {
    func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 0x20) }
    return isLetter(text.utf8.first ?? 0)
      && text.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || "_-/".utf8.contains($0) }
  }

  /// Is `name` one letter away from `tag`, or two letters swapped, or in lower case?
  static func isSlip(_ name: String, of tag: String) -> Bool {
    let a = Array(name.uppercased().utf8)
    let b = Array(tag.utf8)
    if a == b { return true }
    // Lower case is a log's own text far more often.
    guard name.utf8.allSatisfy({ (65...90).contains($0) || (48...57).contains($0) }), abs(a.count - b.count) <= 1 else {
      return false
    }
    let start = zip(a, b).prefix { $0 == $1 }.count
    let end = zip(a.dropFirst(start).reversed(), b.dropFirst(start).reversed()).prefix { $0 == $1 }.count
    let (x, y) = (a[start..<(a.count - end)], b[start..<(b.count - end)])
    return x.count <= 1 && y.count <= 1 || x.count == 2 && y.count == 2 && x.reversed() == Array(y)
  }
}

extension Collection where Element == UInt8 {
  fileprivate func ends(with text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
