internal import Detection
public import Filters
internal import Model
internal import System

/// How a fail2ban filter (`filter: /path/name.conf`) is loaded; another room knows how. Whatever it throws is reported
/// at the jail's `filter`, `SettingsError` and `SettingsErrors` at their own places.
public typealias Fail2banFilterLoader = (_ path: String, _ options: [String: String]) throws -> FilterDefinition

extension Settings {
  /// What reading gave: everything that could be understood, and everything that is wrong. Jails with an error are not
  /// in `settings.jails`; keys with an error have their default.
  public struct Reading: Sendable {
    public var settings: Settings
    public var errors: [SettingsError]
    /// What works but is probably not meant.
    public var warnings: [SettingsError]
    /// The jails that are not in `settings.jails` because of an error.
    public var brokenJails: [String]

    public init(
      settings: Settings, errors: [SettingsError] = [], warnings: [SettingsError] = [], brokenJails: [String] = []
    ) {
      self.settings = settings
      self.errors = errors
      self.warnings = warnings
      self.brokenJails = brokenJails
    }

    /// Errors outside jails and outputs: with none of these the others can run.
    public var generalErrors: [SettingsError] { errors.filter { $0.jail == nil && $0.output == nil } }
  }

  /// Throws when anything is wrong, with all of it.
  public static func load(
    path: String, fail2banFilter: Fail2banFilterLoader? = nil
  ) throws(SettingsErrors) -> Settings {
    let reading = read(path: path, fail2banFilter: fail2banFilter)
    guard reading.errors.isEmpty else { throw SettingsErrors(reading.errors) }
    return reading.settings
  }

  /// `builtin` are the directories of the filters that come with the program.
  public static func read(
    path: String, fail2banFilter: Fail2banFilterLoader? = nil,
    builtin: [String] = FilterLibrary.builtinDirectories(), machine: Machine = .current
  ) -> Reading {
    read(file: path, fail2banFilter, builtin, machine) { problems in Pieces.read(path, problems) }
  }

  /// What it would be with another text in one of the files.
  public static func read(
    path: String, replacing replacement: SettingsChange.Replacement, fail2banFilter: Fail2banFilterLoader? = nil
  ) -> Reading {
    read(file: path, fail2banFilter, FilterLibrary.builtinDirectories(), .current) { problems in
      Pieces.read(path, problems, replacing: replacement)
    }
  }

  /// Reads settings that are in no file yet; `file` is their name in messages.
  public static func read(
    text: String, file: String, fail2banFilter: Fail2banFilterLoader? = nil, machine: Machine = .current
  ) -> Reading {
    read(file: file, fail2banFilter, FilterLibrary.builtinDirectories(), machine) { problems in
      Document.parse(text, file: file, problems)
    }
  }

  private static func read(
    file: String, _ fail2banFilter: Fail2banFilterLoader?, _ builtin: [String], _ machine: Machine,
    _ root: (Problems) -> Value?
  ) -> Reading {
    let problems = Problems()
    var reader = SettingsReader(
      file: file, problems: problems, fail2banFilter: fail2banFilter, builtin: builtin, machine: machine)
    reader.read(root(problems))
    return Reading(
      settings: reader.settings, errors: Problems.sorted(problems.errors, first: file),
      warnings: Problems.sorted(problems.warnings, first: file), brokenJails: reader.brokenJails)
  }
}

/// Goes through `bailiff.yaml` once.
struct SettingsReader {
  var settings: Settings
  let problems: Problems
  let fail2banFilter: Fail2banFilterLoader?
  let builtin: [String]
  let machine: Settings.Machine
  var readsJails = true
  var library: FilterLibrary
  /// What a jail without limits gets.
  var defaults = JailKeys()
  var brokenJails: [String] = []
  /// Is there a `fleet`, be it one with an error?
  var hasFleet = false
  /// Native filters that were read already; nil represents one with errors.
  var loaded: [String: FilterDefinition?] = [:]

