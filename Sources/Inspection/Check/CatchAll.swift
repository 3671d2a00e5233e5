internal import Filters

/// Could a client choose the address that a native pattern reports?
///
/// It can when something before `<host>` matches any text at all (`.*`, `<user>`, or a pattern that may begin anywhere) and
/// nothing says where the line ends: a user name such as `x from 192.0.2.1 port 22` then brings its own address. With the
/// end anchored, what a greedy match leaves for `<host>` is what the daemon wrote last.
enum CatchAll {
  /// What is wrong with the pattern and what would be right; nil: nothing.
  static func problem(in pattern: PatternDefinition) -> (message: String, remedy: String)? {
    for text in pattern.expressions { if let problem = problem(in: text, of: pattern) { return problem } }
    return nil
  }

  private static func problem(in text: String, of pattern: PatternDefinition) -> (message: String, remedy: String)? {
    guard
      let host = ["<host>", "(?<host>", "(?P<host>"].compactMap({ text.firstRange(of: $0) })
        .min(by: { $0.lowerBound < $1.lowerBound })
    else { return nil }
    guard isAnchoredAtStart(text) else {
      return (
        "pattern `\(pattern.name)` may begin anywhere in the line, so a client's own text can match it",
        "begin it with ^"
      )
    }
    let before = text[..<host.lowerBound]
    guard let catchAll = catchAll(in: withoutLookarounds(before)), !isAnchoredAtEnd(text) else { return nil }
    if isHeldByMarker(before, of: text) { return nil }
    let marker = String(before.reversed().prefix { $0.isLetter || $0.isNumber || " ,:;=".contains($0) }.reversed())
    return (
      "pattern `\(pattern.name)` has `\(catchAll)` before <host> and no end, so a client can bring its own address",
      "end it with $, write what `\(catchAll)` may hold, such as [^ ]+, or begin with ^(?!.*\(marker).*\(marker))"
    )
  }

  /// Is a text that stands behind the last catch-all and before the address on the line once? `^(?!.*TEXT.*TEXT)` says so:
  /// whoever brings a second one is not matched.
  private static func isHeldByMarker(_ before: Substring, of text: String) -> Bool {
    let before = withoutLookarounds(before)
    for head in text.ranges(of: "(?!.*") {
      let rest = text[head.upperBound...]
      guard let middle = rest.firstRange(of: ".*") else { continue }
      let marker = rest[..<middle.lowerBound]
      guard marker.count >= 3, rest[middle.upperBound...].hasPrefix(marker + ")"),
        let last = before.ranges(of: marker).last
      else { continue }
      if catchAll(in: before[last.upperBound...]) == nil { return true }
    }
    return false
  }

  /// `^` or `\A`, behind inline flags and opening brackets.
  private static func isAnchoredAtStart(_ text: String) -> Bool {
    var rest = Substring(text)
    while true {
      if rest.hasPrefix("^") || rest.hasPrefix("\\A") { return true }
      guard rest.hasPrefix("(") else { return false }
      rest = rest.dropFirst()
      guard rest.hasPrefix("?") else { continue }
      // `(?:`, `(?i)`, `(?i:`, `(?<name>`, `(?>`: what stands up to the end of the group's head.
      guard let head = rest.firstIndex(where: { ":)>".contains($0) }) else { return false }
      rest = rest[rest.index(after: head)...]
    }
  }

  /// The pattern without `(?=…)`, `(?!…)`, `(?<=…)` and `(?<!…)`, which take no text.
  private static func withoutLookarounds(_ text: Substring) -> Substring {
    var out = ""
    var rest = text
    while let first = rest.first {
      guard ["(?=", "(?!", "(?<=", "(?<!"].contains(where: { rest.hasPrefix($0) }) else {
        // An escaped bracket opens nothing.
        let count = first == "\\" ? 2 : 1
        out += rest.prefix(count)
        rest = rest.dropFirst(count)
        continue
      }
      var depth = 0
      repeat {
        switch rest.first {
        case "\\": rest = rest.dropFirst()
        case "(": depth += 1
        case ")": depth -= 1
        default: break
        }
        rest = rest.dropFirst()
      } while depth > 0 && !rest.isEmpty
    }
    return Substring(out)
  }

  private static func catchAll(in text: Substring) -> String? {
    // `(?<user>…)` written by hand says itself what it may hold.
    if text.ranges(of: "<user>").contains(where: { !text[..<$0.lowerBound].hasSuffix("(?") }) { return "<user>" }
    var isEscaped = false
    var isClass = false
    var previous: Character?
    for character in text {
      defer { previous = isEscaped || isClass ? nil : character }
      if isEscaped {
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if isClass {
        isClass = character != "]"
      } else if character == "[" {
        isClass = true
      } else if previous == ".", character == "*" || character == "+" {
        return ".\(character)"
      }
    }
    return nil
  }

  /// `$` or `\z`, and not behind a catch-all, which would reach any end.
  private static func isAnchoredAtEnd(_ text: String) -> Bool {
    var rest = Substring(text)
    while rest.hasSuffix(")") { rest = rest.dropLast() }
    if rest.hasSuffix("\\z") || rest.hasSuffix("\\Z") {
      rest = rest.dropLast(2)
    } else if rest.hasSuffix("$"), !rest.hasSuffix("\\$") {
      rest = rest.dropLast()
    } else {
      return false
    }
    while let last = rest.last, last == ")" || last == "?" { rest = rest.dropLast() }
    return ![".*", ".+"].contains { rest.hasSuffix($0) && !rest.hasSuffix("\\" + $0) }
  }
}
