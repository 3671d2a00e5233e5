public import Model

/// Windows in, decisions out. It sees no clock, no file and no pointer: the same failures give the same decisions, live and
/// in a replay.
///
/// ```swift
/// var decider = Decider(jails: [Jail(name: "sshd", maxretry: 3)])
/// decider.consider(failure, id: nil, now: now) { decision in … }
/// ```
public struct Decider: Sendable {
  /// What one jail has seen, for `status`.
  public struct Tally: Sendable, Equatable {
    public var failures = 0
    /// Failures of addresses on an ignore list.
    public var ignored = 0
    public var bans = 0
  }

  struct State: Sendable {
    var jail: Jail
    var windows: WindowTable
    var parts: PartKeys
    var bans: BanTable
    /// Until when ids were banned whose ban is over by the clock, but not yet by the log, which may lag: lines of that time
    /// are still to come, and do not count.
    var cutoffs: [UInt128: Instant] = [:]
    /// The same for blocks that were banned for what is in them, as long as windows may have failures from before.
    var blockCutoffs: [UInt128: Instant] = [:]
    var escalations = EscalationTable()
    /// The time of the newest failure: how far the log is.
    var newest = Instant(microseconds: .min)
    var history = BanHistory()
    var tally = Tally()

    init(_ jail: Jail, seed: (UInt64, UInt64)) {
      self.jail = jail
      windows = WindowTable(limit: jail.maxretry, findtime: jail.findtime, seed: seed)
      parts = PartKeys(seed: seed)
      bans = BanTable(seed: seed)
    }

    /// Forgets what an id has in its windows.
    mutating func forget(_ key: UInt128) {
      windows.forget(key)
      if jail.per != .address { parts.forget(key, at: newest) }
    }
  }

  /// Asked before a ban is entered; what it refuses never was a ban. `spared`: the entry of an ignore list for which a block
  /// is not banned whatever the answer is.
  public typealias Permission = (_ ban: Decision, _ spared: Subnet?) -> Bool

  var states: [State]
  /// Addresses whose blocks are not banned as a whole, and so not counted as a whole either.
  private var apart: Set<Address> = []
  private var overall = BanHistory()
  /// Of all jails that count bans of all jails, the one that remembers longest.
  private var forgetsOverall: TimeSpan {
    states.compactMap { $0.jail.increment }.filter(\.overalljails).map(\.forget).max() ?? .zero
  }
  private var nextPruning = Instant(microseconds: .min)
  private var countsOverall: Bool
  private let seed: (UInt64, UInt64)

  /// `seed` scatters the hash tables and the random part of ban times; tests fix it.
  public init(jails: [Jail], seed: (UInt64, UInt64) = (.random(in: .min ... .max), .random(in: .min ... .max))) {
    self.seed = seed
    countsOverall = jails.contains { $0.increment?.overalljails == true }
    states = jails.map { State($0, seed: seed) }
  }

  public var jails: [Jail] { states.map(\.jail) }

  /// Blocks that hold one of these addresses are counted, and banned, by their single addresses: this machine's own, say, so
  /// that a neighbour's failures ban the neighbour.
  public mutating func countApart(_ addresses: Set<Address>) { apart = addresses }

