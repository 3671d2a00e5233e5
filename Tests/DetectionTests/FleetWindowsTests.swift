import Detection
import Model
import TestSupport
import Testing

@Suite struct FleetWindowsTests {
  private static let start: Int64 = 1_800_000_000

  /// The definition, done naively: some window of findtime that ends with a failure holds enough, each server counted for less
  /// than the limit, from enough servers of enough sites.
  private struct Naive {
    var entries: [UInt128: [FleetWindows.Entry]] = [:]
    let limit: Int
    let findtime: Int64
    let nodes: Int
    let sites: Int

    mutating func add(_ key: UInt128, _ entry: FleetWindows.Entry) -> Bool {
      entries[key, default: []].append(entry)
      let all = entries[key]!
      for end in Set(all.map(\.second)) where end >= entry.second && end <= entry.second + findtime {
        var sums: [Int: Int] = [:]
        for one in all where one.second <= end && one.second >= end - findtime {
          sums[one.node, default: 0] += one.count
        }
        let sum = sums.values.reduce(0) { $0 + min($1, limit - 1) }
        guard sum >= limit, sums.count >= nodes, Set(sums.keys.map { $0 % 3 }).count >= sites else { continue }
        entries[key] = nil
        return true
      }
      return false
    }
  }

  @Test(arguments: [(5, 3, 2, false), (5, 3, 2, true), (3, 2, 1, true), (20, 4, 3, true), (2, 2, 2, true)])
  func equalsTheDefinition(limit: Int, nodes: Int, sites: Int, isLate: Bool) {
    var random = Numbers(state: UInt64(limit * 7 + nodes))
    var windows = FleetWindows(limit: limit, findtime: 600, nodes: nodes, sites: sites, seed: (1, 2))
    var naive = Naive(limit: limit, findtime: 600, nodes: nodes, sites: sites)
    var time = Self.start
    var bans = 0
    for _ in 0..<20_000 {
      time += Int64.random(in: 0...Int64(60 / limit + 1), using: &random)
      let key = UInt128(UInt64.random(in: 0..<12, using: &random))
      let late = isLate ? Int64.random(in: 0...100, using: &random) : 0
      // A server has at most limit - 1 entries, so none is dropped that the definition still counts.
      let node = Int.random(in: 0..<40, using: &random)
      let entry = FleetWindows.Entry(second: time - late, node: node, count: 1)
      let found = windows.add(key, 1, by: node, at: entry.second, site: { $0 % 3 }, stale: 0)
      if (found != nil) != naive.add(key, entry) { Issue.record("differs at \(time - Self.start)") }
      bans += found == nil ? 0 : 1
    }
    #expect(bans > 50)
  }

  /// A server that lies counts for less than the limit, however often it says so, and pushes nobody out.
  @Test func oneServerAloneBansNobody() {
    var windows = FleetWindows(limit: 5, findtime: 600, nodes: 2, sites: 1, seed: (1, 2))
    #expect(windows.add(7, 1, by: 1, at: Self.start, site: { _ in 0 }, stale: 0) == nil)
    for second in 0..<500 {
      let found = windows.add(8, 4000, by: 0, at: Self.start + Int64(second), site: { _ in 0 }, stale: 0)
      #expect(found == nil)
    }
    #expect(windows.entries(of: 8).count <= 4)
    // Of the one that an honest server saw, too, it says what it likes: one failure more is a reason only with four of its own.
    let found = windows.add(7, 4000, by: 0, at: Self.start + 1, site: { _ in 0 }, stale: 0)
    #expect(found?.count == 2)
  }

  @Test func anAddressTakesLessThan60Bytes() {
    var windows = FleetWindows(limit: 5, findtime: 600, nodes: 3, sites: 2, seed: (3, 4))
    var random = Numbers(state: 1)
    for _ in 0..<1_000_000 {
      let address = UInt128(0xFFFF_0000_0000) | UInt128(UInt32.random(in: 0 ... .max, using: &random))
      _ = windows.add(address, 1, by: Int(address & 9999), at: Self.start, site: { $0 % 5 }, stale: 0)
    }
    #expect(windows.count > 990_000)
    #expect(windows.memory < 60 * windows.count, "\(windows.memory / windows.count) bytes an address")
    windows.expire(before: Self.start + 601)
    #expect(windows.count == 0 && windows.memory < 1 << 20)
  }
}

@Suite struct FleetCounterTests {
  private static let start: Int64 = 1_800_000_000
  private static let address = Address("198.51.100.7")!

  private static func counter(_ jail: Jail = Jail(name: "sshd", maxretry: 5)) -> FleetCounter {
    FleetCounter(jails: [jail], nodes: 3, sites: 2, seed: (1, 2))
  }

