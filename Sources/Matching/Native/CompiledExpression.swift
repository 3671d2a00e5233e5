internal import Filters

/// A pattern's regular expression, its tags expanded and its groups known by number.
final class CompiledExpression: Sendable {
  let pattern: Pattern
  let hosts: [Int]
  let users: [Int]
  let rules: [Int]
  let apps: [Int]
  let ports: [Int]
  let forwarded: [Int]
  let targets: [Int]
  let details: [Int]
  let count: Int?

  /// What represents a pattern's tags. A host is what has the shape of an address; whether it is one, `Address` says.
  static let tags: [(tag: String, expression: String)] = [
    ("<host>", "(?<host>(?:[0-9]{1,3}\\.){3}[0-9]{1,3}|[0-9A-Fa-f:]{0,40}:[0-9A-Fa-f:.]{0,45})"),
    ("<user>", "(?<user>.*)"),
    ("<port>", "(?<port>[0-9]{1,5})"),
  ]

  /// Which filters of fail2ban's have for `<host>`; native ones do not know it.
  static let fail2banHost = "<HOST>"

  static func expand(_ match: String) -> String {
    var out = ""
    var rest = Substring(match)
    while let at = rest.firstIndex(of: "<") {
      out += rest[..<at]
      rest = rest[at...]
      // `(?<host>…)` written by hand is a group already, not the tag.
      if !out.hasSuffix("(?"), !out.hasSuffix("(?P"), let tag = tags.first(where: { rest.hasPrefix($0.tag) }) {
        out += tag.expression
        rest = rest.dropFirst(tag.tag.count)
      } else {
        out.append("<")
        rest = rest.dropFirst()
      }
    }
    out += rest
    return out
  }

  init(_ match: String, pattern name: String, place: Place) throws(FilterError) {
    let expanded = Self.expand(match)
    let compiled: Pattern
    do {
      // Bytes, not characters; a journal message may hold line ends, which `.` must not stop at.
      compiled = try Pattern.shared(expanded, options: [.dotAll, .dollarEndOnly, .duplicateNames])
    } catch {
      let stop = Self.typed(match, upTo: error.offset)
      throw FilterError(
        place: place,
        message: "pattern `\(name)` does not compile: \(error.message) at character \(match[..<stop].count)",
        remedy: "PCRE2 stopped near `\(Self.near(match, stop))`")
    }
    func groups(_ name: String) -> [Int] { compiled.names.filter { $0.name == name }.map(\.group) }
    pattern = compiled
    hosts = groups("host")
    users = groups("user")
    rules = groups("rule")
    apps = groups("app")
    ports = groups("port")
    forwarded = groups("forwarded")
    targets = groups("target")
    details = groups("detail")
    count = groups("count").first
  }

  /// Where in the text as it was typed the expanded one has `offset` bytes.
  private static func typed(_ match: String, upTo offset: Int) -> String.Index {
    let reached = match.indices.last { expand(String(match[..<$0])).utf8.count <= offset } ?? match.startIndex
    return expand(match).utf8.count <= offset ? match.endIndex : reached
  }

  /// Twelve characters to each side of it.
  private static func near(_ match: String, _ stop: String.Index) -> Substring {
    let from = match.index(stop, offsetBy: -12, limitedBy: match.startIndex) ?? match.startIndex
    let to = match.index(stop, offsetBy: 12, limitedBy: match.endIndex) ?? match.endIndex
    return match[from..<to]
  }
}