  init(
    file: String, problems: Problems, fail2banFilter: Fail2banFilterLoader?, builtin: [String],
    machine: Settings.Machine
  ) {
    settings = Settings(file: file)
    self.problems = problems
    self.fail2banFilter = fail2banFilter
    self.builtin = builtin
    self.machine = machine
    library = FilterLibrary(directories: settings.filters, builtin: builtin)
  }

  mutating func read(_ root: Value?) {
    guard let root else {
      if problems.errors.isEmpty {
        problems.add(Place(file: settings.file, line: 1, column: 1), "the file is empty", remedy: Self.noJails)
      }
      return
    }
    guard
      let fields = Fields(
        root, "bailiff.yaml", known: Keys.all.names,
        elsewhere: ["DEFAULT": "write `defaults`", "INCLUDES": "write `include: [conf.d/*.yaml]`"])
    else { return }
    settings.values = EffectiveSettings(root)
    readGeneral(fields)
    readFirewall(fields)
    readRetention(fields)
    readGeo(fields)
    library = FilterLibrary(directories: settings.filters, builtin: builtin)
    if let value = fields["defaults"], let keys = Fields(value, "defaults", known: Keys.limits.names) {
      defaults = JailKeys(keys)
    }
    settings.defaults = defaults.limits(name: "defaults", defaults: JailKeys(), filter: nil)
    let jails = fields["jails"].flatMap { Fields($0, "jails") }?.entries.map(\.key) ?? []
    settings.failures = fields["failures"].flatMap {
      FailureSettingsReader(problems: problems, jails: jails).read($0)
    }
    settings.api = fields["api"].flatMap { APISettingsReader(problems: problems, jails: jails).read($0) }
    hasFleet = fields.has("fleet")
    settings.fleet = fields["fleet"].flatMap(FleetReader.read)
    guard readsJails else { return }
    readJails(fields)
    readLists(fields)
    readStaticRules(fields)
    readOutputs(fields)
    readReports(fields)
  }

  private mutating func readGeneral(_ fields: Fields) {
    if let path = fields["state"]?.path("state") { settings.state = path }
    if let path = fields["socket"]?.path("socket") {
      // sockaddr_un has room for 107 bytes (unix(7)).
      if path.utf8.count > 107 {
        fields["socket"]!.fail("`socket` has \(path.utf8.count) bytes", "a Unix socket's path has at most 107")
      }
      settings.socket = path
    }
    settings.group = fields["group"]?.group()
    if let values = fields["filters"]?.list("filters") {
      settings.filters = values.compactMap { value in
        guard let path = value.name("filters").map({ absolute($0, in: value) }) else { return nil }
        if !machine.hasFile(path) {
          problems.warn(
            value.place, "there is no directory \(quoted(path))", remedy: "create it, or drop it from the list")
        }
        return path
      }
    }
    if let everybody = fields["everybody"]?.bool("everybody") { settings.everybody = everybody }
    settings.ignoreip = fields["ignoreip"]?.ignoreEntries(everybody: settings.everybody) ?? []
    settings.trustedProxies = fields["trusted_proxies"]?.proxies() ?? []
    settings.ignoreip += settings.trustedProxies.map { .subnet($0) }.filter { !settings.ignoreip.contains($0) }
    if let values = fields["container_roots"]?.list("container_roots") {
      settings.containerRoots = values.compactMap { $0.path("container_roots") }
    }
    if let value = fields["ignoreself"]?.bool("ignoreself") { settings.ignoreself = value }
    if let value = fields["protect_sessions"] {
      if value.word == "all" {
        settings.protectSessions = .everybody
      } else if let isOn = value.bool("protect_sessions") {
        settings.protectSessions = isOn ? .administrators : .none
      }
    }
    if let value = fields["on_full"]?.choice("on_full", OnFull.self) { settings.onFull = value }
    if let isOn = fields["activity"]?.bool("activity") { settings.activity = isOn }
    if let value = fields["alerts"] { settings.alerts = AlertReader.read(value) }
    if let value = fields["compat"] { settings.compat = CompatReader.read(value, problems: problems) }
    if let value = fields["bans_per_minute_warning"]?.integer("bans_per_minute_warning", 1...1_000_000_000) {
      settings.bansPerMinuteWarning = value
    }
  }

