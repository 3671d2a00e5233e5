/// Ids and what is known of each: open addressing with linear probing, in shards that grow one by one, so that growing never
/// holds more than one shard twice, and never stops a flood for long.
struct SlotTable: Sendable {
  struct Slot: Sendable {
    var key: UInt128 = 0
    /// The only time, or the newest one of the block.
    var newest: Int64 = 0
    var block: UInt32 = 0
    /// Times kept; 0: the slot is free.
    var count: UInt16 = 0
    var blockClass: UInt8 = Self.noBlock

    static let noBlock: UInt8 = 255

    var hasBlock: Bool { blockClass != Self.noBlock }
  }

  /// Where a slot is until the next one is made or removed.
  struct Place {
    var shard: Int
    var index: Int
  }

  private struct Shard: Sendable {
    /// Never full, so that every search ends.
    var slots = [Slot](repeating: Slot(), count: SlotTable.smallest)
    var count = 0
  }

  private static let shardBits: UInt64 = 6
  private static let smallest = 4
  /// From this size on a shard drops ids rather than grow.
  private static let dropping = 64

  private(set) var count = 0
  private var shards = [Shard](repeating: Shard(), count: 1 << shardBits)
  private let hash: KeyHash
  private var hand = Place(shard: 0, index: 0)

  init(seed: (UInt64, UInt64)) { hash = KeyHash(seed: seed) }

  /// The bytes that it holds in all, used or not.
  var memory: Int { shards.reduce(0) { $0 + $1.slots.capacity * MemoryLayout<Slot>.stride } }

  subscript(place: Place) -> Slot {
    get { shards[place.shard].slots[place.index] }
    set { shards[place.shard].slots[place.index] = newValue }
  }

  func find(_ key: UInt128) -> Place? {
    let hash = hash.of(key)
    let shard = Self.shard(hash)
    var at = Self.home(hash, shards[shard].slots.count)
    while shards[shard].slots[at].count > 0 {
      if shards[shard].slots[at].key == key { return Place(shard: shard, index: at) }
      at = at + 1 == shards[shard].slots.count ? 0 : at + 1
    }
    return nil
  }

  /// Where `key` is, or may be: a slot of no times then, to be filled. Nil when there is no room (`makeRoom`).
  mutating func place(for key: UInt128) -> Place? {
    let hash = hash.of(key)
    let shard = Self.shard(hash)
    let size = shards[shard].slots.count
    var at = Self.home(hash, size)
    while shards[shard].slots[at].count > 0 {
      if shards[shard].slots[at].key == key { return Place(shard: shard, index: at) }
      at = at + 1 == size ? 0 : at + 1
    }
    // Three quarters: beyond that a search for a new id looks at ten slots and more.
    guard (shards[shard].count + 1) * 4 <= size * 3 else { return nil }
    shards[shard].slots[at] = Slot()
    shards[shard].slots[at].key = key
    shards[shard].count += 1
    count += 1
    return Place(shard: shard, index: at)
  }

  /// Makes room where `key` would be: ids that have not failed since `stale` go when they are many, else the shard grows.
  /// In a small table none goes: another source of the jail may lag, and its lines still belong to that time. Returns what went.
  mutating func makeRoom(for key: UInt128, stale: Int64) -> [Slot] {
    let shard = Self.shard(hash.of(key))
    let size = shards[shard].slots.count
    if size >= Self.dropping {
      var live = 0
      for slot in shards[shard].slots where slot.count > 0 && slot.newest >= stale { live += 1 }
      if live * 4 <= shards[shard].count * 3 { return rebuild(shard, keeping: stale, size: size) }
    }
    // By a quarter: doubling would leave half of the table empty.
    return rebuild(shard, keeping: .min, size: size + max(size / 4, 4))
  }

  /// Drops the ids that have not failed since `from`, and gives memory back. Returns what went.
  mutating func expire(keeping from: Int64) -> [Slot] {
    shards.indices.flatMap { rebuild($0, keeping: from, size: Self.smallest) }
  }

  /// The least recent of the next `number` ids, in turn through the whole table.
  mutating func leastRecent(of number: Int) -> Place? {
    guard count > 0 else { return nil }
    var oldest: Place?
    var seen = 0
    while seen < min(number, count) {
      hand.index += 1
      if hand.index >= shards[hand.shard].slots.count {
        hand = Place(shard: hand.shard + 1 == shards.count ? 0 : hand.shard + 1, index: 0)
      }
      guard self[hand].count > 0 else { continue }
      seen += 1
      if oldest.map({ self[hand].newest < self[$0].newest }) ?? true { oldest = hand }
    }
    return oldest
  }

  mutating func remove(at place: Place) {
    let shard = place.shard
    shards[shard].count -= 1
    count -= 1
    // Move back what probed past this slot (Knuth, The Art of Computer Programming 3, 6.4, algorithm R).
    let size = shards[shard].slots.count
    var hole = place.index
    var at = hole
    while true {
      at = at + 1 == size ? 0 : at + 1
      guard shards[shard].slots[at].count > 0 else { break }
      let home = Self.home(hash.of(shards[shard].slots[at].key), size)
      let stays = hole <= at ? (hole < home && home <= at) : (hole < home || home <= at)
      if stays { continue }
      shards[shard].slots[hole] = shards[shard].slots[at]
      hole = at
    }
    shards[shard].slots[hole] = Slot()
  }

  // MARK: Inside

  private static func shard(_ hash: UInt64) -> Int { Int(hash >> (64 - shardBits)) }

  /// The place in a shard of any size: the rest of the hash as a fraction of it.
  private static func home(_ hash: UInt64, _ size: Int) -> Int {
    Int((hash << shardBits).multipliedFullWidth(by: UInt64(size)).high)
  }

  /// Copies the ids of a shard that failed since `from` into one of `size` slots, or as many more as they need.
  private mutating func rebuild(_ shard: Int, keeping from: Int64, size: Int) -> [Slot] {
    var live = 0
    for slot in shards[shard].slots where slot.count > 0 && slot.newest >= from { live += 1 }
    let old = shards[shard].slots
    let new = max(size, live * 4 / 3 + 4)
    var slots = [Slot](repeating: Slot(), count: new)
    var gone: [Slot] = []
    for slot in old where slot.count > 0 {
      guard slot.newest >= from else {
        gone.append(slot)
        continue
      }
      var at = Self.home(hash.of(slot.key), new)
      while slots[at].count > 0 { at = at + 1 == new ? 0 : at + 1 }
      slots[at] = slot
    }
    count -= gone.count
    shards[shard].count -= gone.count
    shards[shard].slots = slots
    return gone
  }
}
