/// Writes the few shapes of YAML that settings have, so that any YAML 1.1 or 1.2 reader gives back the same strings.
enum YAMLText {
  /// A value: plain where that is safe, else in single quotes, else in double quotes with escapes.
  static func scalar(_ text: String) -> String {
    if isPlain(text) { return text }
    if text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F && !(0x80..<0xA0).contains($0.value) }) {
      return "'" + text.replacing("'", with: "''") + "'"
    }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        quoted += "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  /// `[a, b]`.
  static func list(_ items: [String]) -> String { "[" + items.map(scalar).joined(separator: ", ") + "]" }

  /// A value under a key at `indent`; lines of their own become a block.
  static func value(_ text: String, indent: Int) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let isBlock =
      lines.count > 1 && lines.allSatisfy { !$0.isEmpty && $0.first != " " && $0.first != "\t" }
      && text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) }
    guard isBlock else { return scalar(text) }
    let space = String(repeating: " ", count: indent + 2)
    return "|-\n" + lines.map { space + $0 }.joined(separator: "\n")
  }

  private static func isPlain(_ text: String) -> Bool {
    let words: Set = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
    guard let first = text.unicodeScalars.first, !words.contains(text.lowercased()), !text.hasSuffix(":") else {
      return false
    }
    let isStart =
      first == "/" || first == "_" || first.isASCII && first.properties.isAlphabetic
      || first.properties.numericType != nil
    // What YAML 1.1 might take for a number of another base, a time or a number with a sign is quoted.
    let isNumber = text.utf8.allSatisfy { (48...57).contains($0) }
    if isNumber { return !text.hasPrefix("0") || text == "0" }
    return isStart
      && text.unicodeScalars.allSatisfy {
        $0.isASCII
          && ($0.properties.isAlphabetic || $0.properties.numericType != nil || "/_.-*=@+".unicodeScalars.contains($0))
      }
  }
}
