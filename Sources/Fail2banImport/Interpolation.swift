/// `%(x)s` in the options of one section: `x` of the variables, the section or `[DEFAULT]`; `%(section/x)s`,
/// `%(known/x)s` (what an earlier file said) and `%(default/x)s`; `%(__name__)s`, the section's name; `%%` for `%`.
package struct Interpolation {
  private let configuration: Configuration
  private let section: String
  /// Values that win over those of the files, by lower-case name.
  private let variables: [String: String]
  /// What is in the section itself.
  private let own: Options

  /// As deep as Python's `configparser` goes.
  private static let depthLimit = 10

  package init(_ configuration: Configuration, section: String, variables: [String: String] = [:]) {
    self.configuration = configuration
    self.section = section
    self.variables = variables
    own = configuration.options(in: section) ?? Options()
  }

  private init(_ configuration: Configuration, section: String, own: Options) {
    self.configuration = configuration
    self.section = section
    variables = [:]
    self.own = own
  }

  /// The option's value, interpolated; nil where nothing sets it.
  package func value(of option: String) throws(ConfigurationError) -> String? {
    guard let raw = raw(option) else { return nil }
    var text = ""
    try interpolate(raw, into: &text, depth: 1, place: Place(option: option, raw: raw))
    return text
  }

  private func raw(_ name: String) -> RawOption? {
    let key = name.lowercased()
    if let value = variables[key] { return RawOption(value: value) }
    return own[key] ?? configuration.defaults[key]
  }

  /// The value of a tag's name: an option's, or `section/option`, `known/option`, `default/option`.
  package func value(ofTag name: String) throws(ConfigurationError) -> String? {
    if let (other, option) = Self.split(name) {
      for source in sources(other) {
        if let value = try source.value(of: option) { return value }
      }
    }
    return try value(of: name)
  }

  private func sources(_ name: String) -> [Interpolation] {
    switch name.lowercased() {
    case "known":
      let replaced = configuration.replacedOptions(in: section)
        .map { Interpolation(configuration, section: "KNOWN/" + section, own: $0) }
      return (replaced.map { [$0] } ?? []) + [Interpolation(configuration, section: section)]
    case "default": return [Interpolation(configuration, section: Configuration.defaultSection)]
    default: return configuration.options(in: name) == nil ? [] : [Interpolation(configuration, section: name)]
    }
  }

  private static func split(_ name: String) -> (section: String, option: String)? {
    guard let slash = name.firstIndex(of: "/"), slash > name.startIndex else { return nil }
    let option = name[name.index(after: slash)...]
    guard !option.isEmpty, name[..<slash].unicodeScalars.allSatisfy({ $0.isWordCharacter || $0 == "-" }),
      !option.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0 == ">" })
    else { return nil }
    return (String(name[..<slash]), String(option))
  }

  /// The option that is being interpolated, for errors.
  private struct Place {
    var option: String
    var raw: RawOption
  }

  private func fail(_ place: Place, _ reason: String) -> ConfigurationError {
    let file = place.raw.file.isEmpty ? configuration.files.last ?? "" : place.raw.file
    return ConfigurationError(
      file: file, line: place.raw.line, section: section, option: place.option, reason: reason)
  }

  private func interpolate(
    _ raw: RawOption, into text: inout String, depth: Int, place: Place
  ) throws(ConfigurationError) {
    guard depth <= Self.depthLimit else {
      throw fail(place, "the interpolation is deeper than \(Self.depthLimit); does an option refer to itself?")
    }
    var rest = raw.value[...].unicodeScalars
    while let percent = rest.firstIndex(of: "%") {
      text.unicodeScalars.append(contentsOf: rest[..<percent])
      let next = rest.index(after: percent)
      guard next < rest.endIndex, rest[next] == "%" || rest[next] == "(" else {
        throw fail(place, "`%` stands alone; write `%%` for a percent sign, `%(name)s` for an option's value")
      }
      if rest[next] == "%" {
        text += "%"
        rest = rest[rest.index(after: next)...]
        continue
      }
      guard let close = rest[next...].firstIndex(of: ")"), rest.index(after: next) < close,
        rest.index(after: close) < rest.endIndex, rest[rest.index(after: close)] == "s"
      else { throw fail(place, "`%(` without `)s`; write `%(name)s`, or `%%(` for the characters themselves") }
      let name = String(rest[rest.index(after: next)..<close])
      rest = rest[rest.index(close, offsetBy: 2)...]
      guard let inner = lookUp(name) else { throw fail(place, undefined(name)) }
      try interpolate(inner, into: &text, depth: depth + 1, place: place)
    }
    text.unicodeScalars.append(contentsOf: rest)
  }

  /// `%(section/x)s` gives the raw text of `x` there, which is then interpolated here.
  private func lookUp(_ name: String) -> RawOption? {
    if name.lowercased() == "__name__" { return RawOption(value: section.replacing("%", with: "%%")) }
    if let value = raw(name) { return value }
    guard let (other, option) = Self.split(name) else { return nil }
    let key = option.lowercased()
    switch other.lowercased() {
    case "default": return configuration.defaults[key]
    case "known": return configuration.replacedOptions(in: section)?[key] ?? configuration.defaults[key]
    default:
      guard let options = configuration.options(in: other) else { return nil }
      return options[key] ?? configuration.defaults[key]
    }
  }

  private func undefined(_ name: String) -> String {
    var reason = "`%(\(name))s` is not defined; set `\(name)` in this section or in [DEFAULT]"
    if let (other, option) = Self.split(name) {
      reason = "`%(\(name))s` is not defined; set `\(option)` "
      reason += other.lowercased() == "known" ? "in a file that is read earlier" : "in section [\(other)]"
    }
    if !configuration.missingIncludes.isEmpty {
      reason += " (included, but not there: \(configuration.missingIncludes.joined(separator: ", ")))"
    }
    return reason
  }
}
