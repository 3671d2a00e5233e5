public import Model

/// Every id's recent failures in one jail.
///
/// An id takes a slot of 32 bytes while it has failed once; from the second failure on its times are in a block of a pool, so a
/// flood of a million addresses that each fail once costs little. Limits up to `exactLimit` are exact: the last `limit`
/// times are kept. Above it, failures are counted in slices of `findtime / 128`; a count then holds failures up to one
/// slice older than `findtime` (under 0.8 %).
///
/// Failures that come late (logs of several files, clocks put back) are sorted in; what lies further than `findtime` from
/// the newest arrival, on either side, is forgotten.
public struct WindowTable: Sendable {
  /// The largest `maxretry` for which every time is kept.
  public static let exactLimit = 256
  static let slices = 128

  private typealias Slot = SlotTable.Slot

  public let limit: Int
  public let findtime: TimeSpan
  /// No more ids than this are kept; the least recent of those at hand make room.
  public let capacity: Int
  public private(set) var evicted = 0

  private var table: SlotTable
  private var pools: [BlockPool]
  private var newestSeen = Int64.min

  public var count: Int { table.count }

  public init(limit: Int, findtime: TimeSpan, capacity: Int = 4_000_000, seed: (UInt64, UInt64)) {
    self.limit = max(1, limit)
    self.findtime = max(findtime, TimeSpan(microseconds: 1))
    self.capacity = max(16, capacity)
    table = SlotTable(seed: seed)
    if limit > Self.exactLimit {
      pools = [BlockPool(size: Self.slices + 1)]
    } else {
      // Blocks of 4, 8, 16 … times, up to the limit.
      var sizes: [Int] = []
      var size = 4
      while size < limit {
        sizes.append(size)
        size *= 2
      }
      sizes.append(max(limit, 4))
      pools = sizes.map { BlockPool(size: $0) }
    }
  }

  /// Counts `weight` failures of `key` at `time`. Returns how many lie in the window when that reaches the limit (the id is
  /// then forgotten, its window empty again), else nil.
  public mutating func add(_ key: UInt128, at time: Instant, weight: Int) -> Int? {
    let reached = count(key, at: time, weight: weight)
    return reached >= limit ? reached : nil
  }

  /// The same; returns how many lie in the window, whether that reaches the limit or not.
  public mutating func count(_ key: UInt128, at time: Instant, weight: Int) -> Int {
    guard weight > 0 else { return 0 }
    let t = time.microseconds
    newestSeen = max(newestSeen, t)
    let place = place(for: key)
    // Out of the table and back: it is touched many times meanwhile.
    var slot = table[place]
    let reached = limit > Self.exactLimit ? addSliced(&slot, t, weight) : addExact(&slot, t, weight)
    table[place] = slot
    if reached >= limit { remove(at: place) }
    return reached
  }

  /// How many failures of `key` lie in the `findtime` before `time`.
  public func current(_ key: UInt128, at time: Instant) -> Int {
    guard let place = table.find(key) else { return 0 }
    let slot = table[place]
    let from = time.subtracting(findtime).microseconds
    if limit > Self.exactLimit { return slicedSum(slot, upTo: sliceNumber(time.microseconds)) }
    if !slot.hasBlock { return slot.newest >= from ? 1 : 0 }
    var total = 0
    for i in 0..<Int(slot.count) where pools[Int(slot.blockClass)][slot.block, i] >= from { total += 1 }
    return total
  }

  /// The time of the last failure of `key`; nil: none is counted.
  func newest(of key: UInt128) -> Instant? {
    table.find(key).map { Instant(microseconds: table[$0].newest) }
  }

  /// The bytes that it holds in all, used or not.
  public var memory: Int {
    table.memory + pools.reduce(0) { $0 + $1.memory }
  }

  /// Forgets an id.
  public mutating func forget(_ key: UInt128) {
    if let place = table.find(key) { remove(at: place) }
  }

  /// Drops the ids whose failures all lie before `time - findtime`, and gives memory back.
  public mutating func expire(before time: Instant) {
    giveBack(table.expire(keeping: time.subtracting(findtime).microseconds))
  }

  // MARK: Exact windows

  private mutating func addExact(_ slot: inout Slot, _ t: Int64, _ weight: Int) -> Int {
    let span = findtime.microseconds
    let times = min(weight, limit)
    if slot.count == 0 || !slot.hasBlock && isFar(slot.newest, t, span) {
      // The first failure, or one so far from the only other that it starts again.
      slot.count = 1
      slot.newest = t
      if times == 1 { return 1 }
      grow(&slot, to: times)
      for i in 0..<times { pools[Int(slot.blockClass)][slot.block, i] = t }
      slot.count = UInt16(times)
      return times >= limit ? weight : times
    }
    if !slot.hasBlock {
      grow(&slot, to: 2)
      pools[Int(slot.blockClass)][slot.block, 0] = slot.newest
    }
    forgetFar(&slot, from: t, span)
    for _ in 0..<times { insert(&slot, t) }
    let pool = Int(slot.blockClass)
    let kept = Int(slot.count)
    slot.newest = pools[pool][slot.block, kept - 1]
    guard kept >= limit else { return kept }
    // The block holds the `limit` newest times, in order: they must all lie within findtime.
    let oldest = pools[pool][slot.block, kept - limit]
    return slot.newest.subtractingReportingOverflow(oldest).partialValue <= span ? limit + max(0, weight - times) : 0
  }