  /// Counts one failure. `id` is the name of a failure that has no address. A time after `now` is taken as `now`: a
  /// daemon's clock may be wrong, and a stamp that an attacker wrote must not put off a ban. A ban that is not permitted is
  /// no ban, and its failures are forgotten. Returns how many failures the window held with this one; 0 where it did not count.
  @discardableResult
  public mutating func consider(
    _ failure: Failure, id: String? = nil, now: Instant, permits: Permission = { _, _ in true },
    _ decide: (Decision) -> Void
  ) -> Int {
    let index = Int(failure.jail)
    guard index < states.count else { return 0 }
    let time = min(failure.time, now)
    states[index].tally.failures &+= Int(failure.count)
    if id == nil, states[index].jail.ignore.contains(failure.address) {
      states[index].tally.ignored &+= Int(failure.count)
      return 0
    }
    let subnet = id == nil ? subnet(of: failure.address, in: index) : nil
    let key = subnet.map { self.key(of: $0, in: index) } ?? nameKey(id ?? "")
    if let end = states[index].bans.end(of: key) {
      // Already banned: what still comes was under way, or the firewall does not hold it; the audit shows it.
      guard time >= end else { return 0 }
      states[index].bans.remove(key)
    }
    let block = subnet.flatMap { states[index].jail.escalation?.block(of: $0) }
    if let block, isCovered(by: block, key, in: index, at: time) { return 0 }
    if time > states[index].newest { states[index].newest = time }
    if !states[index].cutoffs.isEmpty, let end = states[index].cutoffs[key] {
      if time < end { return 0 }
      states[index].cutoffs[key] = nil
    }
    let (weight, overflow) = Int(failure.weight).multipliedReportingOverflow(by: Int(failure.count))
    let window = states[index].parts.key(of: key, part: failure.part, at: time)
    let count = states[index].windows.count(window, at: time, weight: overflow ? .max : weight)
    guard count >= states[index].windows.limit else { return count }
    // A name may be a block of addresses (fail2ban's <SUBNET>), which can be banned as one.
    let identity: Identity = subnet.map { .network($0) } ?? Identity(id ?? "")
    let number = 1 + earlierBans(key, in: index, at: time)
    let decision = Decision(
      action: .ban, jail: states[index].jail.name, identity: identity, time: time,
      until: states[index].jail.bantime.map { time.adding(duration($0, index, key, number)) }, count: count,
      number: number)
    guard permits(decision, nil) else {
      states[index].windows.forget(window)
      return count
    }
    // A ban voids all that the address has done.
    if states[index].jail.per != .address { states[index].forget(key) }
    enter(decision, key, index)
    decide(decision)
    if let block { escalate(block, for: key, in: index, at: time, permits: permits, decide) }
    return count
  }

  /// A person's ban, or the fleet's; replaces one in force.
  public mutating func ban(
    _ identity: Identity, jail: Int, from time: Instant, until: Instant?, count: Int = 0, cause: Decision.Cause
  ) -> Decision {
    let key = key(of: identity, in: jail)
    let known = states[jail].bans[key]
    let decision = Decision(
      action: known == nil ? .ban : .extend, jail: states[jail].jail.name, identity: identity, time: time, until: until,
      count: count, number: known?.number ?? 1 + earlierBans(key, in: jail, at: time), cause: cause)
    enter(decision, key, jail)
    states[jail].forget(key)
    return decision
  }

  /// Lifts a ban; nil when the id is not banned in that jail. Its failures so far are forgotten, so that the next one does
  /// not ban it again at once; how often it was banned is not.
  public mutating func unban(_ identity: Identity, jail: Int, at time: Instant, cause: Decision.Cause) -> Decision? {
    let key = key(of: identity, in: jail)
    states[jail].forget(key)
    guard let ban = states[jail].bans.remove(key) else { return nil }
    if let subnet = identity.subnet, let escalation = states[jail].jail.escalation {
      if let block = escalation.block(of: subnet) {
        states[jail].escalations.forget(key, of: block)
      } else {
        states[jail].blockCutoffs[key] = time
      }
    }
    return Decision(
      action: .unban, jail: ban.jail, identity: ban.identity, time: time, until: ban.until, count: ban.count,
      number: ban.number, cause: cause)
  }

  /// Ends the bans whose time is over.
  public mutating func expire(at now: Instant, _ ended: (Decision) -> Void) {
    for index in states.indices {
      let newest = states[index].newest
      if !states[index].cutoffs.isEmpty {
        states[index].cutoffs = states[index].cutoffs.filter { $0.value > newest }
      }
      if !states[index].blockCutoffs.isEmpty {
        let oldest = newest.subtracting(states[index].jail.findtime)
        states[index].blockCutoffs = states[index].blockCutoffs.filter { $0.value > oldest }
      }
      for (end, key) in states[index].bans.expired(at: now) {
        guard let ban = states[index].bans.remove(key) else { continue }
        if end > newest { states[index].cutoffs[key] = end }
        if isBlock(ban.identity, in: index) { states[index].blockCutoffs[key] = end }
        ended(
          Decision(
            action: .unban, jail: ban.jail, identity: ban.identity, time: end, until: end, count: ban.count,
            number: ban.number, cause: .expired))
      }
    }
  }

