public import Model

/// Finds in failures and logins what a person should look at. Like the decider it sees no clock and no store: the same lines give
/// the same alerts, live and in a replay; after a restart what it knew comes back from the store (`restore`).
///
/// ```swift
/// var detector = AlertDetector(AlertLimits(), jails: ["sshd"])
/// detector.note(failure, in: batch) { print($0.text) }
/// detector.consider(login, in: batch, ban: nil) { print($0.text) }
/// ```
public struct AlertDetector: Sendable {
  /// What an alert is about: it is told once within its span.
  private struct Subject: Hashable {
    var kind: Alert.Kind
    var user: String
    var address: Address?

    init(_ alert: Alert) {
      kind = alert.kind
      user = alert.user
      address = alert.address.map { AlertDetector.client($0) }
    }
  }

  /// Of a kind so many are raised in an hour: whoever chooses names must not flood people with them.
  static let hourly = 20
  /// So many sightings are remembered.
  static let mostSightings = 100_000
  private static let anHour = TimeSpan.hours(1)

  private(set) var limits: AlertLimits {
    didSet { span = limits.span }
  }
  /// How far back failures matter; nil: they do not. Asked for each failure.
  public private(set) var span: TimeSpan?
  /// In the order of the settings: what the numbers in failures mean.
  private var jails: [String]
  /// By address and jail, since several jails may count the same attempt.
  private var failures: RecentTable
  /// By address the accounts, by account and jail the addresses.
  private var accounts: RecentTable
  private var addresses: RecentTable
  private var sightings: [Sighting.Key: Sighting] = [:]
  /// Accounts with a network that is remembered, with how many.
  private var knownAccounts: [AccountKey: Int] = [:]
  private var told: [Subject: Instant] = [:]
  private var hours: [Alert.Kind: (start: Instant, count: Int, held: Int)] = [:]
  /// What is to be stored of `sightings`.
  private var news: [Sighting] = []
  /// Each failure is a member of its own.
  private var serial: UInt64 = 0
  /// Alerts that nobody was told because there were so many; kept where jails count alerts (`keepsUntold`).
  private var untold: [Alert] = []
  var keepsUntold = false
  /// What is raised now is taken back, so nothing may be silent for it.
  private var isRestoring = false
  private let seed: UInt64
  private let hash: KeyHash

  private struct AccountKey: Hashable {
    var service: String
    var user: String
  }

  /// `seed` is that of the hashes; no answer depends on it.
  public init(
    _ limits: AlertLimits = AlertLimits(), jails: [String],
    seed: (UInt64, UInt64) = (.random(in: .min ... .max), .random(in: .min ... .max))
  ) {
    self.limits = limits
    span = limits.span
    self.jails = jails
    self.seed = seed.0
    hash = KeyHash(seed: seed)
    failures = RecentTable(most: limits.loginAfterFailures?.count ?? 1)
    accounts = RecentTable(most: limits.manyAccounts?.count ?? 1)
    addresses = RecentTable(most: limits.manyAddresses?.count ?? 1)
  }

  /// Goes over to other settings; true when windows begin again, to be filled from the store.
  public mutating func reload(_ new: AlertLimits, jails names: [String]) -> Bool {
    guard new != limits || names != jails else { return false }
    limits = new
    jails = names
    failures = RecentTable(most: new.loginAfterFailures?.count ?? 1)
    accounts = RecentTable(most: new.manyAccounts?.count ?? 1)
    addresses = RecentTable(most: new.manyAddresses?.count ?? 1)
    return true
  }

  /// Are failures of interest?
  var wantsFailures: Bool { span != nil }

  // MARK: Failures

  /// Notes a failure of `batch`, which may raise an alert.
  public mutating func note(_ failure: Failure, in batch: FailureBatch, _ body: (Alert) -> Void) {
    guard failure.weight > 0 else { return }
    let client = Self.client(failure.address)
    if let rate = limits.loginAfterFailures {
      for _ in 0..<min(Int(failure.count), rate.count) {
        serial &+= 1
        failures.add(serial, to: key(of: client, in: Int(failure.jail)), at: failure.time)
      }
    }
    guard !failure.user.isEmpty else { return }
    let user = hash(failure.user, of: batch)
    if let rate = limits.manyAccounts {
      let key = hash.of(client.bits)
      let place = accounts.add(user, to: key, at: failure.time)
      let found = accounts.find(at: place, until: failure.time, span: rate.span)
      if found.count >= rate.count, !accounts.isQuiet(at: place, failure.time) {
        let alert = Alert(
          .manyAccounts, time: failure.time, since: found.first, user: "", address: failure.address,
          jail: jails[Int(failure.jail)], count: found.count,
          text: "\(failure.address) tried \(found.count) accounts within \(Self.text(rate.span))")
        raise(alert, again: rate.span, body)
        if !isRestoring, let last = told[Subject(alert)] { accounts.silence(at: place, until: last.adding(rate.span)) }
      }
    }
    if let rate = limits.manyAddresses {
      let key = hash.of(UInt128(user) << 64 | UInt128(failure.jail))
      let place = addresses.add(hash.of(client.bits), to: key, at: failure.time)
      let found = addresses.find(at: place, until: failure.time, span: rate.span)
      if found.count >= rate.count, !addresses.isQuiet(at: place, failure.time) {
        let name = batch.text(failure.user)
        let alert = Alert(
          .manyAddresses, time: failure.time, since: found.first, user: name, address: nil,
          jail: jails[Int(failure.jail)], count: found.count,
          text: "\(found.count) addresses tried the account \(Self.shown(name)) within \(Self.text(rate.span))")
        raise(alert, again: rate.span, body)
        if !isRestoring, let last = told[Subject(alert)] { addresses.silence(at: place, until: last.adding(rate.span)) }
      }
    }
  }

