public import Model

/// The fleet's windows and bans: what servers told in, decisions out. It sees no clock: time is what the stream says, so whoever
/// reads the same stream decides the same.
///
/// ```swift
/// var counter = FleetCounter(jails: jails, nodes: 3, sites: 2, seed: seed)
/// let node = counter.node("web-17", site: "fra1")
/// counter.consider(jail: 0, address, count: 2, at: second, by: node, now: streamTime) { decision in … }
/// ```
public struct FleetCounter: Sendable {
  /// A ban by the fleet.
  public struct Decision: Sendable, Equatable {
    public var jail: Int
    public var subnet: Subnet
    /// When the failure happened that tipped the scale.
    public var time: Instant
    /// Nil: permanent.
    public var until: Instant?
    /// Who saw what, the oldest first.
    public var evidence: [FleetWindows.Entry]
  }

  public struct Tally: Sendable, Equatable {
    public var failures = 0
    public var bans = 0
    /// Dated so long ago that windows do not hold it any more.
    public var late = 0
    /// Of ids that were banned already: under way when the ban reached the servers.
    public var banned = 0
    /// Beyond what one server may tell.
    public var refused = 0

    public init() {}
  }

  public struct Node: Sendable, Equatable {
    public var name: String
    public var site: String
    var siteNumber: Int
    /// What it may still tell, as of `second`.
    var allowance: Int
    var second: Int64 = 0
  }

  private struct State: Sendable {
    let jail: Jail
    /// Those of `jail`, at hand: copying all of it for each failure would cost more than counting.
    let ipv4Prefix: UInt8
    let ipv6Prefix: UInt8
    let bantime: TimeSpan?
    var windows: FleetWindows
    /// When bans in force end, in seconds; `.max`: never.
    var bans: [UInt128: Int64] = [:]
  }

  /// A failure that comes later than this counts no more: its window is gone.
  public static let lateness: Int64 = 3600
  /// Entries that one server may tell a second, and at once: a server that lies fills no memory. One that was cut off sends its
  /// backlog at this pace and loses nothing but what is beyond.
  public static let allowance = (rate: 2000, burst: 200_000)

  private var states: [State]
  public private(set) var nodes: [Node] = []
  private var numbers: [String: Int] = [:]
  private var siteNumbers: [String: Int] = [:]
  /// Never banned, whoever fails there.
  public var allowed: [Subnet] = [] { didSet { allowList = AddressList(allowed) } }
  private var allowList = AddressList()
  public private(set) var tally = Tally()
  private var nextExpiry = Int64.min

  /// - Parameter seed: of the tables; the same for all that must decide alike, and secret, so that nobody chooses collisions.
  public init(jails: [Jail], nodes: Int, sites: Int, capacity: Int = 20_000_000, seed: (UInt64, UInt64)) {
    states = jails.map { jail in
      State(
        jail: jail, ipv4Prefix: jail.ipv4Prefix, ipv6Prefix: jail.ipv6Prefix, bantime: jail.bantime,
        windows: FleetWindows(
          limit: jail.maxretry, findtime: jail.findtime.seconds, nodes: nodes, sites: sites, capacity: capacity,
          seed: seed))
    }
  }

  public var jails: [Jail] { states.map(\.jail) }
  /// Ids in windows.
  public var tracked: Int { states.reduce(0) { $0 + $1.windows.count } }
  public var evicted: Int { states.reduce(0) { $0 + $1.windows.evicted } }
  public var memory: Int { states.reduce(0) { $0 + $1.windows.memory } }

  /// The number of a server; nil when there are too many to tell them apart.
  public mutating func node(_ name: String, site: String) -> Int? {
    let key = "\(site).\(name)"
    if let number = numbers[key] { return number }
    guard nodes.count < FleetWindows.mostNodes else { return nil }
    let siteNumber = siteNumbers[site] ?? siteNumbers.count
    siteNumbers[site] = siteNumber
    nodes.append(Node(name: name, site: site, siteNumber: siteNumber, allowance: Self.allowance.burst))
    numbers[key] = nodes.count - 1
    return nodes.count - 1
  }

