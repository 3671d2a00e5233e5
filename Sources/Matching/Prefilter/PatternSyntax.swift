/// A pattern's syntax tree, as far as finding the texts that every match must hold needs it: what is not understood stands
/// as `unknown`, which promises nothing.
indirect enum PatternSyntax: Equatable, Sendable {
  /// Matches the empty text: anchors, assertions, comments.
  case empty
  /// One byte, an ASCII character.
  case byte(UInt8, caseless: Bool)
  /// One of a few bytes (a small class).
  case oneOf([UInt8], caseless: Bool)
  /// Anything at all.
  case unknown
  case sequence([PatternSyntax])
  case alternation([PatternSyntax])
  case repeated(PatternSyntax, least: Int, most: Int?)

  /// Nil where the pattern uses something that changes how the rest is read (`(?x)`, `\Q`, verbs).
  init?(_ pattern: String, caseless: Bool = false) {
    var parser = PatternSyntaxParser(Array(pattern.utf8), caseless: caseless)
    guard let tree = parser.alternation(), parser.isAtEnd else { return nil }
    self = tree
  }
}

/// Reads PCRE2's syntax (pcre2syntax(3)).
struct PatternSyntaxParser {
  /// The hexadecimal digits.
  private static let largestClass = 16
  private let text: [UInt8]
  private var at = 0
  private var caseless: Bool
  private var depth = 0

  init(_ text: [UInt8], caseless: Bool) {
    self.text = text
    self.caseless = caseless
  }

  var isAtEnd: Bool { at == text.count }

  private func peek(_ ahead: Int = 0) -> UInt8? { at + ahead < text.count ? text[at + ahead] : nil }

  private func has(_ literal: StaticString, at offset: Int = 0) -> Bool {
    starts(text.span, at + offset, with: literal)
  }

  mutating func alternation() -> PatternSyntax? {
    depth += 1
    defer { depth -= 1 }
    guard depth < 200 else { return nil }
    let outer = caseless
    defer { caseless = outer }
    guard let first = sequence() else { return nil }
    var branches = [first]
    while peek() == UInt8(ascii: "|") {
      at += 1
      // An option set in one branch holds in those after it too.
      guard let next = sequence() else { return nil }
      branches.append(next)
    }
    return branches.count == 1 ? branches[0] : .alternation(branches)
  }

