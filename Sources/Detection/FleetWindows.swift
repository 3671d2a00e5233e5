internal import Model

/// Every id's recent failures on all servers of a fleet, in one jail: who counted how many in which second.
///
/// An id takes a slot of 32 bytes while one server has told of it once; what it tells of one second is one entry of eight
/// bytes. Entries come in any order, for servers lag; they are kept sorted.
public struct FleetWindows: Sendable {
  /// What a server told of one second.
  public struct Entry: Sendable, Equatable {
    /// Seconds since 1970.
    public var second: Int64
    public var node: Int
    public var count: Int

    public init(second: Int64, node: Int, count: Int) {
      self.second = second
      self.node = node
      self.count = count
    }
  }

  /// More are not kept of an id; the oldest go. With a `maxretry` of 5 those of 64 servers fit at least.
  static let most = 256
  /// More servers are not told apart, and more of a second are not counted.
  public static let mostNodes = 1 << 20
  static let mostCount = 1 << 12 - 1
  /// 2025-01-01: seconds from here on have 31 bits.
  private static let epoch: Int64 = 1_735_689_600

  private typealias Slot = SlotTable.Slot

  public let limit: Int
  /// Seconds.
  public let findtime: Int64
  private let nodes: Int
  private let sites: Int
  private let capacity: Int
  private var table: SlotTable
  private var pools: [BlockPool]
  private var sums = NodeSums()

  public private(set) var evicted = 0
  public var count: Int { table.count }
  public var memory: Int { table.memory + pools.reduce(0) { $0 + $1.memory } }

  /// - Parameters:
  ///   - nodes: failures on fewer servers are no reason.
  ///   - capacity: no more ids are kept; the least recent of those at hand make room.
  public init(limit: Int, findtime: Int64, nodes: Int, sites: Int, capacity: Int = 20_000_000, seed: (UInt64, UInt64)) {
    self.limit = max(2, limit)
    self.findtime = max(1, findtime)
    self.nodes = max(2, nodes)
    self.sites = max(1, sites)
    self.capacity = max(16, capacity)
    table = SlotTable(seed: seed)
    pools = (1...8).map { BlockPool(size: 1 << $0) }
  }

  /// Counts, and returns the entries of a window of `findtime` that is a reason to ban, if there is one now; the id is
  /// forgotten then. A server's failures count for one less than the limit at most.
  /// - Parameters:
  ///   - second: of the failures.
  ///   - stale: ids that have no entry since then make room first.
  public mutating func add(
    _ key: UInt128, _ count: Int, by node: Int, at second: Int64, site: (Int) -> Int, stale: Int64
  ) -> [Entry]? {
    guard count > 0, let packed = Self.pack(Entry(second: second, node: node, count: min(count, Self.mostCount))) else {
      return nil
    }
    let place = place(for: key, stale: stale)
    var slot = table[place]
    insert(packed, into: &slot)
    table[place] = slot
    guard let found = window(of: slot, around: second, site) else { return nil }
    remove(at: place)
    return found
  }

  /// What is kept of an id, the oldest first.
  public func entries(of key: UInt128) -> [Entry] {
    guard let place = table.find(key) else { return [] }
    let slot = table[place]
    return (0..<Int(slot.count)).map { Self.unpack(packed(slot, $0)) }
  }

  public mutating func forget(_ key: UInt128) {
    if let place = table.find(key) { remove(at: place) }
  }

  /// Drops the ids that have no entry since `second`, and gives memory back.
  public mutating func expire(before second: Int64) { giveBack(table.expire(keeping: Self.first(of: second))) }

  // MARK: Entries: second, server, count in 32, 20 and 12 bits, so that their order is that of time

  private static func pack(_ entry: Entry) -> Int64? {
    let second = entry.second - epoch
    guard (0..<1 << 31).contains(second), (0..<mostNodes).contains(entry.node) else { return nil }
    return second << 32 | Int64(entry.node) << 12 | Int64(entry.count)
  }

  private static func unpack(_ packed: Int64) -> Entry {
    Entry(
      second: packed >> 32 + epoch, node: Int(packed >> 12 & Int64(mostNodes - 1)),
      count: Int(packed & Int64(mostCount)))
  }

  private static func first(of second: Int64) -> Int64 { max(0, min(second - epoch, 1 << 31 - 1)) << 32 }

  private func packed(_ slot: Slot, _ index: Int) -> Int64 {
    slot.hasBlock ? pools[Int(slot.blockClass)][slot.block, index] : slot.newest
  }

  private mutating func insert(_ new: Int64, into slot: inout Slot) {
    if slot.count == 0 {
      slot.count = 1
      slot.newest = new
      return
    }
    var kept = Int(slot.count)
    // The same server's word about the same second.
    for index in 0..<kept where packed(slot, index) >> 12 == new >> 12 {
      let sum = min(packed(slot, index) & Int64(Self.mostCount) + new & Int64(Self.mostCount), Int64(Self.mostCount))
      return set(new & ~Int64(Self.mostCount) | sum, at: index, of: &slot)
    }
    // Of one server no more entries than can count: it must not push out the others'.
    if let oldest = superfluous(of: new, slot) {
      guard packed(slot, oldest) < new else { return }
      drop(oldest, of: &slot)
      kept -= 1
    }
    if kept == Self.most {
      guard packed(slot, 0) < new else { return }
      drop(0, of: &slot)
      kept -= 1
    }
    if kept == 0 {
      release(&slot)
      slot.count = 1
      slot.newest = new
      return
    }
    grow(&slot, to: kept + 1)
    let pool = Int(slot.blockClass)
    var at = kept
    while at > 0, pools[pool][slot.block, at - 1] > new {
      pools[pool][slot.block, at] = pools[pool][slot.block, at - 1]
      at -= 1
    }
    pools[pool][slot.block, at] = new
    slot.count = UInt16(kept + 1)
    slot.newest = pools[pool][slot.block, kept]
  }

