internal import Detection
internal import Filters

extension SettingsReader {
  /// What people write in jail.conf that is said in another way here.
  static let fail2banKeys = [
    "action": "bans go to the firewall of `firewall`; set `port`, `protocol` and `bantime`",
    "banaction": "set `firewall: {backend: auto}` for all jails, and `block: drop` or `reject` for one",
    "banaction_allports": "write `port: all`", "chain": "set `firewall: {chains: […]}` for all jails",
    "failregex": "patterns stand in a filter file", "ignoreregex": "patterns stand in a filter file",
    "mode": "write `options: {mode: …}`",
    "ignorecommand": "not supported; list addresses, names or files in `ignoreip`",
    "ignoreself": "set it for all jails, at the top", "bantime.increment": "write `bantime_increment: true`",
    "bantime.factor": "write `bantime_increment: {factor: …}`",
    "bantime.maxtime": "write `bantime_increment: {maxtime: …}`",
    "bantime.rndtime": "write `bantime_increment: {rndtime: …}`",
    "bantime.multipliers": "write `bantime_increment: {multipliers: […]}`",
    "bantime.overalljails": "write `bantime_increment: {overalljails: true}`",
    "ports": "did you mean `port`?", "timezone": "did you mean `logtimezone`?", "max_lines": "did you mean `maxlines`?",
  ]

  mutating func readJail(_ entry: Fields.Entry) -> JailSettings? {
    let name = entry.key
    if !Self.isName(name) {
      problems.add(
        entry.place, "\(quoted(name)) is no name for a jail", remedy: "use up to 64 letters, digits, `-`, `_` and `.`")
    }
    guard let fields = Fields(entry.value, name, known: Keys.jail.names, elsewhere: Self.fail2banKeys) else {
      return nil
    }
    let keys = JailKeys(fields)
    let enabled = fields["enabled"]?.bool("enabled") ?? true
    let source =
      fields["source"]?.choice("source", JailSettings.Source.self) ?? (fields.has("alerts") ? .alerts : .logs)
    let (filter, definition) = readFilter(fields, entry, source)
    var jail = JailSettings(
      name: name, enabled: enabled, place: entry.place, source: source, filter: filter, definition: definition,
      limits: keys.limits(name: name, defaults: defaults, filter: definition))
    if source == .alerts { jail.limits.maxretry = keys.maxretry ?? 1 }
    jail.limits.alertKinds = alertKinds(fields, entry, source)
    requireWiderBlocks(fields, entry, jail.limits)
    requirePart(fields, entry, jail)
    jail.scope = readScope(fields, jail)
    readSources(fields, entry, &jail, keys)
    let ports = keys.ports ?? defaults.ports ?? definition?.port ?? []
    jail.ports = Self.ports(ports)
    // SIP, DNS and VPNs are spoken over both, and so is the web (HTTP/3): whoever is banned must not go on over the other.
    jail.protocols = keys.protocols ?? defaults.protocols ?? [.tcp, .udp]
    jail.block = keys.block ?? defaults.block ?? .drop
    jail.ignoreip = settings.ignoreip + (fields["ignoreip"]?.ignoreEntries(everybody: settings.everybody) ?? [])
    jail.trustedProxies = settings.trustedProxies + (fields["trusted_proxies"]?.proxies() ?? [])
    jail.ignoreip += jail.trustedProxies.map { .subnet($0) }.filter { !jail.ignoreip.contains($0) }
    jail.limits.ignore = IgnoreList(
      jail.ignoreip.compactMap { if case .subnet(let subnet) = $0 { subnet } else { nil } })
    overrideRules(fields, keys, &jail)
    if enabled { warnOfMissingFiles(jail) }
    // A filter in error was reported with the first jail that names it; the others cannot run either.
    return jail.definition != nil || !source.hasFilter ? jail : nil
  }

  /// What is banned for what is in it must hold more than one id.
  private func requireWiderBlocks(_ fields: Fields, _ entry: Fields.Entry, _ limits: Jail) {
    guard let escalation = limits.escalation else { return }
    let pairs = [
      ("ipv4", escalation.ipv4Prefix, limits.ipv4Prefix), ("ipv6", escalation.ipv6Prefix, limits.ipv6Prefix),
    ]
    for (family, block, id) in pairs where block >= id {
      problems.add(
        fields.entry("escalate")?.place ?? entry.place,
        "`escalate` bans \(family) /\(block), which is no wider than the /\(id) that jail \(quoted(entry.key)) bans anyway",
        remedy: "write escalate: {\(family): …} with a smaller number than `prefix` has, or escalate: false")
    }
  }