  private mutating func sequence() -> PatternSyntax? {
    var parts: [PatternSyntax] = []
    while let byte = peek(), byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
      guard let atom = atom(), let quantified = quantified(atom) else { return nil }
      parts.append(quantified)
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func quantified(_ atom: PatternSyntax) -> PatternSyntax? {
    var node = atom
    while let byte = peek() {
      var least = 0
      var most: Int?
      switch byte {
      case UInt8(ascii: "*"): at += 1
      case UInt8(ascii: "+"):
        least = 1
        at += 1
      case UInt8(ascii: "?"):
        most = 1
        at += 1
      case UInt8(ascii: "{"):
        guard let (low, high, length) = counts() else { return node }
        least = low
        most = high
        at += length
      default: return node
      }
      // Lazy and possessive forms match the same texts or fewer.
      if peek() == UInt8(ascii: "?") || peek() == UInt8(ascii: "+") { at += 1 }
      node = .repeated(node, least: least, most: most)
    }
    return node
  }

  /// `{n}`, `{n,}`, `{n,m}`; anything else in braces is literal text.
  private func counts() -> (Int, Int?, Int)? {
    var i = at + 1
    func number() -> Int? {
      let start = i
      var value = 0
      while i < text.count, isDigit(text[i]), i - start < 6 {
        value = value * 10 + Int(text[i] - UInt8(ascii: "0"))
        i += 1
      }
      return i > start ? value : nil
    }
    guard let low = number(), i < text.count else { return nil }
    if text[i] == UInt8(ascii: "}") { return (low, low, i + 1 - at) }
    guard text[i] == UInt8(ascii: ",") else { return nil }
    i += 1
    let high = number()
    guard i < text.count, text[i] == UInt8(ascii: "}") else { return nil }
    return (low, high, i + 1 - at)
  }

  private mutating func atom() -> PatternSyntax? {
    let byte = text[at]
    switch byte {
    case UInt8(ascii: "("): return group()
    case UInt8(ascii: "["): return characterClass()
    case UInt8(ascii: "\\"): return escape()
    case UInt8(ascii: "."):
      at += 1
      return .unknown
    case UInt8(ascii: "^"), UInt8(ascii: "$"):
      at += 1
      return .empty
    case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"): return nil
    default:
      at += 1
      return literal(byte)
    }
  }

  /// Bytes beyond ASCII are part of characters, whose case and length depend on the mode: nothing is promised of them.
  private func literal(_ byte: UInt8) -> PatternSyntax {
    byte >= 0x20 && byte < 0x7F ? .byte(byte, caseless: caseless) : .unknown
  }

  private mutating func group() -> PatternSyntax? {
    at += 1
    var isAssertion = false
    var isConditional = false
    if peek() == UInt8(ascii: "*") { return nil }
    let outer = caseless
    if peek() == UInt8(ascii: "?") {
      at += 1
      guard let kind = peek() else { return nil }
      switch kind {
      case UInt8(ascii: ":"), UInt8(ascii: "|"), UInt8(ascii: ">"): at += 1
      case UInt8(ascii: "="), UInt8(ascii: "!"):
        isAssertion = true
        at += 1
      case UInt8(ascii: "#"):
        while let byte = peek(), byte != UInt8(ascii: ")") {
          _ = byte
          at += 1
        }
        guard peek() != nil else { return nil }
        at += 1
        return .empty
      case UInt8(ascii: "<"):
        if peek(1) == UInt8(ascii: "=") || peek(1) == UInt8(ascii: "!") {
          isAssertion = true
          at += 2
        } else {
          guard name(after: 1, until: UInt8(ascii: ">")) else { return nil }
        }
      case UInt8(ascii: "P"):
        // (?P<name>…) is a group; (?P=name) and (?P>name) refer to one.
        guard peek(1) == UInt8(ascii: "<") else { return reference() }
        guard name(after: 2, until: UInt8(ascii: ">")) else { return nil }
      case UInt8(ascii: "'"):
        guard name(after: 1, until: UInt8(ascii: "'")) else { return nil }
      case UInt8(ascii: "("):
        guard condition() else { return nil }
        isConditional = true
      case UInt8(ascii: "R"), UInt8(ascii: "&"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "C"):
        return nil
      default:
        guard let scope = options() else { return nil }
        if scope == .restOfGroup { return .empty }
      }
    }
    guard let inside = alternation(), peek() == UInt8(ascii: ")") else { return nil }
    at += 1
    caseless = outer
    // Which branch of a conditional is taken, and whether there is one, is not followed.
    return isAssertion ? .empty : isConditional ? .alternation([inside, .empty]) : inside
  }

  /// `(name)`, `(<name>)`, `(2)` of a conditional group; false for an assertion.
  private mutating func condition() -> Bool {
    at += 1
    let start = at
    while let byte = peek(), byte != UInt8(ascii: ")") {
      switch byte {
      case 48...57, 65...90, 95, 97...122, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "'"): at += 1
      default: return false
      }
    }
    guard at > start, peek() != nil else { return false }
    at += 1
    return true
  }

  private enum OptionScope { case thisGroup, restOfGroup }

  /// `(?i)`, `(?i-s:`, `(?^i:`; only `i` changes what is promised. `x` changes how the rest is read.
  private mutating func options() -> OptionScope? {
    var turnsOn = true
    var value = caseless
    while let byte = peek() {
      at += 1
      switch byte {
      case UInt8(ascii: "^"): value = false
      case UInt8(ascii: "-"): turnsOn = false
      case UInt8(ascii: "i"): value = turnsOn
      case UInt8(ascii: "s"), UInt8(ascii: "m"), UInt8(ascii: "J"), UInt8(ascii: "U"), UInt8(ascii: "n"): break
      case UInt8(ascii: "a"), UInt8(ascii: "u"): break
      case UInt8(ascii: ":"):
        caseless = value
        return .thisGroup
      case UInt8(ascii: ")"):
        caseless = value
        return .restOfGroup
      default: return nil
      }
    }
    return nil
  }

  private mutating func name(after skip: Int, until end: UInt8) -> Bool {
    at += skip
    while let byte = peek(), byte != end {
      _ = byte
      at += 1
    }
    guard peek() == end else { return false }
    at += 1
    return true
  }

  /// A reference to a group: it may match anything.
  private mutating func reference() -> PatternSyntax? {
    while let byte = peek(), byte != UInt8(ascii: ")") {
      _ = byte
      at += 1
    }
    guard peek() != nil else { return nil }
    at += 1
    return .unknown
  }

