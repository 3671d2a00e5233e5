internal import Model

/// A jail's bans by the key of their id. Most failures of an attack come from ids that are banned already, so one is found
/// without copying it, and without the hash of Dictionary, which costs more than the rest of a decision.
///
/// The bans stand one behind the other; `slots` says where, by open addressing with linear probing.
struct BanTable: Sendable {
  // Two halves: see `Address`.
  private struct Key: Equatable {
    var high: UInt64
    var low: UInt64

    init(_ key: UInt128) {
      high = UInt64(truncatingIfNeeded: key >> 64)
      low = UInt64(truncatingIfNeeded: key)
    }

    var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }
  }

  private var keys: [Key] = []
  private(set) var bans: [Ban] = []
  /// 0: free; else the ban's place + 1. Never more than three quarters are taken.
  private var slots = [UInt32](repeating: 0, count: smallest)
  private let hash: KeyHash

  private static let smallest = 8

  init(seed: (UInt64, UInt64)) { hash = KeyHash(seed: seed) }

  var count: Int { bans.count }
  var isEmpty: Bool { bans.isEmpty }

  /// Where the ban of `key` stands in `bans` until the next one is made or removed.
  func find(_ key: UInt128) -> Int? {
    guard !bans.isEmpty else { return nil }
    let slot = slots[slot(of: key)]
    return slot == 0 ? nil : Int(slot) - 1
  }

  subscript(key: UInt128) -> Ban? { find(key).map { bans[$0] } }

  func key(at place: Int) -> UInt128 { keys[place].bits }

  /// The keys of those whose time is over, the earliest first.
  func over(at now: Instant) -> [(end: Instant, key: UInt128)] {
    var over: [(end: Instant, key: UInt128)] = []
    for place in 0..<bans.count {
      if let end = bans[place].until, end <= now { over.append((end, key(at: place))) }
    }
    return over.sorted { ($0.end, $0.key) < ($1.end, $1.key) }
  }

  mutating func set(_ ban: Ban, for key: UInt128) {
    let slot = slot(of: key)
    guard slots[slot] == 0 else {
      bans[Int(slots[slot]) - 1] = ban
      return
    }
    keys.append(Key(key))
    bans.append(ban)
    slots[slot] = UInt32(bans.count)
    if bans.count * 4 > slots.count * 3 { rebuild(slots.count * 2) }
  }

  mutating func mark(at place: Int, applied: Bool) { bans[place].applied = applied }

  @discardableResult
  mutating func remove(_ key: UInt128) -> Ban? {
    var hole = slot(of: key)
    guard slots[hole] != 0 else { return nil }
    let place = Int(slots[hole]) - 1
    let ban = bans[place]
    // Move back what probed past this slot (Knuth, The Art of Computer Programming 3, 6.4, algorithm R).
    let mask = slots.count - 1
    var at = hole
    while true {
      at = (at + 1) & mask
      guard slots[at] != 0 else { break }
      let home = home(keys[Int(slots[at]) - 1].bits)
      if (at &- home) & mask >= (at &- hole) & mask {
        slots[hole] = slots[at]
        hole = at
      }
    }
    slots[hole] = 0
    // The last ban takes the place.
    let last = bans.count - 1
    if place != last {
      slots[slot(of: keys[last].bits)] = UInt32(place + 1)
      (keys[place], bans[place]) = (keys[last], bans[last])
    }
    keys.removeLast()
    bans.removeLast()
    if slots.count > Self.smallest, bans.count * 8 < slots.count { rebuild(slots.count / 2) }
    return ban
  }

  mutating func removeAll() {
    keys = []
    bans = []
    slots = [UInt32](repeating: 0, count: Self.smallest)
  }

  // MARK: Inside

  private func home(_ key: UInt128) -> Int { Int(truncatingIfNeeded: hash.of(key)) & (slots.count - 1) }

  /// The slot of `key`, or the free one where it would stand.
  private func slot(of key: UInt128) -> Int {
    let wanted = Key(key)
    var at = home(key)
    while slots[at] != 0, keys[Int(slots[at]) - 1] != wanted { at = (at + 1) & (slots.count - 1) }
    return at
  }

  private mutating func rebuild(_ size: Int) {
    slots = [UInt32](repeating: 0, count: size)
    for place in keys.indices { slots[slot(of: keys[place].bits)] = UInt32(place + 1) }
  }
}