  /// What is counted by itself must be in the lines.
  private func requirePart(_ fields: Fields, _ entry: Fields.Entry, _ jail: JailSettings) {
    let per = jail.limits.per
    guard per != .address, jail.definition.map({ !$0.tells(per) }) ?? (per == .app && !jail.source.hasFilter) else {
      return
    }
    problems.add(
      fields.entry("per")?.place ?? entry.place,
      "jail \(quoted(entry.key)) counts by \(per.rawValue), which its lines do not name",
      remedy: "write per: address, or a filter with (?<\(per.rawValue)>…) or fields: {\(per.rawValue): …}")
  }

  private func readScope(_ fields: Fields, _ jail: JailSettings) -> JailSettings.Scope {
    guard let value = fields["scope"], value.choice("scope", JailSettings.Scope.self) == .fleet else { return .local }
    guard settings.fleet != nil || hasFleet else {
      value.fail("`scope: fleet` without a `fleet`", "write fleet: {servers: [nats://HOST:4222]} at the top")
      return .local
    }
    if !(2...FleetSettings.highestLimit).contains(jail.limits.maxretry) {
      value.fail(
        "a fleet cannot count to a `maxretry` of \(jail.limits.maxretry)",
        "write 2 to \(FleetSettings.highestLimit), or scope: local")
    } else if [.bans, .alerts].contains(jail.source) || !jail.limits.isRecorded {
      value.fail(
        "the fleet hears of failures that are stored, and this jail stores none of its own",
        "drop `record: counts` or `source`, or write scope: local")
    } else if jail.limits.per != .address {
      value.fail("a fleet counts addresses", "drop `per`, or write scope: local")
    }
    return .fleet
  }

