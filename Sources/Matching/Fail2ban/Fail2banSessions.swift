internal import Model

/// The lines of one session (`<F-MLFID>`, often a process) share what they captured: one names the user, another the address,
/// a third says that it failed.
///
/// fail2ban keeps 100 sessions of a jail for five minutes, so a busy daemon loses failures. Here they are kept until a line
/// ends them (`<F-MLFFORGET>`), until nothing was heard of one for ten minutes of log time, or until there are too many:
/// then the oldest goes, and is counted.
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
    /// The lines of its failures, and those that were none by themselves.
    var matches = MatchedLines()
    var helpers = MatchedLines()
    var seen: Instant
    let key: [UInt8]
    fileprivate let hash: Int
    fileprivate var number: UInt64 = 0

    fileprivate init(key: [UInt8], hash: Int, fields: CapturedFields, seen: Instant) {
      self.key = key
      self.hash = hash
      self.fields = fields
      self.seen = seen
    }

    mutating func add(user: [UInt8]) {
      if users.count < 16, !users.contains(user) { users.append(user) }
    }
  }

  /// Sessions given up while they might have been needed.
  private(set) var evicted = 0
  /// By the hash of their keys, so that looking one up copies no key. The hash is seeded: nobody can choose two keys of
  /// one, and if it happens, one session takes the other's place.
  private var sessions: [Int: Session] = [:]
  private var order: [(hash: Int, number: UInt64)] = []
  private var head = 0
  private var number: UInt64 = 0

  var count: Int { sessions.count }
  /// Places in the order, with those of ended sessions.
  var places: Int { order.count }

  /// A new session, under the key that the field holds.
  func begin(_ fields: CapturedFields, _ field: Int, at time: Instant) -> Session {
    let key = fields.array(field).map { Array($0.prefix(Self.longest)) } ?? []
    return Session(
      key: key, hash: Self.hash(key.span), fields: CapturedFields(count: fields.indices.count), seen: time)
  }

  /// Takes out the session whose key the field holds, to be put back when it lives on.
  mutating func take(_ fields: CapturedFields, _ field: Int, at time: Instant) -> Session? {
    guard !sessions.isEmpty else { return nil }
    let hash = fields.withSpan(field) { Self.hash($0.extracting(0..<min($0.count, Self.longest))) }
    guard let hash, let index = sessions.index(forKey: hash),
      fields.begins(field, with: sessions.values[index].key, limit: Self.longest)
    else { return nil }
    let session = sessions.remove(at: index).value
    let age = time.since(session.seen)
    return age > Self.idle || age < TimeSpan(microseconds: -Self.idle.microseconds) ? nil : session
  }

  /// Puts a session back, or in.
  mutating func put(_ session: Session) {
    var session = session
    if session.number == 0 {
      number += 1
      session.number = number
      order.append((session.hash, number))
    }
    sessions[session.hash] = session
    while sessions.count > Self.limit, head < order.count { evictOldest() }
    // Ended sessions leave their places in the order.
    if order.count > 4 * Self.limit || head > Self.limit {
      order = order[head...].filter { sessions[$0.hash]?.number == $0.number }
      head = 0
    }
  }

  private mutating func evictOldest() {
    let (hash, number) = order[head]
    head += 1
    guard sessions[hash]?.number == number else { return }
    sessions[hash] = nil
    evicted += 1
  }

  private static func hash(_ key: borrowing Span<UInt8>) -> Int {
    var hasher = Hasher()
    // Safe: the hasher reads the span's bytes during the call.
    unsafe key.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return hasher.finalize()
  }
}

/// Lines that stand behind a failure: all are counted, the first ones kept.
struct MatchedLines: Sendable {
  static let most = 10
  static let longest = 512

  private(set) var count = 0
  private(set) var lines: [[UInt8]] = []

  mutating func add(_ line: borrowing Span<UInt8>) {
    count += 1
    guard lines.count < Self.most else { return }
    var kept: [UInt8] = []
    kept.append(line, 0..<min(line.count, Self.longest))
    lines.append(kept)
  }

  mutating func add(_ other: MatchedLines) {
    count += other.count
    lines.append(contentsOf: other.lines.prefix(Self.most - lines.count))
  }
}
