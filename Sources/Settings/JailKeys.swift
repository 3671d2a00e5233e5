internal import Detection
internal import Filters
internal import Model

/// What was typed in a jail or in `defaults`, each key nil where it was not.
struct JailKeys {
  var maxretry: Int?
  var findtime: TimeSpan?
  var bantime: SpanOrForever?
  var increment: Increment?
  var escalation: Escalating?
  var ipv4Prefix: Int?
  var ipv6Prefix: Int?
  var ports: [String]?
  var protocols: [TransportProtocol]?
  var block: JailSettings.Block?
  var usedns: Fail2banRules.DNS?
  var timezone: String?
  var backend: JailSettings.Backend?
  var record: JailSettings.Record?
  var per: Jail.Counting?

  enum Increment {
    case off
    case on(BanIncrement)
  }

  enum Escalating {
    case off
    case on(Escalation)
  }

  init() {}

  init(_ fields: Fields) {
    maxretry = fields["maxretry"]?.integer("maxretry", Limits.maxretry)
    findtime = fields["findtime"]?.span("findtime")
    if let value = fields["limit"], let limit = Rate(value) {
      if fields.has("maxretry") || fields.has("findtime") {
        value.fail("`limit` says what `maxretry` and `findtime` say", "drop `limit`, or the others")
      }
      maxretry = limit.count
      findtime = limit.span
    }
    record = fields["record"]?.choice("record")
    per = fields["per"].flatMap(Self.counting)
    bantime = fields["bantime"]?.bantime()
    increment = fields["bantime_increment"].flatMap(Self.increment)
    escalation = fields["escalate"].flatMap(Self.escalation)
    if let value = fields["prefix"], let prefix = Fields(value, "prefix", known: Keys.prefix.names) {
      ipv4Prefix = prefix["ipv4"]?.integer("ipv4", Limits.ipv4Prefix)
      ipv6Prefix = prefix["ipv6"]?.integer("ipv6", Limits.ipv6Prefix)
    }
    if let value = fields["port"] {
      ports = value.portNames()
      if value.list("port")?.isEmpty == true { value.fail("`port` is empty", "name ports, or write all") }
    }
    protocols = fields["protocol"]?.protocols()
    block = fields["block"]?.choice("block")
    usedns = fields["usedns"]?.usedns()
    timezone = fields["logtimezone"].flatMap(Self.timezone)
    backend = fields["backend"]?.choice(
      "backend",
      hints: ["systemd": "write journal", "polling": "write files", "pyinotify": "write files", "gamin": "write files"])
  }

  /// `address`, or `[address, user]`.
  private static func counting(_ value: Value) -> Jail.Counting? {
    guard let names = value.names("per") else { return nil }
    let parts = names.map { Jail.Counting(rawValue: $0) }
    let own = parts.compactMap { $0 }.filter { $0 != .address }
    if parts.contains(.address), !parts.contains(nil), own.count < 2, Set(names).count == names.count {
      return own.first ?? .address
    }
    value.fail(
      "`per` is \(names.isEmpty ? "empty" : names.map(quoted).joined(separator: " and "))",
      own.count == 1 && names.count == 1
        ? "write [address, \(own[0].rawValue)]: who did nothing is not banned for what another address did"
        : "write address, [address, user] or [address, app]")
    return nil
  }

  /// `true`, `false`, or what differs from the defaults.
  private static func increment(_ value: Value) -> Increment? {
    if value.word != nil { return value.bool("bantime_increment").map { $0 ? .on(BanIncrement()) : .off } }
    guard
      let fields = Fields(
        value, "bantime_increment", known: Keys.increment.names,
        elsewhere: ["formula": "formulas are not evaluated; write `factor` or `multipliers`"])
    else { return nil }
    var increment = BanIncrement()
    if let factor = fields["factor"]?.number("factor", above: 0) { increment.factor = factor }
    if let coefficient = fields["coefficient"]?.number("coefficient", above: 0) { increment.coefficient = coefficient }
    if let values = fields["multipliers"]?.list("multipliers") {
      // fail2ban writes them in one value.
      let words = values.flatMap { item in
        (item.text("multipliers") ?? "").split(separator: " ").map { (item, Double($0)) }
      }
      for (item, multiplier) in words where (multiplier ?? 0) <= 0 || multiplier! > 1e9 {
        item.fail("`multipliers` has \(item.typed), which is no number above 0", "write for example [1, 5, 30, 60]")
      }
      increment.multipliers = words.compactMap(\.1)
    }
    increment.maxtime = fields["maxtime"]?.span("maxtime")
    if let value = fields["rndtime"], let span = value.signedSpan("rndtime") {
      if span < .zero { value.fail("`rndtime` is negative", "write for example 10m") } else { increment.rndtime = span }
    }
    if let span = fields["forget"]?.span("forget") { increment.forget = span }
    if let overall = fields["overalljails"]?.bool("overalljails") { increment.overalljails = overall }
    return .on(increment)
  }

  /// `true`, `false`, or what differs from the defaults.
  private static func escalation(_ value: Value) -> Escalating? {
    if value.word != nil { return value.bool("escalate").map { $0 ? .on(Escalation()) : .off } }
    guard let fields = Fields(value, "escalate", known: Keys.escalation.names) else { return nil }
    var escalation = Escalation()
    if let prefix = fields["ipv4"]?.integer("ipv4", Limits.ipv4Prefix) { escalation.ipv4Prefix = UInt8(prefix) }
    if let prefix = fields["ipv6"]?.integer("ipv6", Limits.ipv6Prefix) { escalation.ipv6Prefix = UInt8(prefix) }
    if let after = fields["after"]?.integer("after", Limits.escalateAfter) { escalation.after = after }
    if let within = fields["within"]?.span("within") { escalation.within = within }
    return .on(escalation)
  }

  /// A zone of the tz database, or a fixed one: `Europe/Berlin`, `UTC`, `UTC+0200`.
  private static func timezone(_ value: Value) -> String? {
    guard let text = value.name("logtimezone") else { return nil }
    guard TimeZoneName.isValid(text) else {
      value.fail(
        "`logtimezone` is \(quoted(text)), which is no time zone",
        "write for example UTC, UTC+0200 or Europe/Berlin (names need the tzdata package)")
      return nil
    }
    return text
  }

  /// The jail's own keys, then `defaults`, then what the filter recommends, then what is built in.
  func limits(name: String, defaults: JailKeys, filter: FilterDefinition?) -> Jail {
    var jail = Jail(name: name)
    if let count = maxretry ?? defaults.maxretry ?? filter?.maxretry { jail.maxretry = count }
    if let span = findtime ?? defaults.findtime ?? filter?.findtime { jail.findtime = span }
    if let time = bantime ?? defaults.bantime { jail.bantime = time.span }
    if case .on(let increment)? = increment ?? defaults.increment { jail.increment = increment }
    if case .on(let escalation)? = escalation ?? defaults.escalation { jail.escalation = escalation }
    jail.isRecorded = (record ?? defaults.record ?? .each) == .each
    if let per = per ?? defaults.per { jail.per = per }
    if let prefix = ipv4Prefix ?? defaults.ipv4Prefix { jail.ipv4Prefix = UInt8(prefix) }
    if let prefix = ipv6Prefix ?? defaults.ipv6Prefix { jail.ipv6Prefix = UInt8(prefix) }
    return jail
  }
}
