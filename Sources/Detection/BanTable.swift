internal import Model

/// A jail's bans by the key of their id. Most failures of an attack come from ids that are banned already, so what answers
/// them, until when, is beside the key: one look at memory, without copying a ban, and without the hash of Dictionary,
/// which costs more than the rest of a decision.
///
/// The bans stand one behind the other; `slots` says where, by open addressing with linear probing.
struct BanTable: Sendable {
  // Two halves: see `Address`.
  private struct Slot {
    var high: UInt64
    var low: UInt64
    /// Microseconds; the largest number: permanent.
    var until: Int64
    /// 0: free; else the ban's place + 1.
    var number: UInt32

    init(_ key: UInt128, _ ban: Ban, number: Int) {
      high = UInt64(truncatingIfNeeded: key >> 64)
      low = UInt64(truncatingIfNeeded: key)
      until = ban.until?.microseconds ?? .max
      self.number = UInt32(number)
    }

    private init() { (high, low, until, number) = (0, 0, 0, 0) }

    static let free = Slot()

    var key: UInt128 { UInt128(high) << 64 | UInt128(low) }
  }

  private(set) var bans: [Ban] = []
  private var keys: [UInt128] = []
  /// Never more than three quarters are taken.
  private var slots = [Slot](repeating: .free, count: smallest)
  private let hash: KeyHash

  private static let smallest = 8

  init(seed: (UInt64, UInt64)) { hash = KeyHash(seed: seed) }

  var count: Int { bans.count }
  var isEmpty: Bool { bans.isEmpty }

  /// Where the ban of `key` is in `bans` until the next one is made or removed.
  func find(_ key: UInt128) -> Int? {
    guard !bans.isEmpty else { return nil }
    let number = slots[slot(of: key)].number
    return number == 0 ? nil : Int(number) - 1
  }

  /// Until when `key` is banned; the end of time for a ban that has none.
  func end(of key: UInt128) -> Instant? {
    guard !bans.isEmpty else { return nil }
    let slot = slot(of: key)
    return slots[slot].number == 0 ? nil : Instant(microseconds: slots[slot].until)
  }

  subscript(key: UInt128) -> Ban? { find(key).map { bans[$0] } }

  func key(at place: Int) -> UInt128 { keys[place] }

  /// The keys of those whose time is over, the earliest first.
  func expired(at now: Instant) -> [(end: Instant, key: UInt128)] {
    var expired: [(end: Instant, key: UInt128)] = []
    for place in 0..<bans.count {
      if let end = bans[place].until, end <= now { expired.append((end, key(at: place))) }
    }
    return expired.sorted { ($0.end, $0.key) < ($1.end, $1.key) }
  }

  mutating func set(_ ban: Ban, for key: UInt128) {
    let slot = slot(of: key)
    guard slots[slot].number == 0 else {
      bans[Int(slots[slot].number) - 1] = ban
      slots[slot] = Slot(key, ban, number: Int(slots[slot].number))
      return
    }
    keys.append(key)
    bans.append(ban)
    slots[slot] = Slot(key, ban, number: bans.count)
    if bans.count * 4 > slots.count * 3 { rebuild(slots.count * 2) }
  }

  mutating func mark(at place: Int, applied: Bool) { bans[place].applied = applied }

  @discardableResult
  mutating func remove(_ key: UInt128) -> Ban? {
    var hole = slot(of: key)
    guard slots[hole].number != 0 else { return nil }
    let place = Int(slots[hole].number) - 1
    let ban = bans[place]
    // Move back what probed past this slot (Knuth, The Art of Computer Programming 3, 6.4, algorithm R).
    let mask = slots.count - 1
    var at = hole
    while true {
      at = (at + 1) & mask
      guard slots[at].number != 0 else { break }
      let home = home(slots[at].key)
      if (at &- home) & mask >= (at &- hole) & mask {
        slots[hole] = slots[at]
        hole = at
      }
    }
    slots[hole] = .free
    // The last ban takes the place.
    let last = bans.count - 1
    if place != last {
      slots[slot(of: keys[last])].number = UInt32(place + 1)
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
    slots = [Slot](repeating: .free, count: Self.smallest)
  }

  // MARK: Inside

  private func home(_ key: UInt128) -> Int { Int(truncatingIfNeeded: hash.of(key)) & (slots.count - 1) }

  /// The slot of `key`, or the free one where it would be.
  private func slot(of key: UInt128) -> Int {
    let high = UInt64(truncatingIfNeeded: key >> 64)
    let low = UInt64(truncatingIfNeeded: key)
    var at = home(key)
    while slots[at].number != 0, slots[at].low != low || slots[at].high != high { at = (at + 1) & (slots.count - 1) }
    return at
  }

  private mutating func rebuild(_ size: Int) {
    slots = [Slot](repeating: .free, count: size)
    for place in keys.indices { slots[slot(of: keys[place])] = Slot(keys[place], bans[place], number: place + 1) }
  }
}
