internal import Fail2banMatching
import Filters
import Model
import Settings

/// Finds Bailiff's words for one jail, and notes what has none.
struct JailTranslation {
  private let reading: JailReader.Reading
  private let reader: JailReader
  private(set) var notes = Notes()

  init(_ reading: JailReader.Reading, _ reader: JailReader) {
    self.reading = reading
    self.reader = reader
  }

  /// Nil, with a note, where the jail cannot be one of Bailiff's.
  mutating func jail(isEnabled: Bool) throws(ConfigurationError) -> ImportedJail? {
    var jail = ImportedJail(
      name: reading.name, isEnabled: isEnabled, filter: reading.filterBase + ".conf", source: .bans)
    guard try applyActions(to: &jail) else { return nil }
    if reading.filterBase.hasSuffix("/recidive") {
      // fail2ban reads its own log for this; Bailiff has the bans themselves.
      jail.filter = ""
    } else {
      guard let source = try source() else { return nil }
      if let own = withoutOwnLog(source) {
        jail.source = own
        if own == .bans { jail.filter = "" } else { guard try applyFilter(to: &jail) else { return nil } }
      } else {
        jail.source = source
        guard try applyFilter(to: &jail) else { return nil }
      }
    }
    jail.limits = limits()
    jail.ignoreip = ignoreip()
    if option("ignorecommand") != nil { noteIgnoreCommand(&jail) }
    noteTheRest()
    return jail
  }

  /// What a jail reads that reads fail2ban's own log; nil where it does not.
  private mutating func withoutOwnLog(_ source: ImportedJail.Source) -> ImportedJail.Source? {
    switch source {
    case .bans: return nil
    case .journal:
      let matches = [reading.filterOptions["journalmatch"], reading.options["journalmatch"]].compactMap { $0 }
      guard matches.contains(where: { $0.contains("=fail2ban.service") }) else { return nil }
    case .files(let paths):
      let others = paths.filter { !Self.isOwnLog($0) }
      guard others.count < paths.count else { return nil }
      guard others.isEmpty else {
        note("logpath", "nobody writes fail2ban's own log any more", "the jail reads its other logs")
        return .files(others)
      }
    }
    note(
      option("backend")?.hasPrefix("systemd") == true ? "journalmatch" : "logpath",
      "nobody writes fail2ban's own log any more",
      "the jail counts Bailiff's own bans (`source: bans`) instead; its filter is not used")
    return .bans
  }

  /// `/var/log/fail2ban.log`, also with what rotation appends.
  private static func isOwnLog(_ path: String) -> Bool {
    guard let name = path.split(separator: "/").last else { return false }
    return name.hasPrefix("fail2ban") && name.contains(".log") || path.hasPrefix("/var/log/fail2ban/")
  }

  /// An abbreviation is a fixed offset to fail2ban, and some are none to the tz database, or have summer time there.
  private static func zone(_ name: String) -> String {
    guard !["UTC", "GMT", "Z"].contains(name), let offset = ZoneName.abbreviated(name) else { return name }
    let minutes = abs(offset) / 60
    let digits = (minutes / 60 * 100 + minutes % 60 + 10_000).description.dropFirst()
    return "UTC\(offset < 0 ? "-" : "+")\(digits)"
  }

  /// False where the jail must not be imported.
  private mutating func applyFilter(to jail: inout ImportedJail) throws(ConfigurationError) -> Bool {
    let rules = try JailFilter(reading, reader)
    guard LogEncoding(name: rules.rules.logencoding) != nil else {
      note(
        "logencoding", "`\(rules.rules.logencoding)` is not supported", "the jail is left out; \(LogEncoding.supported)"
      )
      return false
    }
    jail.options = rules.options
    jail.usedns = rules.rules.usedns.rawValue
    jail.timezone = rules.rules.logtimezone.map(Self.zone)
    return true
  }

  private mutating func note(_ option: String, _ reason: String, _ remedy: String) {
    notes.add(reader.error(reading.name, option, reason), remedy)
  }

  /// What `[DEFAULT]` says is noted once.
  private mutating func noteShared(_ option: String, _ reason: String, _ remedy: String) {
    notes.add(reader.sharedError(reading.name, option, reason), remedy)
  }

  private func option(_ name: String) -> String? {
    reading.options[name].map(\.trimmed).flatMap { $0.isEmpty ? nil : $0 }
  }

  // MARK: Actions