  /// Forgets ids that have been idle for a jail's `findtime`, as its log goes: a log that lags is not done with them yet.
  public mutating func shrink(at now: Instant) {
    for index in states.indices {
      let time = min(now, states[index].newest)
      states[index].windows.expire(before: time)
      states[index].parts.expire(before: time.subtracting(states[index].jail.findtime))
    }
    guard now >= nextPruning else { return }
    nextPruning = now.adding(.hours(1))
    for index in states.indices {
      let time = min(now, states[index].newest)
      if let escalation = states[index].jail.escalation {
        states[index].escalations.shrink(at: time, within: escalation.within)
      }
      guard let increment = states[index].jail.increment else { continue }
      states[index].history.shrink(at: time, forget: increment.forget)
    }
    if let newest = states.map(\.newest).max() { overall.shrink(at: min(now, newest), forget: forgetsOverall) }
  }

  /// A ban that was in force before a restart or a reload.
  public mutating func restore(_ ban: Ban) {
    guard let index = states.firstIndex(where: { $0.jail.name == ban.jail }) else { return }
    states[index].bans.set(ban, for: key(of: ban.identity, in: index))
  }

  /// A ban, over by now, from before a restart: failures before its end do not count, should the log still bring some.
  public mutating func restoreCutoff(_ identity: Identity, in jail: Int, until end: Instant) {
    let key = key(of: identity, in: jail)
    guard states[jail].bans[key] == nil else { return }
    states[jail].cutoffs[key] = end
    if isBlock(identity, in: jail) { states[jail].blockCutoffs[key] = end }
  }

  /// How often `identity` was banned before, as the store knows it, and when the last of those bans is over (nil: never).
  public mutating func restoreHistory(_ identity: Identity, jail: String, bans: Int, until end: Instant?) {
    guard let index = states.firstIndex(where: { $0.jail.name == jail }) else { return }
    let key = key(of: identity, in: index)
    let time = end ?? Instant(microseconds: 0)
    if countsOverall { overall.add(bans, of: key, until: end, at: time, forget: forgetsOverall) }
    if let increment = states[index].jail.increment {
      states[index].history.add(bans, of: key, until: end, at: time, forget: increment.forget)
    }
  }

  /// What a jail had counted before a restart.
  public mutating func restoreTally(jail: String, failures: Int, bans: Int) {
    guard let index = states.firstIndex(where: { $0.jail.name == jail }) else { return }
    states[index].tally.failures += failures
    states[index].tally.bans += bans
  }

  /// A failure from before a restart: fills the window without deciding again; returns how many that holds. The caller leaves
  /// out those that an unban has since made void, or a ban that it has not restored.
  @discardableResult
  public mutating func restore(_ failure: Failure, id: String? = nil) -> Int {
    let index = Int(failure.jail)
    guard index < states.count else { return 0 }
    if id == nil, states[index].jail.ignore.contains(failure.address) { return 0 }
    let subnet = id == nil ? subnet(of: failure.address, in: index) : nil
    let key = subnet.map { self.key(of: $0, in: index) } ?? nameKey(id ?? "")
    guard states[index].bans[key] == nil else { return 0 }
    if let subnet, let block = states[index].jail.escalation?.block(of: subnet),
      isCovered(by: block, key, in: index, at: failure.time)
    {
      return 0
    }
    if let end = states[index].cutoffs[key], failure.time < end { return 0 }
    let (weight, overflow) = Int(failure.weight).multipliedReportingOverflow(by: Int(failure.count))
    if failure.time > states[index].newest { states[index].newest = failure.time }
    let window = states[index].parts.key(of: key, part: failure.part, at: failure.time)
    return states[index].windows.count(window, at: failure.time, weight: overflow ? .max : weight)
  }