  private static func tell(
    _ counter: inout FleetCounter, _ node: String, _ site: String, _ count: Int, at second: Int64, now: Int64? = nil,
    _ address: Address = address
  ) -> FleetCounter.Decision? {
    var decision: FleetCounter.Decision?
    let number = counter.node(node, site: site)!
    counter.consider(jail: 0, address, count: count, at: second, by: number, now: now ?? second) { decision = $0 }
    return decision
  }

  @Test func aBanTakesEnoughServersOfEnoughSites() throws {
    var counter = Self.counter()
    #expect(Self.tell(&counter, "a", "x", 2, at: Self.start) == nil)
    #expect(Self.tell(&counter, "b", "x", 2, at: Self.start + 1) == nil)
    #expect(Self.tell(&counter, "c", "x", 2, at: Self.start + 2) == nil)
    let decision = try #require(Self.tell(&counter, "d", "y", 1, at: Self.start + 3))
    #expect(decision.subnet == Subnet(Self.address) && decision.time.seconds == Self.start + 3)
    #expect(decision.until?.seconds == Self.start + 603 && decision.evidence.map(\.count) == [2, 2, 2, 1])
    // What was under way counts for nothing; after the ban's end all begins again.
    #expect(Self.tell(&counter, "a", "x", 4, at: Self.start + 4) == nil)
    #expect(counter.tally.banned == 4 && counter.tally.bans == 1)
    #expect(Self.tell(&counter, "a", "x", 4, at: Self.start + 603) == nil && counter.tally.banned == 4)
  }

  /// The same name at another site is another server: a site is what a server may publish under.
  @Test func futureTimesCountAsNow() throws {
    var counter = Self.counter()
    for (node, site) in [("a", "x"), ("b", "y")] {
      #expect(Self.tell(&counter, node, site, 4, at: Self.start + 1_000_000, now: Self.start) == nil)
    }
    let decision = try #require(Self.tell(&counter, "c", "y", 1, at: Self.start + 1, now: Self.start + 1))
    #expect(decision.time.seconds == Self.start + 1)
  }

  @Test func whatComesAfterAnHourIsTooLate() {
    var counter = Self.counter()
    #expect(Self.tell(&counter, "a", "x", 4, at: Self.start - 4201, now: Self.start) == nil)
    #expect(counter.tally.late == 4 && counter.tracked == 0)
    #expect(Self.tell(&counter, "a", "x", 4, at: Self.start - 4200, now: Self.start) == nil)
    #expect(counter.tracked == 1)
  }

  @Test func nobodyWhoIsAllowedIsBanned() {
    var counter = Self.counter()
    counter.allowed = [Subnet("198.51.100.0/24")!]
    for (node, site) in [("a", "x"), ("b", "y"), ("c", "y")] {
      #expect(Self.tell(&counter, node, site, 4, at: Self.start) == nil)
    }
    #expect(counter.tally.bans == 0)
  }

  /// 10,000 addresses a second fill no memory: what is beyond a server's allowance is refused, and others are heard.
  @Test func aServerThatFloodsIsRefused() throws {
    var counter = Self.counter()
    for second in 0..<60 {
      for number in 0..<10_000 {
        let address = Address(bits: 0xFFFF_0000_0000 | UInt128(second * 10_000 + number))
        _ = Self.tell(&counter, "liar", "x", 4, at: Self.start + Int64(second), address)
      }
    }
    #expect(counter.tracked <= FleetCounter.allowance.burst + 60 * FleetCounter.allowance.rate)
    #expect(counter.tally.refused > 250_000 && counter.tally.bans == 0)
    for (node, site) in [("a", "x"), ("b", "y")] {
      #expect(Self.tell(&counter, node, site, 2, at: Self.start + 60) == nil)
    }
    _ = try #require(Self.tell(&counter, "c", "y", 2, at: Self.start + 60))
  }

  @Test func operatorsKnowBetter() throws {
    var counter = Self.counter()
    for (node, site) in [("a", "x"), ("b", "y")] { #expect(Self.tell(&counter, node, site, 2, at: Self.start) == nil) }
    counter.override(Subnet("198.51.100.0/24")!, jail: nil, bannedUntil: nil)
    counter.override(Subnet(Self.address), jail: nil, bannedUntil: nil)
    #expect(Self.tell(&counter, "c", "y", 2, at: Self.start + 1) == nil)
    counter.override(Subnet(Self.address), jail: 0, bannedUntil: Self.start + 100)
    for node in ["d", "e", "f"] { #expect(Self.tell(&counter, node, "z", 4, at: Self.start + 2) == nil) }
    #expect(counter.tally.banned == 12)
  }
}
