internal import Matching

/// Rewrites what Python's `re` and PCRE2 read differently. Everything else is the same text in both
/// (https://docs.python.org/3/library/re.html, pcre2pattern(3)).
///
/// | Python | PCRE2 | |
/// |---|---|---|
/// | `{,n}` | `{0,n}` | plain text before PCRE2 10.43 |
/// | `\Z` | `\z` | PCRE2's `\Z` also matches before a last line end |
/// | `((?i)x)`, `(?:(?i)x)` | `(?i:x)` | as fail2ban reads them |
/// | `(?iu)` | `(?i)` | Unicode is always on |
/// | `\uXXXX` | `\x{XXXX}` | |
/// | `[[:]` | `[\[:]` | no POSIX classes in Python |
/// | names over 32 bytes | shortened | PCRE2's limit |
struct PythonPattern {
  /// The pattern as PCRE2 reads it.
  private(set) var text = ""
  /// What the shortened group names were before.
  private(set) var longNames: [String: String] = [:]

  private let source: [UInt8]
  private var out: [UInt8] = []
  private var at = 0

  init(_ expression: String) {
    source = Array(expression.utf8)
    out.reserveCapacity(source.count + 16)
    while at < source.count { step() }
    text = String(decoding: out, as: UTF8.self)
  }

  private func peek(_ ahead: Int = 0) -> UInt8? {
    at + ahead < source.count ? source[at + ahead] : nil
  }

  private func follows(_ text: String, at index: Int) -> Bool {
    index < source.count && source[index...].starts(with: text.utf8)
  }

  private mutating func copy(_ count: Int = 1) {
    let end = min(at + count, source.count)
    out.append(contentsOf: source[at..<end])
    at = end
  }

  private mutating func step() {
    switch source[at] {
    case UInt8(ascii: "\\"): escape(inClass: false)
    case UInt8(ascii: "["): characterClass()
    case UInt8(ascii: "{") where peek(1) == UInt8(ascii: ","): openRepeat()
    case UInt8(ascii: "("): group()
    default: copy()
    }
  }

  private mutating func escape(inClass: Bool) {
    switch peek(1) {
    case UInt8(ascii: "Z") where !inClass:
      out.append(contentsOf: "\\z".utf8)
      at += 2
    case UInt8(ascii: "u"): codePoint(digits: 4)
    case UInt8(ascii: "U"): codePoint(digits: 8)
    default: copy(2)
    }
  }

  private mutating func codePoint(digits: Int) {
    let start = at + 2
    guard start + digits <= source.count, source[start..<start + digits].allSatisfy({ isHex($0) }) else {
      copy(2)
      return
    }
    out.append(contentsOf: "\\x{".utf8)
    out.append(contentsOf: source[start..<start + digits])
    out.append(UInt8(ascii: "}"))
    at = start + digits
  }

  private func isHex(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...70, 97...102: true
    default: false
    }
  }

  private mutating func characterClass() {
    copy()
    if peek() == UInt8(ascii: "^") { copy() }
    if peek() == UInt8(ascii: "]") { copy() }
    while let byte = peek(), byte != UInt8(ascii: "]") {
      if byte == UInt8(ascii: "\\") {
        escape(inClass: true)
      } else {
        if byte == UInt8(ascii: "["), let next = peek(1), next == 58 || next == 46 || next == 61 {
          out.append(UInt8(ascii: "\\"))
        }
        copy()
      }
    }
    if peek() != nil { copy() }
  }

  private mutating func openRepeat() {
    var end = at + 2
    while end < source.count, source[end] >= 48, source[end] <= 57 { end += 1 }
    guard end < source.count, source[end] == UInt8(ascii: "}") else {
      copy()
      return
    }
    out.append(contentsOf: "{0".utf8)
    at += 1
    copy(end + 1 - at)
  }

  private mutating func group() {
    // ((?i)x) and (?:(?i)x): the flags hold for the group.
    let inner = follows("(?:", at: at) ? at + 3 : at + 1
    if let (flags, end) = globalFlags(at: inner) {
      out.append(contentsOf: "(?".utf8)
      out.append(contentsOf: flags)
      out.append(UInt8(ascii: ":"))
      at = end
      return
    }
    if let (flags, end) = globalFlags(at: at) {
      if !flags.isEmpty {
        out.append(contentsOf: "(?".utf8)
        out.append(contentsOf: flags)
        out.append(UInt8(ascii: ")"))
      }
      at = end
      return
    }
    if follows("(?P<", at: at) {
      name(after: 4, until: UInt8(ascii: ">"))
    } else if follows("(?P=", at: at) {
      name(after: 4, until: UInt8(ascii: ")"))
    } else if follows("(?(", at: at), let first = peek(3), !(first >= 48 && first <= 57), first != 60 {
      // A condition on a group's name: written with <> it cannot be taken for one on recursion.
      copy(3)
      out.append(UInt8(ascii: "<"))
      name(after: 0, until: UInt8(ascii: ")"), extra: UInt8(ascii: ">"))
    } else {
      copy()
    }
  }

  /// `(?flags)` at `index`: the flags that PCRE2 has too, and where the text goes on.
  private func globalFlags(at index: Int) -> (flags: [UInt8], end: Int)? {
    guard follows("(?", at: index) else { return nil }
    var end = index + 2
    while end < source.count, source[end] >= 97, source[end] <= 122 { end += 1 }
    guard end > index + 2, end < source.count, source[end] == UInt8(ascii: ")") else { return nil }
    // u, a and L choose between Unicode, ASCII and the locale; fail2ban's text is always Unicode.
    return (source[index + 2..<end].filter { $0 != 117 && $0 != 97 }, end + 1)
  }

  private mutating func name(after prefix: Int, until close: UInt8, extra: UInt8? = nil) {
    copy(prefix)
    let start = at
    while let byte = peek(), byte != close { at += 1 }
    let name = source[start..<at]
    if name.count > 32 {
      let full = String(decoding: name, as: UTF8.self)
      let short = longNames.first { $0.value == full }?.key ?? "long\(longNames.count)_"
      longNames[short] = full
      out.append(contentsOf: short.utf8)
    } else {
      out.append(contentsOf: name)
    }
    if let extra { out.append(extra) }
    if peek() != nil { copy() }
  }
}