  /// Goes over to new limits. A jail that stays keeps its bans, its history and, where it counts as before, its windows;
  /// gives the names of the jails whose windows start again.
  public mutating func reload(_ jails: [Jail]) -> [String] {
    var anew: [String] = []
    let old = Dictionary(states.map { ($0.jail.name, $0) }, uniquingKeysWith: { first, _ in first })
    countsOverall = jails.contains { $0.increment?.overalljails == true }
    states = jails.map { jail in
      guard var state = old[jail.name] else {
        return State(jail, seed: seed)
      }
      let isSame =
        state.jail.maxretry == jail.maxretry && state.jail.findtime == jail.findtime
        && state.jail.ipv4Prefix == jail.ipv4Prefix && state.jail.ipv6Prefix == jail.ipv6Prefix
        && state.jail.escalation == jail.escalation && state.jail.per == jail.per
      state.jail = jail
      if !isSame {
        state.windows = WindowTable(limit: jail.maxretry, findtime: jail.findtime, seed: seed)
        state.parts = PartKeys(seed: seed)
        state.escalations = EscalationTable()
        anew.append(jail.name)
      }
      return state
    }
    // Keys of bans depend on the prefix.
    for index in states.indices {
      let bans = states[index].bans.bans
      states[index].bans.removeAll()
      for ban in bans { states[index].bans.set(ban, for: key(of: ban.identity, in: index)) }
    }
    return anew
  }

  // MARK: Questions

  /// Are failures of this address never counted?
  public func ignores(_ address: Address, in jail: Int) -> Bool { states[jail].jail.ignore.contains(address) }

  public func bans(in jail: Int) -> [Ban] { states[jail].bans.bans }

  public func banCount(in jail: Int) -> Int { states[jail].bans.count }

  public func ban(of identity: Identity, in jail: Int) -> Ban? { states[jail].bans[key(of: identity, in: jail)] }

  public func tally(of jail: Int) -> Tally { states[jail].tally }

  public func tracked(in jail: Int) -> Int { states[jail].windows.count }

  public func evicted(in jail: Int) -> Int { states[jail].windows.evicted }

  /// How many ids' earlier bans are remembered.
  public func remembered(in jail: Int) -> Int { states[jail].history.count }

  /// How many failures of `identity` count at `now`, of this `part` (`Failure.part`).
  public func failures(of identity: Identity, part: UInt64 = 0, in jail: Int, at now: Instant) -> Int {
    states[jail].windows.current(states[jail].parts.key(of: key(of: identity, in: jail), part: part), at: now)
  }

  /// The id under which a jail counts an address.
  public func identity(of address: Address, in jail: Int) -> Identity { .network(subnet(of: address, in: jail)) }

  /// The firewall's answer to a ban of this jail.
  public mutating func mark(_ identity: Identity, in jail: Int, applied: Bool) {
    if let place = states[jail].bans.find(key(of: identity, in: jail)) {
      states[jail].bans.mark(at: place, applied: applied)
    }
  }

  /// What the firewall holds of all bans.
  public mutating func markAll(_ isApplied: (Ban) -> Bool) {
    for index in states.indices {
      for place in 0..<states[index].bans.count {
        states[index].bans.mark(at: place, applied: isApplied(states[index].bans.bans[place]))
      }
    }
  }

  // MARK: Inside

  /// Is it as wide as the blocks that are banned for what is in them?
  private func isBlock(_ identity: Identity, in index: Int) -> Bool {
    guard let escalation = states[index].jail.escalation, let subnet = identity.subnet else { return false }
    return subnet.prefixLength == (subnet.isIPv4 ? escalation.ipv4Prefix : escalation.ipv6Prefix)
  }

  private func subnet(of address: Address, in index: Int) -> Subnet {
    let block = block(of: address, in: index)
    guard !block.isSingleAddress else { return block }
    let isApart = address.sharesPrefixWithStrangers || apart.contains { block.contains($0) }
    return isApart ? Subnet(address) : block
  }

  private func block(of address: Address, in index: Int) -> Subnet {
    Subnet(address, ipv4Prefix: states[index].jail.ipv4Prefix, ipv6Prefix: states[index].jail.ipv6Prefix)
  }