  // MARK: Activities

  /// Looks at an activity of `batch`. `ban`: a jail in which its address is banned.
  public mutating func consider(_ activity: Activity, in batch: FailureBatch, ban: String?, _ body: (Alert) -> Void) {
    let (user, jail) = (batch.text(activity.user), jails[Int(activity.jail)])
    if activity.event == .login, let address = activity.address {
      afterFailures(activity.time, user, address, jail, body)
      if limits.bannedLogin, let ban {
        let alert = Alert(
          .bannedLogin, time: activity.time, since: activity.time.subtracting(Self.anHour), user: user,
          address: address, jail: jail, count: 1,
          text: "\(Self.shown(user)) logged in from \(address), which \(ban) has banned")
        raise(alert, again: Self.anHour, body)
      }
      if let age = limits.newNetwork, !user.isEmpty { network(age, activity.time, user, address, jail, body) }
    }
    if limits.firstPrivilege { privilege(activity, user, batch.text(activity.target), jail, body) }
  }

  private mutating func afterFailures(
    _ time: Instant, _ user: String, _ address: Address, _ jail: String, _ body: (Alert) -> Void
  ) {
    guard let rate = limits.loginAfterFailures else { return }
    let client = Self.client(address)
    var most = RecentTable.Found()
    for number in jails.indices {
      let found = failures.find(key(of: client, in: number), until: time, span: rate.span)
      if found.count > most.count { most = found }
    }
    guard most.count >= rate.count else { return }
    let alert = Alert(
      .loginAfterFailures, time: time, since: most.first, user: user, address: address, jail: jail, count: most.count,
      text:
        "\(Self.shown(user)) logged in from \(address) after \(most.count) failures or more within \(Self.text(rate.span))"
    )
    raise(alert, again: Self.anHour, body)
  }

  private mutating func network(
    _ age: TimeSpan, _ time: Instant, _ user: String, _ address: Address, _ jail: String,
    _ body: (Alert) -> Void
  ) {
    let network = Subnet(address, ipv4Prefix: 24, ipv6Prefix: 48)
    let key = Sighting.Key(service: jail, user: user, network: network)
    let account = AccountKey(service: jail, user: user)
    let known = sightings[key]
    let isNew = known.map { time.since($0.last) > age } ?? true
    // Of an account that was never seen nothing can be said yet.
    let isLearning = knownAccounts[account] == nil
    see(key, at: time)
    guard isNew, !isLearning else { return }
    let before = known.map { "for \(time.since($0.last).microseconds / 86_400_000_000) days" } ?? "before"
    let alert = Alert(
      .newNetwork, time: time, since: time, user: user, address: address, jail: jail, count: 1,
      text: "\(Self.shown(user)) logged in from \(address); this account was not seen in \(network) \(before)")
    raise(alert, again: Self.anHour, body)
  }

  /// Root's own logins and sessions, and whoever becomes root.
  private mutating func privilege(
    _ activity: Activity, _ user: String, _ target: String, _ jail: String, _ body: (Alert) -> Void
  ) {
    let becomes = target == "root" && [.session, .command].contains(activity.event)
    guard !user.isEmpty, becomes || user == "root" && activity.event == .login else { return }
    // That root does something as root is no news.
    guard !(becomes && user == "root") else { return }
    let key = Sighting.Key(service: jail, user: user, network: nil)
    let isNew = sightings[key] == nil
    see(key, at: activity.time)
    guard isNew else { return }
    let from = activity.address.map { " from \($0)" } ?? ""
    let alert = Alert(
      .firstPrivilege, time: activity.time, since: activity.time, user: user, address: activity.address, jail: jail,
      count: 1,
      text: becomes
        ? "\(Self.shown(user)) became root for the first time\(from)" : "root logged in for the first time\(from)")
    raise(alert, again: Self.anHour, body)
  }

  // MARK: What was told