  private mutating func readRetention(_ fields: Fields) {
    guard let value = fields["retention"], let keys = Fields(value, "retention", known: Keys.retention.names)
    else { return }
    if let age = keys["failures"]?.age("failures") { settings.retention.failures = age.span }
    if let age = keys["bans"]?.age("bans") { settings.retention.bans = age.span }
    if let age = keys["activity"]?.age("activity") { settings.retention.activity = age.span }
    settings.retention.size = Self.size(keys, "size", otherwise: settings.retention.size)
    settings.retention.activitySize = Self.size(keys, "activity_size", otherwise: settings.retention.activitySize)
  }

  /// Nil: unlimited.
  private static func size(_ keys: Fields, _ key: String, otherwise usual: Int64?) -> Int64? {
    guard let size = keys[key] else { return usual }
    if size.word == "unlimited" { return nil }
    if let bytes = size.word.flatMap(ByteSize.parse), bytes >= 1 << 20 { return bytes }
    size.fail("`\(key)` is \(size.typed)", "write at least 1MiB, for example 500MiB or 2GiB, or unlimited")
    return usual
  }

  static let noJails = "add for example jails: {sshd: {filter: sshd}}"

  private mutating func readJails(_ fields: Fields) {
    guard let entry = fields.entry("jails") else {
      problems.add(fields.place, "there are no `jails`; nothing would be watched", remedy: Self.noJails)
      return
    }
    guard let jails = Fields(entry.value, "jails") else { return }
    if jails.entries.isEmpty {
      problems.add(entry.place, "`jails` is empty; nothing would be watched", remedy: Self.noJails)
    }
    for (index, jail) in jails.entries.enumerated() {
      problems.jail = jail.key
      let before = problems.errors.count
      if jail.value.isNull, let below = notIndented(below: index, jails.entries) {
        problems.add(
          jail.place, "the lines below `\(printable(jail.key)):` are not indented, so that they are none of its own",
          remedy: "put two blanks before \(quoted(below)) and what else belongs to it")
        brokenJails.append(jail.key)
        break
      }
      let result = readJail(jail)
      if problems.errors.count == before, let result {
        settings.jails.append(result)
      } else {
        brokenJails.append(jail.key)
      }
    }
    problems.jail = nil
  }

  /// The key behind an empty jail, when it is a jail's key rather than a jail's name.
  private func notIndented(below index: Int, _ entries: [Fields.Entry]) -> String? {
    guard index + 1 < entries.count, Keys.jail.names.contains(entries[index + 1].key) else { return nil }
    return entries[index + 1].key
  }

  private mutating func readLists(_ fields: Fields) {
    guard let value = fields["lists"], let lists = Fields(value, "lists") else { return }
    let jails = fields["jails"].flatMap { Fields($0, "jails") }?.entries.map(\.key) ?? []
    for entry in lists.entries {
      let before = problems.errors.count
      let result = ListReader.read(entry, jails: jails, geo: settings.geo, problems: problems)
      if problems.errors.count == before, let result { settings.lists.append(result) }
    }
  }

  private mutating func readOutputs(_ fields: Fields) {
    guard let value = fields["outputs"], let outputs = Fields(value, "outputs") else { return }
    let jails = fields["jails"].flatMap { Fields($0, "jails") }?.entries.map(\.key) ?? []
    for entry in outputs.entries {
      problems.output = entry.key
      let before = problems.errors.count
      let result = OutputReader.read(entry, jails: jails, problems: problems)
      if problems.errors.count == before, let result { settings.outputs.append(result) }
    }
    problems.output = nil
    warnOfReadableSecrets(value.place)
  }

  private func warnOfReadableSecrets(_ place: Place) {
    guard settings.outputs.contains(where: \.holdsSecretText),
      let status = try? FileStatus.of(path: place.file), status.mode & 0o004 != 0
    else { return }
    problems.warn(
      place, "everybody can read this file, and it holds a secret",
      remedy: "chmod 600 it, or write the secret as {file: /etc/bailiff/secrets/NAME}")
  }
}