  func key(of identity: Identity, in index: Int) -> UInt128 {
    switch identity {
    case .network(let subnet): key(of: subnet, in: index)
    case .name(let name): nameKey(name)
    }
  }

  /// A block as wide as the jail counts has its first address as its key; one that is wider or narrower (an operator's, an
  /// address that is counted alone) has another, so that both can be banned.
  func key(of subnet: Subnet, in index: Int) -> UInt128 {
    let jail = states[index].jail
    guard subnet.length != (subnet.isIPv4 ? 96 + jail.ipv4Prefix : jail.ipv6Prefix) else { return subnet.base.bits }
    let (high, low) = (UInt64(truncatingIfNeeded: subnet.base.bits >> 64), UInt64(truncatingIfNeeded: subnet.base.bits))
    let a = (high ^ seed.0 ^ UInt64(subnet.length)) &* 0x9E37_79B9_7F4A_7C15
    let b = (low ^ seed.1 ^ (a >> 29)) &* 0xBF58_476D_1CE4_E5B9
    return UInt128(a ^ b >> 32) << 64 | UInt128(b ^ a >> 31)
  }

  /// 128 bits for a name: two FNV-1a passes from secret starts. Names come from fail2ban's `<F-ID>` only.
  private func nameKey(_ name: String) -> UInt128 {
    var a: UInt64 = 0xCBF2_9CE4_8422_2325 ^ seed.0
    var b: UInt64 = 0x8422_2325_CBF2_9CE4 ^ seed.1
    for byte in name.utf8 {
      a = (a ^ UInt64(byte)) &* 0x100_0000_01B3
      b = (b ^ UInt64(byte)) &* 0x9E37_79B9_7F4A_7C15
    }
    return UInt128(a) << 64 | UInt128(b ^ b >> 29)
  }

  func earlierBans(_ key: UInt128, in index: Int, at time: Instant) -> Int {
    guard let increment = states[index].jail.increment else { return 0 }
    return increment.overalljails
      ? overall.bans(of: key, at: time, forget: increment.forget)
      : states[index].history.bans(of: key, at: time, forget: increment.forget)
  }

  mutating func enter(_ decision: Decision, _ key: UInt128, _ index: Int) {
    states[index].bans.set(
      Ban(
        jail: decision.jail, identity: decision.identity, since: decision.time, until: decision.until,
        count: decision.count, number: decision.number, applied: false), for: key)
    if decision.action == .ban {
      states[index].tally.bans += 1
      let (until, time) = (decision.until, decision.time)
      if let increment = states[index].jail.increment {
        states[index].history.add(1, of: key, until: until, at: time, forget: increment.forget)
      }
      if countsOverall { overall.add(1, of: key, until: until, at: time, forget: forgetsOverall) }
    }
  }

  func duration(_ base: TimeSpan, _ index: Int, _ key: UInt128, _ number: Int) -> TimeSpan {
    guard let increment = states[index].jail.increment else { return base }
    return increment.duration(base, number: number, random: nameKey("\(key)/\(number)"))
  }
}

extension BanIncrement {
  /// How long the `number`-th ban lasts; `random` is where the random part comes from.
  public func duration(_ base: TimeSpan, number: Int, random: UInt128 = 0) -> TimeSpan {
    var seconds = Double(base.microseconds)
    if number > 1 {
      // 2^20 is more than any ban lasts; beyond it doubles would only overflow.
      let growth =
        multipliers.isEmpty
        ? power(factor, min(number - 1, 20)) : multipliers[min(number - 1, multipliers.count - 1)]
      seconds *= coefficient * growth
    }
    if let maxtime { seconds = min(seconds, Double(maxtime.microseconds)) }
    if rndtime > .zero { seconds += Double(UInt64(truncatingIfNeeded: random) % UInt64(rndtime.microseconds + 1)) }
    return TimeSpan(microseconds: seconds >= 9.2e18 ? .max : Int64(max(0, seconds)))
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1.0) { product, _ in product * base }
  }
}
