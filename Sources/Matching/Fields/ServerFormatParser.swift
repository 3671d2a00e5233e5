internal import Filters

/// Reads the format string of an access log as nginx (ngx_http_log_module) and Apache (mod_log_config) have it in their
/// settings, and makes a pattern of it whose groups are the fields.
///
/// Both servers write a quote and a backslash of a client's as escapes, so a text in quotes ends at its quote. What is not in quotes
/// and may hold spaces (the user's name) could hold what follows it; whether it does is found by comparing the pattern's
/// shortest and longest reading.
struct ServerFormatParser {
  private enum Part {
    case literal(String)
    case field(String)
  }

  /// What a field can be made of.
  private enum Content: Equatable {
    /// These bytes and no others.
    case only(String)
    /// A client's text.
    case open
  }

  private var parts: [Part] = []

  var fieldNames: [String] {
    let names = parts.compactMap { if case .field(let name) = $0, !name.isEmpty { name } else { nil } }
    return names + (names.contains("request") ? ["method", "path", "protocol"].filter { !names.contains($0) } : [])
  }

  init(_ format: ServerFormat) throws(FilterError) {
    switch format.kind {
    case .nginx: try nginx(Self.text(format.text, directive: "log_format"), format.place)
    case .apache: apache(Self.text(format.text, directive: "LogFormat"))
    }
    guard fieldNames.contains("host") else {
      throw FilterError(
        place: format.place, message: "format \(format.kind.rawValue) does not log the client's address",
        remedy: format.kind == .nginx ? "log $remote_addr" : "log %a or %h")
    }
  }

  private mutating func add(_ character: Character) {
    if case .literal(let text)? = parts.last {
      parts[parts.count - 1] = .literal(text + String(character))
    } else {
      parts.append(.literal(String(character)))
    }
  }

  /// The format string alone, of which the settings may hold a whole line: `log_format main '…' '…';`, `LogFormat "…" name`.
  private static func text(_ settings: String, directive: String) -> Substring {
    var rest = settings.drop(while: \.isWhitespace)
    guard rest.hasPrefix(directive) else { return rest }
    var text = ""
    rest = rest.dropFirst(directive.count)
    while let quote = rest.first(where: { $0 == "'" || $0 == "\"" }), let start = rest.firstIndex(of: quote) {
      rest = rest[start...].dropFirst()
      while let next = rest.popFirst(), next != quote {
        text.append(next)
        if next == "\\", let escaped = rest.popFirst() { text.append(escaped) }
      }
    }
    return text[...]
  }

  // MARK: nginx

  private static let nginxNames = [
    "remote_addr": "host", "remote_port": "port", "remote_user": "user", "time_local": "time", "time_iso8601": "time",
    "msec": "time", "request_method": "method", "request_uri": "path", "server_protocol": "protocol",
    "body_bytes_sent": "size", "bytes_sent": "size", "http_referer": "referer", "http_user_agent": "agent",
    "host": "vhost", "http_host": "vhost", "server_name": "vhost", "http_x_forwarded_for": "forwarded",
  ]

  private mutating func nginx(_ text: Substring, _ place: Place) throws(FilterError) {
    var rest = text
    while let first = rest.popFirst() {
      guard first == "$" else {
        add(first)
        continue
      }
      let isBraced = rest.first == "{"
      if isBraced { rest.removeFirst() }
      let name = rest.prefix { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
      rest.removeFirst(name.count)
      if isBraced, rest.popFirst() != "}" || name.isEmpty {
        throw FilterError(
          place: place, message: "format nginx: a `${` is not closed", remedy: "write ${name}")
      }
      append(Self.nginxNames[String(name)] ?? String(name))
    }
  }

  // MARK: Apache

  private static let apacheNames: [Character: String] = [
    "h": "host", "a": "host", "l": "ident", "u": "user", "t": "time", "r": "request", "m": "method", "U": "path",
    "H": "protocol", "s": "status", "b": "size", "B": "size", "O": "size", "v": "vhost", "V": "vhost",
  ]

  private static let apacheHeaders = [
    "referer": "referer", "user-agent": "agent", "host": "vhost", "x-forwarded-for": "forwarded",
  ]

  private mutating func apache(_ text: Substring) {
    var rest = text
    while let first = rest.popFirst() {
      // The text is quoted in the settings: \" is a quote.
      if first == "\\", let next = rest.popFirst() {
        add(next == "t" ? "\t" : next)
        continue
      }
      guard first == "%" else {
        add(first)
        continue
      }
      // Modifiers: `%>s`, `%!200,304s`.
      rest = rest.drop { $0 == ">" || $0 == "<" || $0 == "!" || $0 == "," || $0.isNumber }
      var argument = ""
      if rest.first == "{" {
        argument = String(rest.dropFirst().prefix { $0 != "}" })
        rest = rest.dropFirst(argument.count + 2)
      }
      guard let letter = rest.popFirst() else { break }
      switch letter {
      case "%": add("%")
      case "^":
        rest = rest.dropFirst(2)  // %^FB and the like
        append("")
      case "i": append(Self.apacheHeaders[argument.lowercased()] ?? argument.lowercased())
      case "a" where !argument.isEmpty: append("peer")
      case "t" where argument.isEmpty:
        add("[")
        append("time")
        add("]")
      case "t": append("time")
      default: append(Self.apacheNames[letter] ?? "")
      }
    }
  }

  /// A field that is there already has no name the second time, nor has one whose name no group can have (PCRE2's are of up to
  /// 32 letters, digits and underscores).
  private mutating func append(_ name: String) {
    let name = String(name.map { $0 == "-" ? "_" : $0 })
    let isName =
      name.utf8.count <= 32 && name.first?.isNumber == false
      && name.allSatisfy { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
    parts.append(.field(isName && !fieldNames.contains(name) ? name : ""))
  }

  // MARK: The pattern

  private static let contents: [String: Content] = [
    "host": .only("[0-9A-Za-z.:_-]*"), "port": .only("[0-9]*"), "time": .only(#"[^\]\["]{10,40}"#),
    "status": .only("[0-9-]+"), "size": .only("[0-9-]+"), "ident": .only("[^ \"]*"),
  ]

  var hasOpenTexts: Bool {
    parts.indices.contains { content($0) == .open && !isQuoted($0) }
  }

  /// `isGreedy`: open texts are taken as long as possible.
  func pattern(isGreedy: Bool) -> String {
    var pattern = "^"
    for (index, part) in parts.enumerated() {
      switch part {
      case .literal(let text):
        pattern += text.map { $0.isLetter || $0.isNumber || $0 == " " ? String($0) : "\\" + String($0) }.joined()
      case .field(let name):
        let text =
          switch content(index) {
          case .only(let text): text
          case .open: #"(?:[^"\\]|\\.)*"# + (isQuoted(index) ? "+" : isGreedy ? "" : "?")
          case nil: ""
          }
        pattern += name.isEmpty ? text : "(?<\(name)>\(text))"
      }
    }
    return pattern + "$"
  }

  private func content(_ index: Int) -> Content? {
    guard case .field(let name) = parts[index] else { return nil }
    return Self.contents[name] ?? .open
  }

  private func isQuoted(_ index: Int) -> Bool {
    guard index > 0, case .literal(let before) = parts[index - 1], before.hasSuffix("\"") else { return false }
    guard index + 1 < parts.count, case .literal(let behind) = parts[index + 1] else { return false }
    return behind.hasPrefix("\"")
  }
}