  private mutating func set(_ packed: Int64, at index: Int, of slot: inout Slot) {
    if slot.hasBlock { pools[Int(slot.blockClass)][slot.block, index] = packed }
    if index == Int(slot.count) - 1 { slot.newest = packed }
  }

  /// The oldest entry of the server of `new`, when it has as many as can count already.
  private func superfluous(of new: Int64, _ slot: Slot) -> Int? {
    let node = new >> 12 & Int64(Self.mostNodes - 1)
    var oldest: Int?
    var seen = 0
    for index in 0..<Int(slot.count) where packed(slot, index) >> 12 & Int64(Self.mostNodes - 1) == node {
      if oldest == nil { oldest = index }
      seen += 1
    }
    return seen >= limit - 1 ? oldest : nil
  }

  private mutating func drop(_ index: Int, of slot: inout Slot) {
    let kept = Int(slot.count)
    if slot.hasBlock {
      let pool = Int(slot.blockClass)
      for i in index..<kept - 1 { pools[pool][slot.block, i] = pools[pool][slot.block, i + 1] }
    }
    slot.count = UInt16(kept - 1)
  }

  /// Moves the entries to a block that holds `size`.
  private mutating func grow(_ slot: inout Slot, to size: Int) {
    let wanted = pools.firstIndex { $0.size >= size } ?? pools.count - 1
    guard !slot.hasBlock || Int(slot.blockClass) < wanted else { return }
    let block = pools[wanted].take()
    for index in 0..<Int(slot.count) { pools[wanted][block, index] = packed(slot, index) }
    release(&slot)
    slot.block = block
    slot.blockClass = UInt8(wanted)
  }

  private mutating func release(_ slot: inout Slot) {
    if slot.hasBlock { pools[Int(slot.blockClass)].give(slot.block) }
    slot.blockClass = Slot.noBlock
  }

  // MARK: The window

  /// Looks at the windows that end with an entry within `findtime` from `second`: the others are as they were.
  private mutating func window(of slot: Slot, around second: Int64, _ site: (Int) -> Int) -> [Entry]? {
    let kept = Int(slot.count)
    guard kept >= nodes else { return nil }
    sums.removeAll()
    var first = 0
    for last in 0..<kept {
      let entry = Self.unpack(packed(slot, last))
      if entry.second > second + findtime { break }
      sums.add(entry.count, by: entry.node)
      while Self.unpack(packed(slot, first)).second < entry.second - findtime {
        let gone = Self.unpack(packed(slot, first))
        sums.add(-gone.count, by: gone.node)
        first += 1
      }
      guard entry.second >= second, sums.reaches(limit, nodes: nodes, sites: sites, site) else { continue }
      return (first...last).map { Self.unpack(packed(slot, $0)) }
    }
    return nil
  }

  // MARK: Room

  private mutating func place(for key: UInt128, stale: Int64) -> SlotTable.Place {
    if table.count >= capacity, table.find(key) == nil, let least = table.leastRecent(of: 8) {
      if table[least].newest >= Self.first(of: stale) { evicted += 1 }
      remove(at: least)
    }
    while true {
      if let place = table.place(for: key) { return place }
      giveBack(table.makeRoom(for: key, stale: Self.first(of: stale)))
    }
  }

  private mutating func remove(at place: SlotTable.Place) {
    giveBack([table[place]])
    table.remove(at: place)
  }

  private mutating func giveBack(_ slots: [Slot]) {
    for slot in slots where slot.hasBlock { pools[Int(slot.blockClass)].give(slot.block) }
  }
}

/// How many failures each server has in the window that is looked at.
private struct NodeSums: Sendable {
  private var nodes: [Int] = []
  private var counts: [Int] = []

  mutating func removeAll() {
    nodes.removeAll(keepingCapacity: true)
    counts.removeAll(keepingCapacity: true)
  }

  mutating func add(_ count: Int, by node: Int) {
    if let index = nodes.firstIndex(of: node) {
      counts[index] += count
    } else {
      nodes.append(node)
      counts.append(count)
    }
  }

  func reaches(_ limit: Int, nodes least: Int, sites leastSites: Int, _ site: (Int) -> Int) -> Bool {
    var (sum, servers) = (0, 0)
    for count in counts where count > 0 {
      sum += min(count, limit - 1)
      servers += 1
    }
    guard sum >= limit, servers >= least else { return false }
    guard leastSites > 1 else { return true }
    var seen: Set<Int> = []
    for (index, count) in counts.enumerated() where count > 0 { seen.insert(site(nodes[index])) }
    return seen.count >= leastSites
  }
}
