/// A whole `bailiff.yaml`: what is the same for all jails is said once.
struct ImportedSettings {
  private var jails: [ImportedJail]
  private var defaults = ImportedJail.Limits()
  private var usedns = "warn"
  private var ignoreip: [String] = []
  private var ignoreself = true
  private var chains: [String] = []
  private var outputs: [ImportedOutput] = []

  init(_ jails: [ImportedJail], _ reader: JailReader, _ notes: inout Notes) {
    self.jails = jails
    defaults.maxretry = Self.mostCommon(jails.map(\.limits.maxretry)) ?? defaults.maxretry
    defaults.findtime = Self.mostCommon(jails.map(\.limits.findtime)) ?? defaults.findtime
    defaults.bantime = Self.mostCommon(jails.map(\.limits.bantime)) ?? defaults.bantime
    if let first = jails.first, jails.allSatisfy({ $0.limits.increment == first.limits.increment }) {
      defaults.increment = first.limits.increment
    }
    usedns = Self.mostCommon(jails.filter { $0.source != .bans }.map(\.usedns)) ?? usedns
    if let first = jails.first, jails.allSatisfy({ $0.ignoreip == first.ignoreip }) {
      ignoreip = first.ignoreip
      for index in self.jails.indices { self.jails[index].ignoreip = [] }
    }
    if let value = reader.configuration.defaults["ignoreself"]?.value { ignoreself = JailReader.isTrue(value) }
    setChains(reader, &notes)
    outputs = ImportedOutput.merged(jails.flatMap(\.outputs))
  }

  /// The jails whose action the output of that name stands for, and its action.
  func origins(ofOutput name: String) -> [(jail: String, output: ImportedOutput)] {
    guard let output = outputs.first(where: { $0.name == name }) else { return [] }
    return output.jails.map { ($0, output) }
  }

  private mutating func setChains(_ reader: JailReader, _ notes: inout Notes) {
    for chain in jails.flatMap(\.chains) where !chains.contains(chain) { chains.append(chain) }
    if jails.contains(where: { $0.chains.isEmpty }) || jails.isEmpty { chains.insert("INPUT", at: 0) }
    guard chains.count > 1 else { return }
    for jail in jails where !jail.chains.isEmpty {
      notes.add(
        reader.error(
          jail.name, "action", "the chain \(jail.chains.joined(separator: ", ")) is not this jail's alone with Bailiff"),
        "every jail's bans hold in \(chains.joined(separator: ", ")), see `firewall`")
    }
  }

  private static func mostCommon(_ values: [String]) -> String? {
    var counts: [String: Int] = [:]
    for value in values { counts[value, default: 0] += 1 }
    return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
  }

