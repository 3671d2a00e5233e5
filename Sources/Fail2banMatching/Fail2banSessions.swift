internal import Matching
internal import Model

/// The lines of one session (`<F-MLFID>`, often a process) share what they captured: one names the user, another the address,
/// a third says that it failed.
///
/// fail2ban keeps 100 sessions of a jail for five minutes, so a busy daemon loses failures. Here they are kept until a line
/// ends them (`<F-MLFFORGET>`), until nothing was heard of one for ten minutes of log time, or until there are too many:
/// then the oldest goes, and is counted.
///
/// They are in one array, are changed where they stand, and leave their memory to the next one.
struct Fail2banSessions {
  static let limit = 20_000
  static let idle = TimeSpan.minutes(10)
  /// Longer keys and values are cut for keeping: a session's size does not depend on who writes the log.
  static let longest = 1024

  struct Session {
    var fields: CapturedFields
    /// Different ones, in order; at most 16 are kept.
    var users: [[UInt8]] = []
    /// A failure waits for its address.
    var isPending = false
    /// How many lines of failures there were, and how many that were none by themselves.
    var matches = 0
    var helpers = 0
    var seen = Instant(microseconds: 0)
    fileprivate var key: [UInt8] = []
    fileprivate var hash: UInt64 = 0
    /// Which session since the start it is; 0: the place is free.
    fileprivate var number: UInt64 = 0

    mutating func add(user: [UInt8]) {
      let user = user.count > longest ? Array(user.prefix(longest)) : user
      if users.count < 16, !users.contains(user) { users.append(user) }
    }
  }

  /// Sessions given up while they might have been needed.
  private(set) var evicted = 0
  /// By their places.
  var all: [Session] = []
  private var free: [Int] = []
  /// Open addressing with linear probing: 0 is free, else a place + 1. At most half full.
  private var index = [UInt32](repeating: 0, count: 64)
  /// In the order in which they began, with those that have ended.
  private var order: [(place: Int, number: UInt64)] = []
  private var head = 0
  private var number: UInt64 = 0
  /// Nobody who writes a log can choose keys of one hash.
  private let seed = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))

  var count: Int { all.count - free.count }
  /// Places in the order.
  var remembered: Int { order.count }

  /// The place of the session whose key the field holds. One that has been idle for too long ends here.
  mutating func find(_ fields: CapturedFields, _ field: Int, at time: Instant) -> Int? {
    guard count > 0, let slot = slot(fields, field), index[slot] > 0 else { return nil }
    let place = Int(index[slot]) - 1
    let age = time.since(all[place].seen)
    guard age > Self.idle || age < TimeSpan(microseconds: -Self.idle.microseconds) else { return place }
    end(place)
    return nil
  }

  /// A new session, under the key that the field holds; returns its place.
  mutating func begin(_ fields: CapturedFields, _ field: Int, at time: Instant) -> Int {
    while count >= Self.limit, head < order.count { evictOldest() }
    if (count + 1) * 2 > index.count { grow() }
    let place: Int
    if let last = free.popLast() {
      place = last
    } else {
      place = all.count
      all.append(Session(fields: CapturedFields(count: fields.indices.count)))
    }
    number += 1
    all[place].seen = time
    all[place].number = number
    fields.withSpan(field) { all[place].key.append($0, 0..<min($0.count, Self.longest)) }
    all[place].hash = hash(of: fields, field) ?? 0
    var slot = home(all[place].hash)
    while index[slot] > 0 { slot = (slot + 1) & (index.count - 1) }
    index[slot] = UInt32(place + 1)
    order.append((place, number))
    // Ended sessions leave their places in the order.
    if order.count > 4 * Self.limit || head > Self.limit {
      order = order[head...].filter { all[$0.place].number == $0.number }
      head = 0
    }
    return place
  }

  mutating func end(_ place: Int) {
    var hole = home(all[place].hash)
    while Int(index[hole]) != place + 1 { hole = (hole + 1) & (index.count - 1) }
    // Move back what probed past this slot (Knuth, The Art of Computer Programming 3, 6.4, algorithm R).
    let mask = index.count - 1
    var at = hole
    while true {
      at = (at + 1) & mask
      guard index[at] > 0 else { break }
      let home = home(all[Int(index[at]) - 1].hash)
      if (at &- home) & mask >= (at &- hole) & mask {
        index[hole] = index[at]
        hole = at
      }
    }
    index[hole] = 0
    all[place].fields.removeAll(keeping: Self.longest)
    all[place].users = []
    all[place].isPending = false
    (all[place].matches, all[place].helpers) = (0, 0)
    all[place].key.removeAll(keepingCapacity: true)
    all[place].number = 0
    free.append(place)
  }

  private mutating func evictOldest() {
    let (place, number) = order[head]
    head += 1
    guard all[place].number == number else { return }
    end(place)
    evicted += 1
  }

  /// Where the key is in the index, or would be.
  private func slot(_ fields: CapturedFields, _ field: Int) -> Int? {
    guard let sum = hash(of: fields, field) else { return nil }
    var slot = home(sum)
    while index[slot] > 0 {
      let place = Int(index[slot]) - 1
      if all[place].hash == sum, fields.begins(field, with: all[place].key, limit: Self.longest) { break }
      slot = (slot + 1) & (index.count - 1)
    }
    return slot
  }

  private mutating func grow() {
    index = [UInt32](repeating: 0, count: index.count * 2)
    for place in all.indices where all[place].number > 0 {
      var slot = home(all[place].hash)
      while index[slot] > 0 { slot = (slot + 1) & (index.count - 1) }
      index[slot] = UInt32(place + 1)
    }
  }

  private func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (index.count - 1) }

  private func hash(of fields: CapturedFields, _ field: Int) -> UInt64? {
    fields.withSpan(field) { key in hash(key.extracting(0..<min(key.count, Self.longest))) }
  }

  private func hash(_ key: borrowing Span<UInt8>) -> UInt64 {
    var sum = seed.0 ^ UInt64(key.count)
    var i = 0
    while i < key.count {
      var word: UInt64 = 0
      let end = min(key.count, i + 8)
      while i < end {
        word = word << 8 | UInt64(key[i])
        i &+= 1
      }
      let product = (word ^ sum).multipliedFullWidth(by: seed.1 | 1)
      sum = product.high ^ product.low
    }
    return sum ^ sum >> 32
  }
}
