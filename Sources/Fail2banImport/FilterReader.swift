/// A filter's options as fail2ban's server would get them, out of its files, what the jail gives, and `[Init]`.
package struct FilterReader {
  package enum LogType: String, Sendable { case file, journal }

  /// What a filter's `[Definition]` may set.
  package static let optionNames = [
    "usedns", "prefregex", "ignoreregex", "failregex", "maxlines", "datepattern", "journalmatch",
  ]

  package let configuration: Configuration
  /// What the jail gives in `filter = name[…]`, then what `[Init]` adds; these win over `[Definition]`.
  private var given: [(name: String, value: String)]
  /// `%(x)s` of the first reading; a tag keeps what it found then.
  private var firstVariables: [String: String]?
  private var hasReadInit = false

  /// - Parameter options: `known/x` of `[Init]` and conditions (`x?family=inet6`) may be among the keys.
  package init(_ configuration: Configuration, options: [String: String], logtype: LogType) throws(ConfigurationError) {
    guard let definition = configuration.options(in: "Definition") else {
      throw ConfigurationError(
        file: configuration.files.last ?? "", section: "Definition", reason: "the section is missing; is this a filter?"
      )
    }
    self.configuration = configuration
    given = options.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    if (options["logtype"] ?? "").isEmpty, definition["logtype"] == nil {
      given.removeAll { $0.name == "logtype" }
      given.append(("logtype", logtype.rawValue))
    }
  }

  /// The options by name, in which every tag that is known is replaced.
  /// - Parameters:
  ///   - jail: the jail's own options, which win over the filter's.
  ///   - all: every option of `[Definition]`, not only `optionNames`.
  package mutating func options(
    jail: [String: String] = [:], all: Bool = false
  ) throws(ConfigurationError) -> [String: String] {
    var variables = jail
    for (name, value) in given { variables[name.lowercased()] = value }
    let interpolation = Interpolation(configuration, section: "Definition", variables: variables)
    var names: [String] = []
    var values: [String: String] = [:]
    func take(_ name: String, _ value: String) {
      if values.updateValue(value, forKey: name) == nil { names.append(name) }
    }
    for name in Self.optionNames where variables[name] == nil {
      if let value = try interpolation.value(of: name) { take(name, value) }
    }
    try readInit()
    if all {
      for name in configuration.options(in: "Definition")?.keys ?? [] where values[name] == nil {
        if let value = try interpolation.value(of: name) { take(name, value) }
      }
    }
    for (name, value) in given { take(name, value) }
    if firstVariables == nil { firstVariables = variables }
    return try substituteTags(names, values)
  }

  private mutating func readInit() throws(ConfigurationError) {
    guard !hasReadInit, let own = configuration.options(in: "Init") else { return }
    hasReadInit = true
    let interpolation = Interpolation(configuration, section: "Init")
    for name in own.keys {
      guard let value = try interpolation.value(of: name) else { continue }
      let known = "known/" + name
      if !name.hasPrefix("known/") {
        given.removeAll { $0.name == known }
        given.append((known, value))
      }
      if !given.contains(where: { $0.name == name }) { given.append((name, value)) }
    }
  }

  private func substituteTags(
    _ names: [String], _ values: [String: String]
  ) throws(ConfigurationError) -> [String: String] {
    let conditional = names.compactMap { name in
      let (option, condition) = Configuration.splitCondition(name)
      return condition.isEmpty ? nil : option
    }
    let interpolation = Interpolation(configuration, section: "Definition", variables: firstVariables ?? [:])
    do {
      return try TagSubstitution(
        names: names, values: values, kept: Set(conditional),
        lookUp: { name throws(ConfigurationError) in try interpolation.value(ofTag: name) }
      ).values
    } catch let failure as TagSubstitution.Failure {
      throw error(failure.option, failure.reason)
    } catch let error as ConfigurationError {
      throw error
    } catch {
      throw self.error("failregex", "\(error)")
    }
  }

  /// An error at the place where `option` is, if it does.
  package func error(_ option: String, _ reason: String) -> ConfigurationError {
    for section in ["Init", "Definition", Configuration.defaultSection] {
      guard let raw = configuration.options(in: section)?[option], !raw.file.isEmpty else { continue }
      return ConfigurationError(file: raw.file, line: raw.line, section: section, option: option, reason: reason)
    }
    return ConfigurationError(
      file: configuration.files.last ?? "", section: "Definition", option: option, reason: reason)
  }
}
