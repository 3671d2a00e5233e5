public import Model

/// Every id's recent failures in one jail.
///
/// An id takes 32 bytes while it has failed once; from the second failure on its times stand in a block of a pool, so a
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

  private struct Slot {
    var key: UInt128 = 0
    /// The only time, or the newest one of the block.
    var newest: Int64 = 0
    var block: UInt32 = 0
    /// Times kept; 0: the slot is free.
    var count: UInt16 = 0
    var blockClass: UInt8 = Self.noBlock

    static let noBlock: UInt8 = 255
  }

  public let limit: Int
  public let findtime: TimeSpan
  /// No more ids than this are kept; the least recent of those at hand make room.
  public let capacity: Int
  public private(set) var count = 0
  public private(set) var evicted = 0

  private var slots: [Slot]
  private var pools: [BlockPool]
  private let seed: (UInt64, UInt64)
  private var newestSeen = Int64.min
  private var hand = 0

  public init(limit: Int, findtime: TimeSpan, capacity: Int = 4_000_000, seed: (UInt64, UInt64)) {
    self.limit = max(1, limit)
    self.findtime = max(findtime, TimeSpan(microseconds: 1))
    self.capacity = max(16, capacity)
    self.seed = seed
    slots = [Slot](repeating: Slot(), count: 64)
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

  /// Counts `weight` failures of `key` at `time`. Gives how many lie in the window when that reaches the limit (the id is
  /// then forgotten, its window empty again), else nil.
  public mutating func add(_ key: UInt128, at time: Instant, weight: Int) -> Int? {
    guard weight > 0 else { return nil }
    let t = time.microseconds
    newestSeen = max(newestSeen, t)
    let index = slot(for: key)
    let reached = limit > Self.exactLimit ? addSliced(index, t, weight) : addExact(index, t, weight)
    if reached >= limit {
      remove(at: index)
      return reached
    }
    return nil
  }

  /// How many failures of `key` lie in the `findtime` before `time`.
  public func current(_ key: UInt128, at time: Instant) -> Int {
    guard let index = find(key) else { return 0 }
    let slot = slots[index]
    let from = time.subtracting(findtime).microseconds
    if limit > Self.exactLimit { return slicedSum(slot, upTo: sliceNumber(time.microseconds)) }
    if slot.blockClass == Slot.noBlock { return slot.newest >= from ? 1 : 0 }
    var total = 0
    for i in 0..<Int(slot.count) where pools[Int(slot.blockClass)][slot.block, i] >= from { total += 1 }
    return total
  }

  /// The bytes that it holds in all, used or not.
  public var memory: Int {
    slots.capacity * MemoryLayout<Slot>.stride + pools.reduce(0) { $0 + $1.memory }
  }

  /// Forgets an id.
  public mutating func forget(_ key: UInt128) {
    if let index = find(key) { remove(at: index) }
  }

  /// Drops the ids whose failures all lie before `time - findtime`, and gives memory back.
  public mutating func expire(before time: Instant) {
    rebuild(keeping: time.subtracting(findtime).microseconds, size: 64)
  }

  // MARK: Exact windows

  private mutating func addExact(_ index: Int, _ t: Int64, _ weight: Int) -> Int {
    let span = findtime.microseconds
    let times = min(weight, limit)
    if slots[index].count == 0 || isFar(slots[index].newest, t, span) && slots[index].blockClass == Slot.noBlock {
      // The first failure, or one so far from the only other that it starts anew.
      if slots[index].count == 0 { count += 1 }
      slots[index].count = 1
      slots[index].newest = t
      if times == 1 { return 1 }
      grow(index, to: times)
      for i in 0..<times { pools[Int(slots[index].blockClass)][slots[index].block, i] = t }
      slots[index].count = UInt16(times)
      return times >= limit ? weight : times
    }
    var kept = Int(slots[index].count)
    if slots[index].blockClass == Slot.noBlock {
      grow(index, to: 2)
      pools[Int(slots[index].blockClass)][slots[index].block, 0] = slots[index].newest
    }
    kept = forgetFar(index, from: t, span)
    for _ in 0..<times { kept = insert(index, t, kept) }
    slots[index].count = UInt16(kept)
    let pool = Int(slots[index].blockClass)
    slots[index].newest = pools[pool][slots[index].block, kept - 1]
    guard kept >= limit else { return kept }
    // The block holds the `limit` newest times, in order: they must all lie within findtime.
    let oldest = pools[pool][slots[index].block, kept - limit]
    return slots[index].newest.subtractingReportingOverflow(oldest).partialValue <= span
      ? limit + max(0, weight - times) : 0
  }

  private func isFar(_ a: Int64, _ b: Int64, _ span: Int64) -> Bool {
    let (difference, overflow) = a.subtractingReportingOverflow(b)
    return overflow || difference > span || difference < -span
  }

  /// Drops the times further than findtime from `t`; gives how many are left, moved to the block's front.
  private mutating func forgetFar(_ index: Int, from t: Int64, _ span: Int64) -> Int {
    let pool = Int(slots[index].blockClass)
    let block = slots[index].block
    var kept = 0
    for i in 0..<Int(slots[index].count) {
      let time = pools[pool][block, i]
      guard !isFar(time, t, span) else { continue }
      pools[pool][block, kept] = time
      kept += 1
    }
    return kept
  }

  /// Inserts in order; when `limit` are held already the oldest goes.
  private mutating func insert(_ index: Int, _ t: Int64, _ held: Int) -> Int {
    var kept = held
    slots[index].count = UInt16(kept)
    if kept == pools[Int(slots[index].blockClass)].size, kept < limit { grow(index, to: kept + 1) }
    let pool = Int(slots[index].blockClass)
    let block = slots[index].block
    if kept >= limit {
      if pools[pool][block, 0] >= t { return kept }
      for i in 1..<kept { pools[pool][block, i - 1] = pools[pool][block, i] }
      kept -= 1
    }
    var at = kept
    while at > 0, pools[pool][block, at - 1] > t {
      pools[pool][block, at] = pools[pool][block, at - 1]
      at -= 1
    }
    pools[pool][block, at] = t
    return kept + 1
  }

  /// Moves the slot's times to a block that holds `size`.
  private mutating func grow(_ index: Int, to size: Int) {
    let newClass = pools.firstIndex { $0.size >= size } ?? pools.count - 1
    let oldClass = slots[index].blockClass
    guard oldClass == Slot.noBlock || Int(oldClass) < newClass else { return }
    let block = pools[newClass].take()
    if oldClass != Slot.noBlock {
      for i in 0..<Int(slots[index].count) { pools[newClass][block, i] = pools[Int(oldClass)][slots[index].block, i] }
      pools[Int(oldClass)].give(slots[index].block)
    }
    slots[index].block = block
    slots[index].blockClass = UInt8(newClass)
  }

  // MARK: Sliced windows: a ring of counters, and in the last word the number of the newest slice

  private var sliceWidth: Int64 { max(1, findtime.microseconds / Int64(Self.slices)) }

  private func sliceNumber(_ t: Int64) -> Int64 {
    t >= 0 ? t / sliceWidth : -((sliceWidth &- 1 &- t) / sliceWidth)
  }

  private mutating func addSliced(_ index: Int, _ t: Int64, _ weight: Int) -> Int {
    let slice = sliceNumber(t)
    let n = Int64(Self.slices)
    if slots[index].count == 0 {
      count += 1
      slots[index].count = 1
      slots[index].block = pools[0].take()
      slots[index].blockClass = 0
      for i in 0..<Self.slices { pools[0][slots[index].block, i] = 0 }
      pools[0][slots[index].block, Self.slices] = slice
    }
    slots[index].newest = max(slots[index].newest, t)
    let block = slots[index].block
    let newest = pools[0][block, Self.slices]
    if isFar(slice, newest, n - 1) {
      for i in 0..<Self.slices { pools[0][block, i] = 0 }
      pools[0][block, Self.slices] = slice
      slots[index].newest = t
    } else if slice > newest {
      var stale = newest + 1
      while stale <= slice {
        pools[0][block, ring(stale)] = 0
        stale += 1
      }
      pools[0][block, Self.slices] = slice
    }
    pools[0][block, ring(slice)] = min(pools[0][block, ring(slice)] + Int64(weight), 1 << 40)
    return slicedSum(slots[index], upTo: pools[0][block, Self.slices])
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

  // MARK: The table: open addressing, linear probing, deletion by moving back

  private func hash(_ key: UInt128) -> UInt64 {
    // Multiply and fold, with secrets in both factors: an attacker who chooses addresses cannot choose collisions.
    let product = (UInt64(truncatingIfNeeded: key) ^ seed.0).multipliedFullWidth(
      by: UInt64(truncatingIfNeeded: key >> 64) ^ seed.1)
    let folded = (product.high ^ product.low).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15 ^ seed.0)
    return folded.high ^ folded.low
  }

  /// The key's place in a table of any size: the hash as a fraction of it.
  private func home(_ key: UInt128) -> Int { Int(hash(key).multipliedFullWidth(by: UInt64(slots.count)).high) }

  private func find(_ key: UInt128) -> Int? {
    var at = home(key)
    while slots[at].count > 0 {
      if slots[at].key == key { return at }
      at = at + 1 == slots.count ? 0 : at + 1
    }
    return nil
  }

  private mutating func slot(for key: UInt128) -> Int {
    var at = home(key)
    while slots[at].count > 0 {
      if slots[at].key == key { return at }
      at = at + 1 == slots.count ? 0 : at + 1
    }
    if (count + 1) * 5 > slots.count * 4 || count >= capacity {
      makeRoom()
      return slot(for: key)
    }
    slots[at].key = key
    return at
  }

  private mutating func makeRoom() {
    let stale = Instant(microseconds: newestSeen).subtracting(findtime).microseconds
    var live = 0
    for slot in slots where slot.count > 0 && slot.newest >= stale { live += 1 }
    if live * 4 <= count * 3 {
      rebuild(keeping: stale, size: slots.count)
    } else if count < capacity {
      // By a quarter: doubling would hold three times the table while it copies.
      rebuild(keeping: .min, size: slots.count + slots.count / 4)
    } else {
      // Full of ids that all count: one of eight neighbours, the least recent, makes room.
      var oldest: Int?
      var seen = 0
      while seen < 8 {
        hand = hand + 1 >= slots.count ? 0 : hand + 1
        guard slots[hand].count > 0 else { continue }
        seen += 1
        if oldest.map({ slots[hand].newest < slots[$0].newest }) ?? true { oldest = hand }
      }
      if let oldest {
        remove(at: oldest)
        evicted += 1
      }
    }
  }

  /// Copies the ids that failed since `from` into a table of `size` slots, or as many more as they need.
  private mutating func rebuild(keeping from: Int64, size: Int) {
    var live = 0
    for slot in slots where slot.count > 0 && slot.newest >= from { live += 1 }
    let old = slots
    slots = [Slot](repeating: Slot(), count: max(size, live * 5 / 4 + 16))
    count = 0
    for slot in old where slot.count > 0 {
      guard slot.newest >= from else {
        if slot.blockClass != Slot.noBlock { pools[Int(slot.blockClass)].give(slot.block) }
        continue
      }
      var at = home(slot.key)
      while slots[at].count > 0 { at = at + 1 == slots.count ? 0 : at + 1 }
      slots[at] = slot
      count += 1
    }
  }

  private mutating func remove(at index: Int) {
    if slots[index].count > 0, slots[index].blockClass != Slot.noBlock {
      pools[Int(slots[index].blockClass)].give(slots[index].block)
    }
    if slots[index].count > 0 { count -= 1 }
    // Move back what probed past this slot (Knuth, The Art of Computer Programming 3, 6.4, algorithm R).
    var hole = index
    var at = index
    while true {
      at = at + 1 == slots.count ? 0 : at + 1
      guard slots[at].count > 0 else { break }
      let home = home(slots[at].key)
      let stays = hole <= at ? (hole < home && home <= at) : (hole < home || home <= at)
      if stays { continue }
      slots[hole] = slots[at]
      hole = at
    }
    slots[hole] = Slot()
  }
}

/// Blocks of one size, handed out and taken back.
struct BlockPool: Sendable {
  let size: Int
  private var words: [Int64] = []
  private var free: [UInt32] = []

  init(size: Int) { self.size = size }

  mutating func take() -> UInt32 {
    if let block = free.popLast() { return block }
    let block = UInt32(words.count / size)
    words.append(contentsOf: repeatElement(0, count: size))
    return block
  }

  var memory: Int { words.capacity * MemoryLayout<Int64>.stride + free.capacity * MemoryLayout<UInt32>.stride }

  mutating func give(_ block: UInt32) { free.append(block) }

  subscript(block: UInt32, index: Int) -> Int64 {
    get { words[Int(block) * size + index] }
    set { words[Int(block) * size + index] = newValue }
  }
}
