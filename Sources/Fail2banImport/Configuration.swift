import FoundationEssentials

/// Several of fail2ban's files laid over one another: what comes later wins, option by option.
package struct Configuration: Sendable {
  package static let defaultSection = "DEFAULT"

  package private(set) var defaults = Options()
  /// Names in the order in which they first came.
  package private(set) var sectionNames: [String] = []
  private var sections: [String: Options] = [:]
  /// What a later file replaced, by section: `%(known/x)s` of `x`.
  private var replaced: [String: Options] = [:]
  /// The files that were read, in order; an included file may come several times.
  package private(set) var files: [String] = []
  /// Includes that name no file. fail2ban passes them over, and so do we, but an error says so.
  package private(set) var missingIncludes: [String] = []

  package init() {}

  /// Reads `NAME.conf`, `NAME.d/*.conf`, `NAME.local` and `NAME.d/*.local`, each with its includes.
  /// - Parameter base: the path up to `.conf`, such as `/etc/fail2ban/jail`.
  /// - Throws: where none of them exists, or one is wrong.
  package init(base: String) throws(ConfigurationError) {
    let files =
      [base + ".conf"] + Self.files(in: base + ".d", ending: ".conf")
      + [base + ".local"] + Self.files(in: base + ".d", ending: ".local")
    try self.init(files: files)
    guard !self.files.isEmpty else {
      throw ConfigurationError(file: base + ".conf", reason: "there is no such file; check the name")
    }
  }

  /// Reads `files`, those that exist, in order, each with its includes.
  package init(files: [String]) throws(ConfigurationError) {
    var reader = IncludeReader()
    for file in try reader.expand(files, from: []) { add(file) }
    missingIncludes = reader.missing
  }

  private static func files(in directory: String, ending suffix: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }
      .sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
      .map { directory + "/" + $0 }
  }

  /// Lays one file over what is there.
  mutating func add(_ file: ConfigurationFile) {
    files.append(file.path)
    defaults.merge(file.defaults)
    for (fullName, options) in file.sections {
      let (name, condition) = Self.splitCondition(fullName)
      var added = Options()
      for key in options.keys { added[key + condition] = options[key] }
      if let old = sections[name] {
        var earlier = replaced[name] ?? Options()
        for key in added.keys { if let value = old[key] { earlier[key] = value } }
        replaced[name] = earlier
      } else {
        sectionNames.append(name)
      }
      sections[name, default: Options()].merge(added)
    }
  }

  /// `Init?family=inet6` is section `Init` with `?family=inet6` added to every key.
  static func splitCondition(_ name: String) -> (name: String, condition: String) {
    guard let mark = name.firstIndex(of: "?"), mark > name.startIndex, name.index(after: mark) < name.endIndex,
      name[..<mark].unicodeScalars.allSatisfy(\.isWordCharacter)
    else { return (name, "") }
    return (String(name[..<mark]), String(name[mark...]))
  }

  /// A section's own options, without those of `[DEFAULT]`.
  package func options(in section: String) -> Options? {
    section == Self.defaultSection ? defaults : sections[section]
  }

  /// What later files replaced in `section`; nil where none replaced anything.
  package func replacedOptions(in section: String) -> Options? { replaced[section] }

  /// Adds to `[DEFAULT]` what no file says.
  package mutating func setDefault(_ name: String, _ value: String) { defaults[name] = RawOption(value: value) }

  /// Adds to a section what no file says.
  package mutating func set(_ option: String, in section: String, _ value: String) {
    sections[section]?[option] = RawOption(value: value)
  }
}

extension Unicode.Scalar {
  /// Python's `\w`.
  var isWordCharacter: Bool { self == "_" || properties.isAlphabetic || properties.numericType != nil }
}