  /// Names of jails and outputs go into firewall sets, paths of the API and messages.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 64 && !name.hasPrefix("-") && !name.hasPrefix(".")
      && name.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
      }
  }

  /// Names that were checked already.
  static func ports(_ names: [String]) -> Ports {
    names.isEmpty || names.contains("all") ? .all : Ports(ranges: names.compactMap(Ports.range))
  }

  private mutating func readFilter(
    _ fields: Fields, _ entry: Fields.Entry, _ source: JailSettings.Source
  ) -> (FilterReference?, FilterDefinition?) {
    guard let value = fields["filter"] else {
      if source.hasFilter {
        problems.add(entry.place, "jail \(quoted(entry.key)) has no `filter`", remedy: "name one: filter: sshd")
      }
      if let options = fields["options"] {
        options.fail("`options` without a `filter`", "add `filter` or drop `options`")
      }
      return (nil, nil)
    }
    guard let name = value.name("filter") else { return (nil, nil) }
    guard source.hasFilter else {
      value.fail("a jail with `source: \(source.rawValue)` has no filter", "drop `filter`")
      return (nil, nil)
    }
    if let bracket = name.firstIndex(of: "["), name.hasSuffix("]") {
      value.fail(
        "options stand on their own",
        "write filter: /etc/fail2ban/filter.d/\(name[..<bracket]).conf and options: {mode: …}")
      return (nil, nil)
    }
    let path = FilterLibrary.isPath(name) || name.hasSuffix(".conf") ? absolute(name, in: value) : name
    if name.hasSuffix(".conf") {
      let options = fields["options"].flatMap(self.options) ?? [:]
      // A filter of fail2ban's must know that its lines are the journal's: their headers differ.
      var given = options
      if !fields.has("logpath"), options["logtype", default: ""].isEmpty { given["logtype"] = "journal" }
      return (.fail2ban(path: path, options: options), readFail2ban(path, given, value))
    }
    if let options = fields["options"] {
      options.fail(
        "a native filter has no options", "drop `options`, or name a fail2ban filter (filter: /path/name.conf)")
    }
    return (.native(path), readNative(path, value))
  }

  private func options(_ value: Value) -> [String: String]? {
    guard let fields = Fields(value, "options") else { return nil }
    var options: [String: String] = [:]
    // A filter's option may be several patterns, one a line.
    for entry in fields.entries { options[entry.key] = entry.value.text(entry.key, anyCharacter: true) }
    return options
  }

  /// Relative paths begin where the file is that has them.
  func absolute(_ path: String, in value: Value) -> String { Pieces.absolute(path, besides: value.place.file) }

  private mutating func readNative(_ reference: String, _ value: Value) -> FilterDefinition? {
    if let known = loaded[reference] { return known }
    let path: String
    if FilterLibrary.isPath(reference) {
      path = reference
    } else if let found = library.path(of: reference) {
      path = found
    } else {
      value.fail("no filter \(quoted(reference))", library.hint(for: reference))
      return nil
    }
    let inner = Problems()
    inner.jail = problems.jail
    let definition = FilterFile.read(path, inner)
    for error in inner.errors {
      if error.place.line == 0 {
        value.fail("filter \(quoted(path)) \(error.message)", error.remedy)
      } else {
        problems.add(error)
      }
    }
    loaded[reference] = .some(inner.errors.isEmpty ? definition : nil)
    return inner.errors.isEmpty ? definition : nil
  }

  private func readFail2ban(_ path: String, _ options: [String: String], _ value: Value) -> FilterDefinition? {
    guard let fail2banFilter else {
      value.fail("fail2ban filters cannot be read here", "name a native filter")
      return nil
    }
    do {
      return try fail2banFilter(path, options)
    } catch let errors as SettingsErrors {
      for error in errors.errors { add(error, at: value) }
    } catch let error as SettingsError {
      add(error, at: value)
    } catch let error as FilterError {
      add(SettingsError(error), at: value)
    } catch {
      value.fail("filter \(quoted(path)): \(error)", "correct it, or name another filter")
    }
    return nil
  }

  private func add(_ error: SettingsError, at value: Value) {
    var error = error
    error.jail = problems.jail
    if error.place.line == 0 {
      if !error.place.file.isEmpty { error.message = "filter \(quoted(error.place.file)) \(error.message)" }
      error.place = value.place
    }
    problems.add(error)
  }

  private func readSources(_ fields: Fields, _ entry: Fields.Entry, _ jail: inout JailSettings, _ keys: JailKeys) {
    let hasPaths = fields.has("logpath")
    let hasMatches = fields.has("journalmatch")
    let paths = fields["logpath"]?.logpaths() ?? []
    let matches = fields["journalmatch"]?.journalmatch() ?? []
    jail.backend = keys.backend ?? defaults.backend ?? .auto
    jail.containers = fields["containers"]?.names("containers") ?? []
    let hasContainers = fields.has("containers")
    guard jail.source == .logs else {
      for key in ["logpath", "journalmatch", "containers"] where fields[key] != nil {
        fields.entry(key)!.value.fail(
          "a jail with `source: \(jail.source.rawValue)` reads no logs", "drop `\(key)` or `source`")
      }
      return
    }
    // A jail that names one kind of source means that one only.
    jail.logpath = hasPaths ? paths : hasMatches || hasContainers ? [] : jail.definition?.logpath ?? []
    jail.journalmatch = hasMatches ? matches : hasPaths || hasContainers ? [] : jail.definition?.journalmatch ?? []
    let unread =
      switch jail.backend {
      case .journal: jail.journalmatch.isEmpty
      case .files: jail.logpath.isEmpty
      case .auto, .both: jail.logpath.isEmpty && jail.journalmatch.isEmpty
      }
    // With a filter or a list in error the sources are not known.
    guard unread, jail.containers.isEmpty, jail.definition != nil,
      paths.count == fields["logpath"]?.list("logpath")?.count ?? 0,
      matches.count == fields["journalmatch"]?.list("journalmatch")?.count ?? 0
    else { return }
    problems.add(
      entry.place, "jail \(quoted(entry.key)) has no source",
      remedy: jail.backend == .journal
        ? "add journalmatch: [FIELD=value]"
        : "add logpath: [/var/log/…]\(jail.backend == .files ? "" : " or journalmatch: [FIELD=value]")")
  }

  private func warnOfMissingFiles(_ jail: JailSettings) {
    let sources = jail.sources(on: machine)
    let files = sources.files
    guard !files.isEmpty, sources.journal.isEmpty, !files.contains(where: machine.hasFile) else { return }
    problems.warn(
      jail.place, "no file matches \(files.map(quoted).joined(separator: ", ")) of jail \(quoted(jail.name))",
      remedy: "check the path; the file is read as soon as it is there")
  }

  /// What a jail may change in a fail2ban filter; native filters take only `usedns` and `logtimezone`.
  private func overrideRules(_ fields: Fields, _ keys: JailKeys, _ jail: inout JailSettings) {
    let maxlines = fields["maxlines"]?.integer("maxlines", 1...1000)
    let datepattern = fields["datepattern"]?.text("datepattern")
    let encoding = fields["logencoding"]?.name("logencoding")
    let usedns = keys.usedns ?? defaults.usedns
    jail.timezone = keys.timezone ?? defaults.timezone
    guard var definition = jail.definition else { return }
    guard case .fail2ban(var rules) = definition.rules else {
      for key in ["maxlines", "datepattern", "logencoding"] where fields[key] != nil {
        problems.add(
          fields.entry(key)!.place, "\(quoted(key)) is for fail2ban filters only", remedy: "drop it")
      }
      jail.usedns = usedns ?? .no
      return
    }
    if let maxlines { rules.maxlines = maxlines }
    if let datepattern { rules.datepattern = datepattern }
    if let encoding { rules.logencoding = encoding }
    if let usedns { rules.usedns = usedns }
    if let timezone = jail.timezone { rules.logtimezone = timezone }
    jail.usedns = rules.usedns
    jail.timezone = rules.logtimezone
    definition.rules = .fail2ban(rules)
    jail.definition = definition
  }
}
