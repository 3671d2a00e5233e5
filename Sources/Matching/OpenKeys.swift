internal import Model

/// What a source has said of connections and requests that are open, for filters whose failures do not name the client
/// (`join`): who opened a key, and failures whose opening has not come yet.
///
/// The newest opening of a key holds, since numbers and pids come back. What is kept is bounded, by number and by time.
struct OpenKeys {
  static let most = 65_536
  static let mostWaiting = 256
  /// Threads write their lines in another order than they work; more than that they are not apart.
  static let longestWait = TimeSpan.seconds(10)

  struct Opening {
    var address: Address
    var user: [UInt8]
    var time: Instant
  }

  /// A failure without a client, to be said when its key is opened.
  struct Waiting {
    var key: UInt64
    var filter: Int
    var pattern: Int
    var time: Instant
    var isDated: Bool
    var count: Int
    var weight: Int
    var user: [UInt8]
    var line: [UInt8]
  }

  private var openings: [UInt64: Opening] = [:]
  private(set) var waiting: [Waiting] = []

  init() {}

  /// `address` zero: only the user is said, of a key that is open. Returns how many openings had to be forgotten.
  mutating func open(_ key: UInt64, _ address: Address?, user: [UInt8], time: Instant, keep: TimeSpan) -> Int {
    guard let address else {
      if !user.isEmpty { openings[key]?.user = user }
      return 0
    }
    openings[key] = Opening(address: address, user: user, time: time)
    guard openings.count > Self.most else { return 0 }
    let before = openings.count
    openings = openings.filter { time.since($0.value.time) <= keep }
    let timely = openings.count
    if timely > Self.most {
      // The older half.
      let times = openings.values.map(\.time).sorted()
      let middle = times[times.count / 2]
      openings = openings.filter { $0.value.time > middle || $0.key == key }
    }
    return before - openings.count - (before - timely)
  }

  mutating func close(_ key: UInt64) { openings[key] = nil }

  func find(_ key: UInt64, at time: Instant, keep: TimeSpan) -> Opening? {
    guard let opening = openings[key], time.since(opening.time) <= keep else { return nil }
    return opening
  }

  /// Returns how many waited in vain and are dropped.
  mutating func wait(_ failure: Waiting) -> Int {
    let before = waiting.count
    waiting.removeAll { failure.time.since($0.time) > Self.longestWait }
    if waiting.count >= Self.mostWaiting { waiting.removeFirst() }
    let dropped = before - waiting.count
    waiting.append(failure)
    return dropped
  }

  /// Drops the failures that wait for this key, which has just been opened, and came too long before to be of the same
  /// connection: numbers and pids come back. Returns how many.
  mutating func dropLate(_ key: UInt64) -> Int {
    guard !waiting.isEmpty, let opening = openings[key] else { return 0 }
    let before = waiting.count
    waiting.removeAll { $0.key == key && opening.time.since($0.time) > Self.longestWait }
    return before - waiting.count
  }

  /// Takes the oldest failure that waits for this key, if that is open.
  mutating func take(_ key: UInt64, keep: TimeSpan) -> (failure: Waiting, opening: Opening)? {
    guard !waiting.isEmpty, let index = waiting.firstIndex(where: { $0.key == key }),
      let opening = find(key, at: waiting[index].time, keep: keep)
    else { return nil }
    return (waiting.remove(at: index), opening)
  }
}
