internal import Model

/// Which client is behind a key that a service writes into each line of a connection (slapd's `conn=1004`, a process id), where
/// only the first of these lines has the address.
///
/// The newest opening of a key counts, since numbers come back. The table is bounded: the oldest opening makes room.
struct Joins {
  struct Key: Hashable {
    static let longest = 32
    private let filter: Int
    private let count: Int
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// Nil for a text that is longer than a key of the service's own is.
    init?(_ filter: Int, _ text: borrowing Span<UInt8>) {
      guard !text.isEmpty, text.count <= Self.longest else { return nil }
      self.filter = filter
      count = text.count
      for i in 0..<text.count {
        let byte = UInt64(text[i]) << (UInt64(i & 7) * 8)
        switch i >> 3 {
        case 0: words.0 |= byte
        case 1: words.1 |= byte
        case 2: words.2 |= byte
        default: words.3 |= byte
        }
      }
    }

    static func == (one: Key, other: Key) -> Bool {
      one.filter == other.filter && one.count == other.count && one.words == other.words
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(filter)
      hasher.combine(words.0)
      hasher.combine(words.1)
      hasher.combine(words.2)
      hasher.combine(words.3)
    }
  }

  struct Opening {
    var address: Address
    var port: UInt16
    var time: Instant
    fileprivate var number: Int
  }

  /// A failure whose opening has not been seen. It may come a moment later where several threads write (slapd: 146 of 2,000).
  struct Orphan {
    fileprivate var key: Key
    var pattern: Int
    var weight: Int
    fileprivate var time: Instant
  }

  static let most = 4096
  static let mostOrphans = 16
  /// How late an opening may be.
  static let delay = TimeSpan.seconds(1)

  private var openings: [Key: Opening] = [:]
  /// Keys in the order of their openings, as a ring.
  private var order: [Key?] = []
  private var number = 0
  /// The last failures without an opening, the newest last.
  private var orphans: [Orphan] = []

  mutating func open(_ key: Key, _ address: Address, port: UInt16, at time: Instant) {
    let slot = number % Self.most
    if slot < order.count {
      // The slot's key is forgotten unless it was opened again since.
      if let oldest = order[slot], openings[oldest]?.number == number - Self.most { openings[oldest] = nil }
      order[slot] = key
    } else {
      order.append(key)
    }
    openings[key] = Opening(address: address, port: port, time: time, number: number)
    number += 1
  }

  mutating func keep(_ key: Key, pattern: Int, weight: Int, at time: Instant) {
    if orphans.count == Self.mostOrphans { orphans.removeFirst() }
    orphans.append(Orphan(key: key, pattern: pattern, weight: weight, time: time))
  }

  /// The failure that waited for this opening.
  mutating func takeOrphan(_ key: Key, at time: Instant) -> Orphan? {
    guard let index = orphans.firstIndex(where: { $0.key == key }) else { return nil }
    let orphan = orphans.remove(at: index)
    let (distance, overflow) = time.microseconds.subtractingReportingOverflow(orphan.time.microseconds)
    return overflow || distance < 0 || distance > Self.delay.microseconds ? nil : orphan
  }

  mutating func close(_ key: Key) { openings[key] = nil }

  /// Who opened `key`, not more than `keep` before or after `time`.
  func client(of key: Key, at time: Instant, keep: TimeSpan) -> Opening? {
    guard let opening = openings[key] else { return nil }
    let (distance, overflow) = time.microseconds.subtractingReportingOverflow(opening.time.microseconds)
    return overflow || distance.magnitude > keep.microseconds.magnitude ? nil : opening
  }
}