  /// - Parameters:
  ///   - copy: where fail2ban's filters were copied to.
  ///   - natives: the names of Bailiff's own filters; nil: no advice.
  func yaml(directory: String, copy: String?, natives: Set<String>?) -> String {
    var lines = ["# fail2ban's jails of \(Self.oneLine(directory)), by `bailiff import fail2ban`."]
    if let copy {
      lines.append("# The filters are copies of fail2ban's in \(Self.oneLine(copy)), unmodified.")
    } else {
      lines.append("# The filters are used where they are, unmodified.")
      if natives != nil {
        lines += [
          "# `apt purge fail2ban` takes them away, and the jails with them: import with --copy-filters before that, or use",
          "# Bailiff's own filters.",
        ]
      }
    }
    lines += [
      "ignoreip: \(YAMLText.list(ignoreip))",
      "ignoreself: \(ignoreself)",
      "firewall: {backend: ipset, chains: \(YAMLText.list(chains))}",
      "defaults:",
      "  maxretry: \(defaults.maxretry)",
      "  findtime: \(defaults.findtime)",
      "  bantime: \(defaults.bantime)",
    ]
    if let increment = defaults.increment { lines.append("  bantime_increment: \(Self.text(increment))") }
    lines += [
      "  usedns: \(YAMLText.scalar(usedns))",
      "  # fail2ban counts and bans each IPv6 address alone. With 64, Bailiff's own default, a network is one.",
      "  prefix: {ipv4: 32, ipv6: 128}",
      jails.isEmpty ? "jails: {}" : "jails:",
    ]
    for jail in jails { lines += text(jail, natives ?? []) }
    if !outputs.isEmpty { lines.append("outputs:") }
    for output in outputs { lines += text(output) }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func oneLine(_ path: String) -> String { path.filter { !$0.isNewline } }

  private func text(_ output: ImportedOutput) -> [String] {
    // Those of all jails need no list.
    let isOfAll = Set(output.jails) == Set(jails.map(\.name))
    let keys = output.keys + (isOfAll ? [] : [(key: "jails", value: YAMLText.list(output.jails))])
    return ["  \(YAMLText.scalar(output.name)):"] + keys.map { "    \($0.key): \($0.value)" }
  }

  private func text(_ jail: ImportedJail, _ natives: Set<String>) -> [String] {
    var lines = ["  \(YAMLText.scalar(jail.name)):"]
    func add(_ key: String, _ value: String) { lines.append("    \(key): \(value)") }
    func addList(_ key: String, _ items: [String]) {
      add(key, "")
      lines[lines.count - 1].removeLast()
      lines += items.map { "      - " + YAMLText.scalar($0) }
    }
    if !jail.isEnabled { add("enabled", "false") }
    switch jail.source {
    case .bans: add("source", "bans")
    case .journal(let matches):
      addFilter(jail, natives, &lines)
      add("backend", "journal")
      if !matches.isEmpty { addList("journalmatch", matches) }
    case .files(let paths):
      addFilter(jail, natives, &lines)
      add("backend", "files")
      addList("logpath", paths)
    }
    add("port", jail.ports.map(YAMLText.list) ?? "all")
    if jail.ports != nil, jail.protocols != ["tcp"] { add("protocol", YAMLText.list(jail.protocols)) }
    let limits = jail.limits
    if limits.maxretry != defaults.maxretry { add("maxretry", limits.maxretry) }
    if limits.findtime != defaults.findtime { add("findtime", limits.findtime) }
    if limits.bantime != defaults.bantime { add("bantime", limits.bantime) }
    if limits.increment != defaults.increment {
      add("bantime_increment", limits.increment.map(Self.text) ?? "false")
    }
    if !jail.ignoreip.isEmpty { add("ignoreip", YAMLText.list(jail.ignoreip)) }
    if jail.source != .bans, jail.usedns != usedns { add("usedns", YAMLText.scalar(jail.usedns)) }
    if let zone = jail.timezone { add("logtimezone", YAMLText.scalar(zone)) }
    return lines
  }

  private func addFilter(_ jail: ImportedJail, _ natives: Set<String>, _ lines: inout [String]) {
    let name = (jail.filter.split(separator: "/").last ?? "").split(separator: ".").first.map(String.init) ?? ""
    if natives.contains(name) {
      lines.append("    # Bailiff has a filter of its own for it: `filter: \(name)`, without options.")
    }
    lines.append("    filter: \(YAMLText.scalar(jail.filter))")
    guard !jail.options.isEmpty else { return }
    lines.append("    options:")
    for (name, value) in jail.options.sorted(by: { $0.key < $1.key }) {
      lines.append("      \(YAMLText.scalar(name)): \(YAMLText.value(value, indent: 6))")
    }
  }

  private static func text(_ increment: ImportedJail.Increment) -> String {
    var parts = ["factor: 2"]
    if let coefficient = increment.coefficient { parts.append("coefficient: \(coefficient)") }
    if !increment.multipliers.isEmpty {
      parts.append("multipliers: [\(increment.multipliers.map(String.init).joined(separator: ", "))]")
    }
    if let maxtime = increment.maxtime { parts.append("maxtime: \(maxtime)") }
    if let rndtime = increment.rndtime { parts.append("rndtime: \(rndtime)") }
    if increment.overalljails { parts.append("overalljails: true") }
    return "{" + parts.joined(separator: ", ") + "}"
  }
}
