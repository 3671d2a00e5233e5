internal import Model

/// For each of many keys the last few members, each once: at whose accounts an address failed, from which addresses an account
/// was tried. Keys and members are hashes.
///
/// Bounded, since whoever writes into a log chooses names: at the bound one of eight keys goes, the one with the fewest members, so
/// that names that come once do not push out what is tried slowly; of those the one that was quiet longest. All members are in one
/// piece of memory.
struct RecentTable: Sendable {
  private struct Member: Sendable {
    var id: UInt64 = 0
    var time = Int64.min
  }

  private struct Entry: Sendable {
    var key: UInt64
    var count = 0
    var newest = Int64.min
    /// Until when it has nothing to tell, so that an attack that goes on costs no texts.
    var quiet = Int64.min
  }

  /// What a key has within the span that was asked for.
  struct Found: Sendable, Equatable {
    var count = 0
    /// The oldest of them.
    var first = Instant(microseconds: .max)
  }

  /// How many members of a key are kept.
  let most: Int
  private let limit: Int
  /// The keys' entries, 0 where there is none, else one more than the place. Keys are hashes with a seed, so that their last bits say
  /// where to look first; the next place is the next one. At most half full.
  private var slots = [UInt32](repeating: 0, count: 64)
  private var entries: [Entry] = []
  private var members: [Member] = []
  private var hand = 0
  /// How many keys were forgotten because there were too many.
  private(set) var forgotten = 0

  init(most: Int, limit: Int = 16_384) {
    self.most = most
    self.limit = limit
  }

  var count: Int { entries.count }

  /// Notes a member. The order in which members come does not matter. Returns the key's place, which holds until the next one.
  @discardableResult
  mutating func add(_ id: UInt64, to key: UInt64, at time: Instant) -> Int {
    let place = place(of: key)
    let time = time.microseconds
    entries[place].newest = max(entries[place].newest, time)
    let start = place * most
    var oldest = start
    for at in start..<start + entries[place].count {
      if members[at].id == id {
        members[at].time = max(members[at].time, time)
        return place
      }
      if members[at].time < members[oldest].time { oldest = at }
    }
    if entries[place].count < most {
      members[start + entries[place].count] = Member(id: id, time: time)
      entries[place].count += 1
    } else if members[oldest].time <= time {
      members[oldest] = Member(id: id, time: time)
    }
    return place
  }

  /// The members of a key within `span` before `time`, and later ones.
  func find(_ key: UInt64, until time: Instant, span: TimeSpan) -> Found {
    slot(of: key).place.map { find(at: $0, until: time, span: span) } ?? Found()
  }

  func find(at place: Int, until time: Instant, span: TimeSpan) -> Found {
    var found = Found()
    let from = time.subtracting(span).microseconds
    for at in place * most..<place * most + entries[place].count where members[at].time >= from {
      found.count += 1
      found.first = min(found.first, Instant(microseconds: members[at].time))
    }
    return found
  }

  /// Has the key at this place nothing to tell?
  func isQuiet(at place: Int, _ time: Instant) -> Bool { time.microseconds < entries[place].quiet }

  mutating func silence(at place: Int, until time: Instant) { entries[place].quiet = time.microseconds }

  /// Where the key is, or would be.
  private func slot(of key: UInt64) -> (slot: Int, place: Int?) {
    var slot = Int(truncatingIfNeeded: key) & (slots.count - 1)
    while slots[slot] != 0 {
      let place = Int(slots[slot]) - 1
      if entries[place].key == key { return (slot, place) }
      slot = (slot + 1) & (slots.count - 1)
    }
    return (slot, nil)
  }

  /// Twice as many slots, before they are more than half full.
  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    for place in entries.indices { slots[slot(of: entries[place].key).slot] = UInt32(place + 1) }
  }

  /// Empties a slot; those behind it that had to give way move up (Knuth, volume 3, 6.4, algorithm R).
  private mutating func empty(_ slot: Int) {
    let mask = slots.count - 1
    var hole = slot
    var next = (slot + 1) & mask
    while slots[next] != 0 {
      let home = Int(truncatingIfNeeded: entries[Int(slots[next]) - 1].key) & mask
      if (next &- home) & mask >= (next &- hole) & mask {
        slots[hole] = slots[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    slots[hole] = 0
  }

  private mutating func place(of key: UInt64) -> Int {
    let (free, known) = slot(of: key)
    if let known { return known }
    guard entries.count >= limit else {
      entries.append(Entry(key: key))
      members.append(contentsOf: repeatElement(Member(), count: most))
      if entries.count * 2 > slots.count { grow() } else { slots[free] = UInt32(entries.count) }
      return entries.count - 1
    }
    var chosen = hand
    for step in 1..<8 {
      let candidate = (hand + step) % entries.count
      let (a, b) = (entries[candidate], entries[chosen])
      if a.count < b.count || a.count == b.count && a.newest < b.newest { chosen = candidate }
    }
    hand = (hand + 8) % entries.count
    forgotten += 1
    empty(slot(of: entries[chosen].key).slot)
    entries[chosen] = Entry(key: key)
    slots[slot(of: key).slot] = UInt32(chosen + 1)
    return chosen
  }
}
