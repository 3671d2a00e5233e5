/// fail2ban's own tags, which stay in expressions for `Matching`. Other names in angle brackets are the log's own text
/// (`<NOSRV>`, `<>`), unless they look like a slip.
enum KnownTags {
  private static let names = ["ADDR", "CIDR", "DNS", "HOST", "IP4", "IP6", "SKIPLINES", "SUBNET"]

  /// - Throws: where a tag is left that nothing defines: `<HSOT>`, or `<mdre-agressive>` of a mode that does not exist.
  static func check(_ expression: String, option: String, _ reader: FilterReader) throws(ConfigurationError) {
    let text = Array(expression.utf8)
    var position = 0
    while let tag = TagSubstitution.nextTag(in: text, from: position) {
      position = tag.upperBound
      // `(?P<name>…)`, `(?<name>…)`, `\g<name>`, `\k<name>` are the expression's own; `\<` is text.
      if tag.lowerBound > 0, "?Pgk\\".utf8.contains(text[tag.lowerBound - 1]) { continue }
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
      return undefinedInSection(name)
    }
    let family = name[...dash]
    let choices = options.keys.filter { $0.hasPrefix(family) && !$0.hasSuffix("-other") }
    guard !choices.isEmpty else { return undefinedInSection(name) }
    return "`<\(tag)>` is not defined; there is \(choices.map { "<\($0)>" }.joined(separator: ", "))"
  }

  /// `<known/x>` and `<lt_journal/x>`, which only fail2ban's files write.
  private static func undefinedInSection(_ name: String) -> String? {
    guard name.hasPrefix("known/") || name.hasPrefix("lt_") else { return nil }
    return "`<\(name)>` is not defined; check the section and the option that it names"
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
