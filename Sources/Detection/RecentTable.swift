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
  private var places: [UInt64: Int] = [:]
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

  /// Notes a member. The order in which members come does not matter.
  mutating func add(_ id: UInt64, to key: UInt64, at time: Instant) {
    let place = place(of: key)
    let time = time.microseconds
    entries[place].newest = max(entries[place].newest, time)
    let start = place * most
    var oldest = start
    for at in start..<start + entries[place].count {
      if members[at].id == id {
        members[at].time = max(members[at].time, time)
        return
      }
      if members[at].time < members[oldest].time { oldest = at }
    }
    if entries[place].count < most {
      members[start + entries[place].count] = Member(id: id, time: time)
      entries[place].count += 1
    } else if members[oldest].time <= time {
      members[oldest] = Member(id: id, time: time)
    }
  }

  /// The members of a key within `span` before `time`, and later ones.
  func find(_ key: UInt64, until time: Instant, span: TimeSpan) -> Found {
    var found = Found()
    guard let place = places[key] else { return found }
    let from = time.subtracting(span).microseconds
    for at in place * most..<place * most + entries[place].count where members[at].time >= from {
      found.count += 1
      found.first = min(found.first, Instant(microseconds: members[at].time))
    }
    return found
  }

  private mutating func place(of key: UInt64) -> Int {
    if let known = places[key] { return known }
    guard entries.count >= limit else {
      places[key] = entries.count
      entries.append(Entry(key: key))
      members.append(contentsOf: repeatElement(Member(), count: most))
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
    places[entries[chosen].key] = nil
    places[key] = chosen
    entries[chosen] = Entry(key: key)
    return chosen
  }
}
