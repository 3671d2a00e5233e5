/// How a datepattern's regular expression is bound to what surrounds it: to word boundaries unless it says otherwise (`^`,
/// `$`, `**`, `{UNB}`), to the line's begin with `{^LN-BEG}`; and with a group 1, all of it unless it has a plain group.
struct DateTemplateShape {
  enum Begin {
    case word
    /// At the line's start, after at most two characters such as `[` or `<`.
    case lineStart
    case open
  }

  private(set) var regex: String
  private(set) var isCaseless: Bool
  private(set) var beginsLine = false
  private(set) var endsLine = false
  /// Did `.lineStart` take effect? Not where the pattern is bound by itself.
  private(set) var isStartBound = false
  /// Does what is cut out (group 1) begin at the line's start, behind at most two characters that no word has?
  private(set) var cutsLineStart = false

  /// - Parameter groupLeads: the expression begins with a plain group of its own.
  init(_ expression: String, begin: Begin, end: Bool, isCaseless: Bool, groupLeads: Bool = false) {
    self.isCaseless = isCaseless
    var text = expression
    let flags = Self.takeFlags(&text)
    let bindsBegin = begin != .open && !Self.isBoundAtBegin(text)
    let bindsEnd = end && !Self.isBoundAtEnd(text)
    let isGrouped = Self.hasPlainGroup(text)
    if !isGrouped { text = Self.grouped(text) }
    if bindsBegin {
      text = (begin == .lineStart ? "^(?:\\W{0,2})?" : "(?=^|\\b|\\W)") + text
      beginsLine = begin == .lineStart
      isStartBound = beginsLine
    }
    if bindsEnd { text += "(?=\\b|\\W|$)" }
    if !beginsLine { beginsLine = Self.beginsLine(text) }
    cutsLineStart = beginsLine && (groupLeads || !isGrouped)
    endsLine = Self.endsLine(text)
    regex = flags + Self.withoutMarks(text)
  }

  /// The first group of global flags, `(?i)`, wherever it stands.
  private static func takeFlags(_ text: inout String) -> String {
    var from = text.startIndex
    while let open = text[from...].firstIndex(of: "(") {
      let rest = text[open...].dropFirst()
      from = rest.startIndex
      guard rest.first == "?" else { continue }
      let letters = rest.dropFirst().prefix { $0.isASCII && $0.isLowercase }
      let after = rest.dropFirst(1 + letters.count)
      guard !letters.isEmpty, after.first == ")" else { continue }
      let flags = "(?\(letters))"
      text.removeSubrange(open...after.startIndex)
      return flags
    }
    return ""
  }

  /// `^` or `**` comes first, perhaps inside groups.
  private static func isBoundAtBegin(_ text: String) -> Bool {
    let inner = text.drop { $0 == "(" }
    return inner.hasPrefix("^") || inner.hasPrefix("**") || text.hasPrefix("(") && inner.hasPrefix("?:^")
  }

  /// `$`, `\b`, `\s` or `**` comes last.
  private static func isBoundAtEnd(_ text: String) -> Bool {
    for end in ["$", "$)", "\\b", "\\s"] where text.hasSuffix(end) && !text.dropLast(end.count).hasSuffix("\\") {
      return true
    }
    var open = text[...]
    while open.hasSuffix(")") { open = open.dropLast() }
    return open.hasSuffix("**") && !open.dropLast(2).hasSuffix("\\")
  }

  private static func hasPlainGroup(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    for (at, byte) in bytes.enumerated() where byte == UInt8(ascii: "(") {
      if at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "?") { continue }
      if at > 0, bytes[at - 1] == UInt8(ascii: "\\") { continue }
      // The condition of (?(group)…) is no group.
      if at > 1, bytes[at - 1] == UInt8(ascii: "?"), bytes[at - 2] == UInt8(ascii: "(") { continue }
      return true
    }
    return false
  }

  private static func grouped(_ text: String) -> String {
    let start = text.hasPrefix("^") ? "^" : ""
    let end = text.dropFirst(start.count).hasSuffix("$") ? "$" : ""
    return "\(start)(\(text.dropFirst(start.count).dropLast(end.count)))\(end)"
  }

  private static func beginsLine(_ text: String) -> Bool {
    if text.hasPrefix("^") { return true }
    for open in ["(^", "(?:^"] where text.hasPrefix(open) && !text.dropFirst(open.count).hasPrefix("|") { return true }
    return false
  }

  private static func endsLine(_ text: String) -> Bool {
    for end in ["$", "$)"] where text.hasSuffix(end) {
      let before = text.dropLast(end.count)
      return !before.hasSuffix("\\") && !before.hasSuffix("|")
    }
    return false
  }

  /// Without the `**` at either end that says "no boundary here".
  private static func withoutMarks(_ text: String) -> String {
    var text = text
    let open = text.prefix { $0 == "(" }
    if text.dropFirst(open.count).hasPrefix("**") { text = String(open + text.dropFirst(open.count + 2)) }
    let close = text.reversed().prefix { $0 == ")" }.count
    let before = text.dropLast(close)
    if before.hasSuffix("**"), !before.dropLast(2).hasSuffix("\\") {
      text = String(before.dropLast(2)) + String(repeating: ")", count: close)
    }
    return text
  }
}

extension String {
  var trimmed: String {
    let from = drop { $0.isWhitespace }
    guard let last = from.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(from[...last])
  }
}
