/// fail2ban's jails, each with its options as fail2ban's server would get them.
package struct JailReader {
  /// A jail's options after interpolation.
  package struct Reading: Sendable {
    package var name: String
    /// Those of `JailReader.optionNames` that are set, as text.
    package var options: [String: String]
    package var filter: NameWithOptions
    /// The filter's options, with those that the jail gives.
    package var filterOptions: [String: String]
    package var filterBase: String
    package var filterReader: FilterReader
    package var actions: [NameWithOptions]
  }

  /// What fail2ban reads of a jail; anything else only serves interpolation.
  package static let optionNames =
    [
      "enabled", "backend", "maxretry", "maxmatches", "findtime", "bantime", "bantime.increment", "bantime.factor",
      "bantime.formula", "bantime.multipliers", "bantime.maxtime", "bantime.rndtime", "bantime.overalljails",
      "ignorecommand", "ignoreself", "ignoreip", "ignorecache", "filter", "logtimezone", "logencoding", "logpath",
      "action",
    ] + FilterReader.optionNames

  package let directory: String
  package let configuration: Configuration

  /// - Parameter directory: such as `/etc/fail2ban`.
  package init(directory: String) throws(ConfigurationError) {
    self.directory = directory
    var configuration = try Configuration(base: directory + "/jail")
    // For `%(fail2ban_agent)s`, which tells reporting services who calls.
    configuration.setDefault("fail2ban_version", "1.0.2")
    configuration.setDefault("fail2ban_confpath", directory)
    self.configuration = configuration
  }

  package var names: [String] { configuration.sectionNames.filter { $0 != "INCLUDES" } }

  package func isEnabled(_ name: String) throws(ConfigurationError) -> Bool {
    let value = try Interpolation(configuration, section: name).value(of: "enabled")
    return Self.isTrue(value ?? "")
  }

  /// What fail2ban takes for yes.
  package static func isTrue(_ text: String) -> Bool { ["1", "on", "true", "yes"].contains(text.lowercased()) }

  /// What somebody meant for no; anything else is taken for it.
  package static func isFalse(_ text: String) -> Bool { ["", "0", "off", "false", "no"].contains(text.lowercased()) }

  /// An option that is a yes or no, where it is neither.
  package func noTruthValue(_ option: String, of name: String) -> ConfigurationError? {
    guard let value = try? Interpolation(configuration, section: name).value(of: option)?.trimmed,
      !Self.isTrue(value), !Self.isFalse(value)
    else { return nil }
    return sharedError(name, option, "`\(value)` is neither yes nor no, and fail2ban takes it for no")
  }

  package func read(_ name: String) throws(ConfigurationError) -> Reading {
    let first = try values(["enabled", "backend", "filter"], of: name, in: configuration)
    guard let text = first["filter"], !text.isEmpty else {
      throw error(name, "filter", "the jail names no filter; add `filter = NAME`")
    }
    let filter = try parse(text, of: name, option: "filter")
    let base = FilterTranslation.basePath(filter.name, directory: directory + "/filter.d")
    let filterFiles: Configuration
    do { filterFiles = try Configuration(base: base) } catch {
      guard error.line == 0, error.file == base + ".conf" else { throw error }
      throw self.error(name, "filter", "there is no filter \(base).conf; check its name")
    }
    var reader = try FilterReader(
      filterFiles, options: filter.options,
      logtype: first["backend", default: ""].hasPrefix("systemd") ? .journal : .file)

    // The jail may refer to the filter's options as `%(known/failregex)s`.
    var extended = configuration
    for (option, value) in try reader.options(jail: first, all: true) where !option.hasPrefix("known/") {
      extended.set("known/" + option, in: name, value)
    }
    let options = try values(Self.optionNames, of: name, in: extended)
    var actions: [NameWithOptions] = []
    for part in NameWithOptions.split(options["action"] ?? "") {
      actions.append(try parse(part, of: name, option: "action"))
    }
    let filterOptions = try reader.options(jail: options)
    return Reading(
      name: name, options: options, filter: filter, filterOptions: filterOptions, filterBase: base,
      filterReader: reader, actions: actions)
  }

  private func values(
    _ names: [String], of jail: String, in configuration: Configuration
  ) throws(ConfigurationError) -> [String: String] {
    let interpolation = Interpolation(configuration, section: jail)
    var values: [String: String] = [:]
    for name in names { values[name] = try interpolation.value(of: name) }
    return values
  }

  private func parse(_ text: String, of jail: String, option: String) throws(ConfigurationError) -> NameWithOptions {
    do { return try NameWithOptions(text) } catch { throw self.error(jail, option, error.description) }
  }

  /// An error at the option of the jail, or of `[DEFAULT]`, or at the jail's first option.
  package func error(_ jail: String, _ option: String?, _ reason: String) -> ConfigurationError {
    let own = configuration.options(in: jail)
    let raw = option.flatMap { own?[$0] ?? configuration.defaults[$0] } ?? own.flatMap { $0[$0.keys.first ?? ""] }
    return ConfigurationError(
      file: raw.map(\.file) ?? configuration.files.last ?? directory, line: raw?.line ?? 0, section: jail,
      option: option,
      reason: reason)
  }

  /// The same for what `[DEFAULT]` may say for all jails at once.
  package func sharedError(_ jail: String, _ option: String, _ reason: String) -> ConfigurationError {
    let isShared = configuration.options(in: jail)?[option] == nil && configuration.defaults[option] != nil
    var error = self.error(jail, option, reason)
    if isShared { error.section = Configuration.defaultSection }
    return error
  }
}