  private func isFar(_ a: Int64, _ b: Int64, _ span: Int64) -> Bool {
    let (difference, overflow) = a.subtractingReportingOverflow(b)
    return overflow || difference > span || difference < -span
  }

  /// Drops the times further than findtime from `t`, moving those that are left to the block's front.
  private mutating func forgetFar(_ slot: inout Slot, from t: Int64, _ span: Int64) {
    let pool = Int(slot.blockClass)
    var kept = 0
    for i in 0..<Int(slot.count) {
      let time = pools[pool][slot.block, i]
      guard !isFar(time, t, span) else { continue }
      if kept != i { pools[pool][slot.block, kept] = time }
      kept += 1
    }
    slot.count = UInt16(kept)
  }

  /// Inserts in order; when `limit` are held already the oldest goes.
  private mutating func insert(_ slot: inout Slot, _ t: Int64) {
    var kept = Int(slot.count)
    if kept == pools[Int(slot.blockClass)].size, kept < limit { grow(&slot, to: kept + 1) }
    let pool = Int(slot.blockClass)
    let block = slot.block
    if kept >= limit {
      if pools[pool][block, 0] >= t { return }
      for i in 1..<kept { pools[pool][block, i - 1] = pools[pool][block, i] }
      kept -= 1
    }
    var at = kept
    while at > 0, pools[pool][block, at - 1] > t {
      pools[pool][block, at] = pools[pool][block, at - 1]
      at -= 1
    }
    pools[pool][block, at] = t
    slot.count = UInt16(kept + 1)
  }

  /// Moves the slot's times to a block that holds `size`.
  private mutating func grow(_ slot: inout Slot, to size: Int) {
    let newClass = pools.firstIndex { $0.size >= size } ?? pools.count - 1
    guard !slot.hasBlock || Int(slot.blockClass) < newClass else { return }
    let block = pools[newClass].take()
    if slot.hasBlock {
      for i in 0..<Int(slot.count) { pools[newClass][block, i] = pools[Int(slot.blockClass)][slot.block, i] }
      pools[Int(slot.blockClass)].give(slot.block)
    }
    slot.block = block
    slot.blockClass = UInt8(newClass)
  }

  // MARK: Sliced windows: a ring of counters, and in the last word the number of the newest slice

  private var sliceWidth: Int64 { max(1, findtime.microseconds / Int64(Self.slices)) }

  private func sliceNumber(_ t: Int64) -> Int64 {
    t >= 0 ? t / sliceWidth : -((sliceWidth &- 1 &- t) / sliceWidth)
  }

  private mutating func addSliced(_ slot: inout Slot, _ t: Int64, _ weight: Int) -> Int {
    let slice = sliceNumber(t)
    let n = Int64(Self.slices)
    if slot.count == 0 {
      slot.count = 1
      slot.newest = t
      slot.block = pools[0].take()
      slot.blockClass = 0
      for i in 0..<Self.slices { pools[0][slot.block, i] = 0 }
      pools[0][slot.block, Self.slices] = slice
    }
    slot.newest = max(slot.newest, t)
    let block = slot.block
    let newest = pools[0][block, Self.slices]
    if isFar(slice, newest, n - 1) {
      for i in 0..<Self.slices { pools[0][block, i] = 0 }
      pools[0][block, Self.slices] = slice
      slot.newest = t
    } else if slice > newest {
      var stale = newest + 1
      while stale <= slice {
        pools[0][block, ring(stale)] = 0
        stale += 1
      }
      pools[0][block, Self.slices] = slice
    }
    pools[0][block, ring(slice)] = min(pools[0][block, ring(slice)] + Int64(weight), 1 << 40)
    return slicedSum(slot, upTo: pools[0][block, Self.slices])
  }

  private func ring(_ slice: Int64) -> Int {
    let r = Int(slice % Int64(Self.slices))
    return r < 0 ? r + Self.slices : r
  }

  private func slicedSum(_ slot: Slot, upTo slice: Int64) -> Int {
    guard slot.count > 0, slot.blockClass == 0 else { return 0 }
    let newest = pools[0][slot.block, Self.slices]
    guard !isFar(slice, newest, Int64(Self.slices) - 1) else { return 0 }
    var total: Int64 = 0
    var at = max(slice, newest) - Int64(Self.slices) + 1
    while at <= newest {
      total += pools[0][slot.block, ring(at)]
      at += 1
    }
    return Int(clamping: total)
  }

  // MARK: Room

  private mutating func place(for key: UInt128) -> SlotTable.Place {
    if table.count >= capacity, table.find(key) == nil { evict() }
    while true {
      if let place = table.place(for: key) { return place }
      giveBack(table.makeRoom(for: key, stale: Instant(microseconds: newestSeen).subtracting(findtime).microseconds))
    }
  }

  /// The least recent of eight neighbours makes room.
  private mutating func evict() {
    guard let place = table.leastRecent(of: 8) else { return }
    if table[place].newest >= Instant(microseconds: newestSeen).subtracting(findtime).microseconds { evicted += 1 }
    remove(at: place)
  }

  private mutating func remove(at place: SlotTable.Place) {
    giveBack([table[place]])
    table.remove(at: place)
  }

  private mutating func giveBack(_ slots: [Slot]) {
    for slot in slots where slot.hasBlock { pools[Int(slot.blockClass)].give(slot.block) }
  }
}