  /// False where the jail must not be imported.
  private mutating func applyActions(to jail: inout ImportedJail) throws(ConfigurationError) -> Bool {
    var bans: [BanAction] = []
    for action in reading.actions {
      let translated = BanAction(action, jail: reading.name, directory: reader.directory)
      for remark in translated.remarks { note("action", remark, "check the jail's `port` and `protocol`") }
      switch translated.kind {
      case .firewall: bans.append(translated)
      case .replaced(let what):
        note("action", "`\(action.name)`: Bailiff's firewall takes the place of \(what)", "it closes every port")
        bans.append(translated)
      case .admits:
        note(
          "action", "`\(action.name)` lets addresses in (blocktype), and Bailiff only keeps out",
          "the jail is left out")
        return false
      case .tells(let output):
        if let remark = output.remark {
          note("action", "`\(action.name)` becomes an output", remark)
        }
        jail.outputs.append(output)
      case .other(let instead): note("action", "`\(action.name)` is left out", instead)
      }
    }
    if bans.isEmpty, jail.isEnabled {
      jail.isEnabled = false
      note("action", "nothing in it bans in this machine's firewall", "set `enabled: true` if Bailiff shall ban")
    }
    jail.chains = bans.compactMap(\.chain)
    guard bans.allSatisfy({ $0.ports != nil }), !bans.isEmpty else { return true }
    jail.ports = unique(bans.flatMap { $0.ports ?? [] })
    jail.protocols = unique(bans.flatMap(\.protocols))
    let pairs = Set(bans.map { Set($0.ports ?? []) })
    if pairs.count > 1, jail.protocols.count > 1 {
      note(
        "action", "its actions close different ports for \(jail.protocols.joined(separator: " and "))",
        "all of the ports are closed for each of them; split the jail if that is too much")
    }
    return true
  }

  // MARK: Sources

  private mutating func source() throws(ConfigurationError) -> ImportedJail.Source? {
    let backend = option("backend") ?? "auto"
    if backend.hasPrefix("systemd") {
      if backend.contains("[") {
        note("backend", "the options of `\(backend)` are left out", "Bailiff reads this machine's own journal")
      }
      let text = [reading.filterOptions["journalmatch"], reading.options["journalmatch"]].compactMap { $0 }
        .joined(separator: "\n")
      let matches = try FilterTranslation.journalMatches(text, reading.filterReader)
      // The filter's own need not be said.
      let own = try FilterTranslation.journalMatches(reading.filterOptions["journalmatch"] ?? "", reading.filterReader)
      if !matches.isEmpty { return .journal(matches == own ? [] : matches) }
      note(
        "journalmatch", "there is none, so the jail reads every entry of the journal",
        "name the unit: journalmatch: [_SYSTEMD_UNIT=….service]")
      return .journal(["audit", "driver", "journal", "kernel", "stdout", "syslog"].map { "_TRANSPORT=" + $0 })
    }
    let paths = (option("logpath") ?? "").split(separator: "\n").map { String($0).trimmed }.filter { !$0.isEmpty }
    guard !paths.isEmpty else {
      note(
        "logpath", "the jail has neither `logpath` nor `backend = systemd`, so it reads nothing", "the jail is left out"
      )
      return nil
    }
    return .files(
      paths.map { path in
        guard let space = path.lastIndex(of: " ") else { return path }
        return ["head", "tail"].contains(path[path.index(after: space)...]) ? String(path[..<space]).trimmed : path
      })
  }

  // MARK: Limits

  private mutating func limits() -> ImportedJail.Limits {
    var limits = ImportedJail.Limits()
    if let text = option("maxretry") {
      if let count = Int(text), count > 0 {
        limits.maxretry = String(count)
      } else {
        noteShared("maxretry", "`\(text)` is not a number of failures", "5 is taken")
      }
    }
    if let span = span("findtime", else: "10m is taken") { limits.findtime = span }
    if let text = option("bantime") {
      if let span = try? TimeSpan(parsing: Self.withoutComment(text)) {
        limits.bantime = span < .zero ? "permanent" : Self.text(span)
      } else {
        noteShared("bantime", "`\(text)` is no length of time", "10m is taken")
      }
    }
    if JailReader.isTrue(option("bantime.increment") ?? "") { limits.increment = increment() }
    return limits
  }