  /// Counts what one server saw of an address in one second.
  /// - Parameters:
  ///   - second: since 1970, by the server's clock; what is in the future counts as now.
  ///   - now: when the stream took the message, in seconds.
  public mutating func consider(
    jail: Int, _ address: Address, count: Int, at second: Int64, by node: Int, now: Int64, _ decide: (Decision) -> Void
  ) {
    guard states.indices.contains(jail), nodes.indices.contains(node), admits(node, now) else {
      tally.refused += 1
      return
    }
    tally.failures += count
    let time = min(second, now)
    let findtime = states[jail].windows.findtime
    guard time >= now - findtime - Self.lateness else {
      tally.late += count
      return
    }
    let subnet = Subnet(address, ipv4Prefix: states[jail].ipv4Prefix, ipv6Prefix: states[jail].ipv6Prefix)
    let key = subnet.base.bits
    if !states[jail].bans.isEmpty, let end = states[jail].bans[key] {
      guard time >= end else {
        tally.banned += count
        return
      }
      states[jail].bans[key] = nil
    }
    let stale = now - findtime - Self.lateness
    expire(now)
    let evidence = states[jail].windows.add(
      key, count, by: node, at: time, site: { [nodes] in nodes[$0].siteNumber }, stale: stale)
    guard let evidence, let last = evidence.last, allowList.overlapping(subnet) == nil else { return }
    let start = Instant(seconds: last.second)
    let until = states[jail].bantime.map { start.adding($0) }
    states[jail].bans[key] = until?.seconds ?? .max
    tally.bans += 1
    decide(Decision(jail: jail, subnet: subnet, time: start, until: until, evidence: evidence))
  }

  /// A person's ban or unban: what was counted of the id is void.
  public mutating func override(_ subnet: Subnet, jail: Int?, bannedUntil end: Int64?) {
    for index in states.indices where jail == nil || jail == index {
      let jail = states[index].jail
      // A block lifts what the jail counts within it.
      let ids = states[index].bans.keys.filter { subnet.contains(Address(bits: $0)) }
      for key in ids { states[index].bans[key] = nil }
      let counted = Subnet(subnet.base, ipv4Prefix: jail.ipv4Prefix, ipv6Prefix: jail.ipv6Prefix)
      guard counted.length <= subnet.length else { continue }
      states[index].windows.forget(counted.base.bits)
      states[index].bans[counted.base.bits] = end
    }
  }

  /// What windows hold of an address.
  public func entries(of address: Address, in jail: Int) -> [FleetWindows.Entry] {
    let limits = states[jail].jail
    let subnet = Subnet(address, ipv4Prefix: limits.ipv4Prefix, ipv6Prefix: limits.ipv6Prefix)
    return states[jail].windows.entries(of: subnet.base.bits)
  }

  // MARK: Inside

  private mutating func admits(_ node: Int, _ now: Int64) -> Bool {
    let passed = nodes[node].second == 0 ? 0 : max(0, now - nodes[node].second)
    nodes[node].second = max(nodes[node].second, now)
    let gained = passed.multipliedReportingOverflow(by: Int64(Self.allowance.rate))
    nodes[node].allowance = Int(
      min(Int64(Self.allowance.burst), gained.overflow ? .max : Int64(nodes[node].allowance) + gained.partialValue))
    guard nodes[node].allowance > 0 else { return false }
    nodes[node].allowance -= 1
    return true
  }

  /// Once a minute of the stream's time.
  private mutating func expire(_ now: Int64) {
    guard now >= nextExpiry else { return }
    nextExpiry = now + 60
    for index in states.indices {
      states[index].windows.expire(before: now - states[index].windows.findtime - Self.lateness)
      // A failure from before the end may still come.
      let end = now - states[index].windows.findtime - Self.lateness
      states[index].bans = states[index].bans.filter { $0.value > end }
    }
  }
}