  private mutating func escape() -> PatternSyntax? {
    guard let byte = peek(1) else { return nil }
    at += 2
    switch byte {
    case UInt8(ascii: "A"), UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "G"), UInt8(ascii: "z"),
      UInt8(ascii: "Z"),
      UInt8(ascii: "K"):
      return .empty
    case UInt8(ascii: "Q"), UInt8(ascii: "E"): return nil
    case UInt8(ascii: "x"):
      if let byte = hexByte() { return literal(byte) }
      return argument() ? .unknown : nil
    case UInt8(ascii: "o"), UInt8(ascii: "c"), UInt8(ascii: "p"), UInt8(ascii: "P"), UInt8(ascii: "N"),
      UInt8(ascii: "g"), UInt8(ascii: "k"):
      // A character or reference with an argument: step over it, promise nothing.
      return argument() ? .unknown : nil
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      while let digit = peek(), isDigit(digit) { at += 1 }
      return .unknown
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): return .unknown
    default: return literal(byte)
    }
  }

  /// The ASCII character that two hexadecimal digits are; nil where something else follows.
  private mutating func hexByte() -> UInt8? {
    guard let high = peek(), let low = peek(1), isHex(high), isHex(low) else { return nil }
    func value(_ digit: UInt8) -> UInt8 { isDigit(digit) ? digit & 0x0F : (digit & 0x0F) + 9 }
    let byte = value(high) << 4 | value(low)
    guard byte < 0x80 else { return nil }
    at += 2
    return byte
  }

  /// What follows `\x`, `\p`, `\g` and the like: `{…}`, `<…>`, `'…'`, or the characters that belong to it.
  private mutating func argument() -> Bool {
    let kind = text[at - 1]
    if let open = peek(),
      let close = [
        UInt8(ascii: "{"): UInt8(ascii: "}"), UInt8(ascii: "<"): UInt8(ascii: ">"),
        UInt8(ascii: "'"): UInt8(ascii: "'"),
      ][open]
    {
      at += 1
      while let byte = peek(), byte != close {
        _ = byte
        at += 1
      }
      guard peek() == close else { return false }
      at += 1
      return true
    }
    switch kind {
    case UInt8(ascii: "x"):
      var digits = 0
      while digits < 2, let byte = peek(), isHex(byte) {
        at += 1
        digits += 1
      }
    case UInt8(ascii: "p"), UInt8(ascii: "P"), UInt8(ascii: "c"):
      guard peek() != nil else { return false }
      at += 1
    case UInt8(ascii: "g"):
      if peek() == UInt8(ascii: "-") || peek() == UInt8(ascii: "+") { at += 1 }
      while let byte = peek(), isDigit(byte) {
        _ = byte
        at += 1
      }
    default: break
    }
    return true
  }

  private func isHex(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "f")
  }

  /// A class; its members when they are a few plain ASCII characters, else `unknown`.
  private mutating func characterClass() -> PatternSyntax? {
    at += 1
    var members: [UInt8] = []
    var isPlain = true
    if peek() == UInt8(ascii: "^") {
      isPlain = false
      at += 1
    }
    var isFirst = true
    while let byte = peek() {
      if byte == UInt8(ascii: "]"), !isFirst {
        at += 1
        return isPlain && !members.isEmpty && members.count <= Self.largestClass
          ? .oneOf(members, caseless: caseless) : .unknown
      }
      isFirst = false
      if byte == UInt8(ascii: "["), let mark = peek(1),
        mark == UInt8(ascii: ":") || mark == UInt8(ascii: ".") || mark == UInt8(ascii: "=")
      {
        // [:alpha:]; without its end the bracket is a member.
        var end = at + 2
        while end + 1 < text.count, !(text[end] == mark && text[end + 1] == UInt8(ascii: "]")),
          text[end] != UInt8(ascii: "]")
        { end += 1 }
        if end + 1 < text.count, text[end] == mark, text[end + 1] == UInt8(ascii: "]") {
          isPlain = false
          at = end + 2
          continue
        }
      }
      if byte == UInt8(ascii: "\\") {
        guard let next = peek(1) else { return nil }
        if next == UInt8(ascii: "Q") || next == UInt8(ascii: "E") { return nil }
        at += 2
        if isDigit(next) || (next | 0x20) >= UInt8(ascii: "a") && (next | 0x20) <= UInt8(ascii: "z") {
          isPlain = false
          if [
            UInt8(ascii: "x"), UInt8(ascii: "o"), UInt8(ascii: "p"), UInt8(ascii: "P"), UInt8(ascii: "c"),
            UInt8(ascii: "N"),
          ].contains(next) {
            guard argument() else { return nil }
          }
        } else {
          members.append(next)
        }
      } else {
        at += 1
        if byte < 0x20 || byte >= 0x7F { isPlain = false } else { members.append(byte) }
      }
      if peek() == UInt8(ascii: "-"), peek(1) != UInt8(ascii: "]") {
        if isPlain, let from = members.last, let to = rangeEnd(), from <= to {
          members += (from...to).dropFirst()
          at += 2
        } else {
          isPlain = false
        }
      }
    }
    return nil
  }

  /// The plain character that ends the range at hand; nil where it is something else.
  private func rangeEnd() -> UInt8? {
    guard let byte = peek(1), byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\\"), byte != UInt8(ascii: "[") else {
      return nil
    }
    return byte
  }
}
