import FoundationEssentials

/// One file in the dialect of Python's `configparser` that fail2ban uses, parsed and nothing more: no includes, no
/// interpolation.
///
/// - A line whose first character is `#` or `;` is a comment; so is the rest of a line after white space and `;`.
/// - `[name]` opens a section; `key = value` or `key: value` is an option; keys are case-insensitive.
/// - A line indented deeper than its option continues it; empty lines inside stay, comments go.
/// - The same option or section twice in a file is an error.
///
/// See <https://docs.python.org/3.11/library/configparser.html#supported-ini-file-structure>.
package struct ConfigurationFile: Sendable {
  package var path: String
  /// `[DEFAULT]`, which every section falls back to.
  package var defaults = Options()
  /// In the order of the file.
  package var sections: [(name: String, options: Options)] = []

  /// Nil where there is no such file.
  package init?(path: String) throws(ConfigurationError) {
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory else { return nil }
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw ConfigurationError(file: path, reason: "the file cannot be read; check its permissions")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationError(file: path, reason: "the file is not valid UTF-8; convert it, for example with iconv")
    }
    try self.init(text: text, path: path)
  }

  package init(text: String, path: String) throws(ConfigurationError) {
    self.path = path
    var parser = Parser(path: path)
    for line in Self.lines(of: text) { try parser.take(line) }
    parser.finishOption()
    defaults = parser.defaults
    sections = parser.names.map { ($0, parser.sections[$0] ?? Options()) }
  }

  /// Python's universal newlines: `\n`, `\r\n` or `\r`.
  private static func lines(of text: String) -> [Substring.UnicodeScalarView] {
    var lines: [Substring.UnicodeScalarView] = []
    var rest = text[...].unicodeScalars
    if rest.first == "\u{FEFF}" { rest.removeFirst() }
    while let end = rest.firstIndex(where: { $0 == "\n" || $0 == "\r" }) {
      lines.append(rest[..<end])
      var next = rest.index(after: end)
      if rest[end] == "\r", next < rest.endIndex, rest[next] == "\n" { next = rest.index(after: next) }
      rest = rest[next...]
    }
    if !rest.isEmpty { lines.append(rest) }
    return lines
  }
}

extension ConfigurationFile {
  /// Takes lines, keeps what is open: the section, the option and its indentation.
  private struct Parser {
    let path: String
    var line = 0
    var defaults = Options()
    var sections: [String: Options] = [:]
    var names: [String] = []

    private var section: String?
    private var option: (name: String, values: [String], line: Int)?
    private var indentation = 0

    init(path: String) { self.path = path }

    mutating func take(_ text: Substring.UnicodeScalarView) throws(ConfigurationError) {
      line += 1
      let (value, hasComment) = Self.withoutComment(text)
      guard !value.isEmpty else {
        if !hasComment { option?.values.append("") }
        return
      }
      let depth = text.prefix(while: \.properties.isWhitespace).count
      if option != nil, depth > indentation {
        option?.values.append(String(value))
        return
      }
      indentation = depth
      if value.first == "[", let end = value.lastIndex(of: "]"), value.index(after: value.startIndex) < end {
        try open(String(value[value.index(after: value.startIndex)..<end]))
      } else {
        try begin(value)
      }
    }

    private mutating func open(_ name: String) throws(ConfigurationError) {
      finishOption()
      section = name
      guard name != Configuration.defaultSection else { return }
      guard sections.updateValue(Options(), forKey: name) == nil else {
        throw ConfigurationError(
          file: path, line: line, section: name, reason: "the section stands twice in this file; merge the two")
      }
      names.append(name)
    }

    private mutating func begin(_ text: Substring.UnicodeScalarView) throws(ConfigurationError) {
      finishOption()
      guard let section else {
        throw ConfigurationError(
          file: path, line: line,
          reason: "an option before the first section; put a header such as [Definition] above it")
      }
      guard let delimiter = text.firstIndex(where: { $0 == "=" || $0 == ":" }), delimiter > text.startIndex else {
        throw ConfigurationError(
          file: path, line: line, section: section,
          reason: "neither a section nor `option = value`; indent the line if it continues the one above")
      }
      let name = String(text[..<delimiter].trimmed).lowercased()
      let known = section == Configuration.defaultSection ? defaults[name] : sections[section]?[name]
      if let known {
        throw ConfigurationError(
          file: path, line: line, section: section, option: name,
          reason: "the option stands twice in this section, first on line \(known.line); remove one")
      }
      option = (name, [String(text[text.index(after: delimiter)...].trimmed)], line)
      store()
    }

    /// An option counts from its first line on, so that one that comes twice is found where it comes again.
    private mutating func store() {
      guard let section, let option else { return }
      let text = option.values.joined(separator: "\n")[...].unicodeScalars.trimmedEnd
      let raw = RawOption(value: String(text), file: path, line: option.line)
      if section == Configuration.defaultSection {
        defaults[option.name] = raw
      } else {
        sections[section]?[option.name] = raw
      }
    }

    mutating func finishOption() {
      store()
      option = nil
    }

    /// The line without white space around it and without its comment.
    private static func withoutComment(
      _ text: Substring.UnicodeScalarView
    ) -> (value: Substring.UnicodeScalarView, hasComment: Bool) {
      let whole = text.trimmed
      if whole.first == "#" || whole.first == ";" { return (whole[whole.endIndex...], true) }
      var previous: Unicode.Scalar = " "
      for index in text.indices {
        if text[index] == ";", previous.properties.isWhitespace { return (text[..<index].trimmed, true) }
        previous = text[index]
      }
      return (whole, false)
    }
  }
}

extension Substring.UnicodeScalarView {
  var trimmedEnd: Self {
    var end = endIndex
    while end > startIndex, self[index(before: end)].properties.isWhitespace { end = index(before: end) }
    return self[..<end]
  }

  /// Without Unicode white space at both ends, as Python's `strip` takes it.
  var trimmed: Self { drop(while: \.properties.isWhitespace).trimmedEnd }
}

extension String {
  var trimmed: String { String(self[...].unicodeScalars.trimmed) }
}