  /// Tells an alert, unless it was told within `again`, or so many of its kind were told in this hour.
  private mutating func raise(_ alert: Alert, again: TimeSpan, _ body: (Alert) -> Void) {
    let subject = Subject(alert)
    if let last = told[subject], alert.time.since(last) < again { return }
    // What is older than any span is no longer asked for.
    if told.count >= 4096 { told = told.filter { alert.time.since($0.value) < AlertLimits.longest } }
    if told.count < 65_536 { told[subject] = alert.time }
    var hour = hours[alert.kind] ?? (alert.time, 0, 0)
    if alert.time.since(hour.start) >= Self.anHour { hour = (alert.time, 0, hour.held) }
    defer { hours[alert.kind] = hour }
    guard hour.count < Self.hourly else {
      hour.held += 1
      if keepsUntold, !isRestoring { untold.append(alert) }
      return
    }
    hour.count += 1
    guard hour.held > 0 else { return body(alert) }
    var alert = alert
    alert.text += " (\(hour.held) more of this kind before it were not told: \(Self.hourly) an hour are)"
    hour.held = 0
    body(alert)
  }

  /// What was raised, and not told, since this was asked last.
  mutating func takeUntold() -> [Alert] {
    defer { untold.removeAll() }
    return untold
  }

  // MARK: What is remembered

  /// What was seen since this was asked last, to be stored.
  public mutating func takeSightings() -> [Sighting] {
    defer { news.removeAll() }
    return news
  }

  private mutating func see(_ key: Sighting.Key, at time: Instant) {
    var sighting = sightings[key] ?? Sighting(key, first: time, last: Instant(microseconds: .min))
    // To the hour, here as in the store, so that a busy account is not stored again and again.
    guard sighting.last.microseconds == .min || time.since(sighting.last) >= Self.anHour else { return }
    sighting.last = time
    remember(sighting)
    news.append(sighting)
  }

  private mutating func remember(_ sighting: Sighting) {
    if sightings.count >= Self.mostSightings, sightings[sighting.key] == nil { forgetOldest() }
    if sightings.updateValue(sighting, forKey: sighting.key) == nil, sighting.key.network != nil {
      knownAccounts[AccountKey(service: sighting.key.service, user: sighting.key.user), default: 0] += 1
    }
  }

  /// Forgets a tenth, the oldest.
  private mutating func forgetOldest() {
    let times = sightings.values.map(\.last).sorted()
    let bound = times[times.count / 10]
    sightings = sightings.filter { $0.value.last > bound }
    knownAccounts.removeAll()
    for key in sightings.keys where key.network != nil {
      knownAccounts[AccountKey(service: key.service, user: key.user), default: 0] += 1
    }
  }

  public mutating func restore(_ stored: [Sighting]) { for sighting in stored { remember(sighting) } }

  /// Alerts that were raised before, newest first or last.
  public mutating func restore(_ stored: [Alert]) {
    for alert in stored.sorted(by: { $0.time < $1.time }) {
      told[Subject(alert)] = alert.time
      var hour = hours[alert.kind] ?? (alert.time, 0, 0)
      if alert.time.since(hour.start) >= Self.anHour { hour = (alert.time, 0, 0) }
      hour.count += 1
      hours[alert.kind] = hour
    }
  }

  /// A failure from before a restart, of a jail: counts, and raises nothing.
  public mutating func restore(_ failure: Failure, in batch: FailureBatch) {
    let before = (told, hours)
    isRestoring = true
    note(failure, in: batch) { _ in }
    isRestoring = false
    (told, hours) = before
  }

  // MARK: Inside

  /// Clients are counted by address; those of IPv6, who have a network each, by /64.
  fileprivate static func client(_ address: Address) -> Address {
    Subnet(address, ipv4Prefix: 32, ipv6Prefix: 64).base
  }

  private func key(of client: Address, in jail: Int) -> UInt64 {
    hash.of(UInt128(hash.of(client.bits)) << 64 | UInt128(jail))
  }

  private func hash(_ text: ByteRange, of batch: FailureBatch) -> UInt64 {
    batch.withBytes(text) { bytes in
      var sum = seed
      for at in 0..<bytes.count { sum = (sum ^ UInt64(bytes[at])) &* 0x100_0000_01B3 }
      return hash.of(UInt128(sum))
    }
  }

  /// `24h`, `7d`.
  private static func text(_ span: TimeSpan) -> String {
    let seconds = span.microseconds / 1_000_000
    for (unit, length) in [("d", 86_400), ("h", 3600), ("m", 60)] as [(String, Int64)]
    where seconds % length == 0 && (seconds / length > 1 || unit != "d") {
      return "\(seconds / length)\(unit)"
    }
    return "\(seconds)s"
  }

  /// A name as a client wrote it, at most so long.
  private static func shown(_ user: String) -> String {
    user.isEmpty ? "somebody" : user.count > 64 ? "\(user.prefix(64))…" : user
  }
}