  private mutating func increment() -> ImportedJail.Increment {
    var increment = ImportedJail.Increment()
    if let text = option("bantime.factor") {
      let parts = text.split(separator: "/").map { Double(String($0).trimmed) }
      if parts.count == 1, let value = parts[0], value > 0 {
        increment.coefficient = value == 1 ? nil : value
      } else if parts.count == 2, let a = parts[0], let b = parts[1], a > 0, b > 0 {
        increment.coefficient = a / b
      } else {
        noteShared("bantime.factor", "`\(text)` is not a number above 0", "1 is taken; set `coefficient`")
      }
    }
    if let coefficient = increment.coefficient, coefficient < 0.5, option("bantime.multipliers") == nil {
      noteShared(
        "bantime.factor", "with less than 0.5, the second ban is shorter than the first",
        "fail2ban does not go below `bantime`; take 0.5 or more as `coefficient`")
    }
    if let text = option("bantime.multipliers") {
      let values = text.split(separator: " ").map { Int($0) }
      if values.allSatisfy({ $0 ?? 0 > 0 }) {
        increment.multipliers = values.compactMap { $0 }
      } else {
        noteShared(
          "bantime.multipliers", "`\(text)` are not whole numbers above 0", "write a list: multipliers: [1, 2, 4]")
      }
    }
    if option("bantime.formula") != nil, increment.multipliers.isEmpty {
      noteShared(
        "bantime.formula", "formulas are not evaluated",
        "each ban lasts twice as long as the one before; write `factor` or `multipliers` under `bantime_increment`")
    }
    increment.maxtime = span("bantime.maxtime", else: "there is no upper limit")
    increment.rndtime = span("bantime.rndtime", else: "nothing is added at random")
    increment.overalljails = JailReader.isTrue(option("bantime.overalljails") ?? "")
    return increment
  }

  private mutating func span(_ name: String, else remedy: String) -> String? {
    guard let text = option(name) else { return nil }
    guard let span = try? TimeSpan(parsing: Self.withoutComment(text)), span > .zero else {
      noteShared(name, "`\(text)` is no length of time above 0", remedy)
      return nil
    }
    return Self.text(span)
  }

  /// fail2ban evaluates a length of time as Python would, for which `#` begins a comment.
  private static func withoutComment(_ text: String) -> String {
    String(text.prefix { $0 != "#" }).trimmed
  }

  /// `1w`, `1h30m`, `45s`.
  static func text(_ span: TimeSpan) -> String {
    var seconds = span.seconds
    var text = ""
    for (unit, length) in [("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] as [(String, Int64)] {
      // A whole number of days is easier to read in days: `30d`, not `4w2d`.
      if unit == "w", seconds % length != 0 { continue }
      if seconds >= length { text += "\(seconds / length)\(unit)" }
      seconds %= length
    }
    return text.isEmpty ? "1s" : text
  }

  // MARK: Who is left alone

  private mutating func ignoreip() -> [String] {
    var entries: [String] = []
    for word in (option("ignoreip") ?? "").split(whereSeparator: { $0 == "," || $0.isWhitespace }).map(String.init) {
      let entry = Self.withPrefixLength(word)
      switch IgnoreEntry.parse(entry) {
      case .success: entries.append(entry)
      case .failure(let error): noteShared("ignoreip", error.message, error.remedy)
      }
    }
    return unique(entries)
  }

  /// `10.0.0.0/255.0.0.0` → `10.0.0.0/8`.
  static func withPrefixLength(_ text: String) -> String {
    let parts = text.split(separator: "/", maxSplits: 1)
    guard parts.count == 2, parts[1].contains("."), let mask = Address(parts[1]), mask.isIPv4 else { return text }
    let bits = UInt32(truncatingIfNeeded: mask.bits)
    guard bits == 0 || (~bits).leadingZeroBitCount + (~bits).nonzeroBitCount == 32 else { return text }
    return "\(parts[0])/\(bits.nonzeroBitCount)"
  }

  private mutating func noteIgnoreCommand(_ jail: inout ImportedJail) {
    noteShared(
      "ignorecommand", "no commands are run",
      "list addresses, networks, DNS names or `file:/path` in `ignoreip`, and let the command write that file")
    if option("ignorecache") != nil { noteShared("ignorecache", "belongs to `ignorecommand`", "drop it") }
    // This filter finds every visitor who says that he is Google; only the command tells who is.
    if jail.isEnabled, reading.filterBase.hasSuffix("/apache-fakegooglebot") {
      jail.isEnabled = false
      note(
        "ignorecommand", "without it, Google's own crawlers would be banned",
        "set `enabled: true` once `ignoreip` holds their networks")
    }
  }

  private mutating func noteTheRest() {
    let global = reader.configuration.defaults["ignoreself"]?.value ?? "true"
    if let own = option("ignoreself"), JailReader.isTrue(own) != JailReader.isTrue(global) {
      noteShared(
        "ignoreself", "it holds for all jails", "set `ignoreself` at the top; it is \(JailReader.isTrue(global)) now")
    }
    if let matches = option("maxmatches"), matches != option("maxretry") {
      noteShared("maxmatches", "is not needed", "the audit keeps every line")
    }
  }

  private func unique(_ items: [String]) -> [String] {
    var seen: Set<String> = []
    return items.filter { seen.insert($0).inserted }
  }
}
