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
    fileprivate var number: UInt64 = 0

    init(fields: CapturedFields, seen: Instant) {
      self.fields = fields
      self.seen = seen
    }

    mutating func add(user: [UInt8]) {
      if users.count < 16, !users.contains(user) { users.append(user) }
    }
  }

  /// Sessions given up while they might have been needed.
  private(set) var evicted = 0
  private var sessions: [[UInt8]: Session] = [:]
  private var order: [(key: [UInt8], number: UInt64)] = []
  private var head = 0
  private var number: UInt64 = 0

  var count: Int { sessions.count }
  /// Places in the order, with those of ended sessions.
  var places: Int { order.count }

  static func key(_ fields: CapturedFields, _ field: Int) -> [UInt8]? {
    fields.withSpan(field) { text in
      var key: [UInt8] = []
      key.append(text, 0..<min(text.count, longest))
      return key
    }
  }

  /// Takes a session out, to be put back when it lives on.
  mutating func take(_ key: [UInt8], at time: Instant) -> Session? {
    guard let session = sessions.removeValue(forKey: key) else { return nil }
    let age = time.since(session.seen)
    return age > Self.idle || age < TimeSpan(microseconds: -Self.idle.microseconds) ? nil : session
  }

  /// Puts a session back, or in.
  mutating func put(_ key: [UInt8], _ session: Session) {
    var session = session
    if session.number == 0 {
      number += 1
      session.number = number
      order.append((key, number))
    }
    sessions[key] = session
    while sessions.count > Self.limit, head < order.count { evictOldest() }
    // Ended sessions leave their places in the order.
    if order.count > 4 * Self.limit || head > Self.limit {
      order = order[head...].filter { sessions[$0.key]?.number == $0.number }
      head = 0
    }
  }

  private mutating func evictOldest() {
    let (key, number) = order[head]
    head += 1
    guard sessions[key]?.number == number else { return }
    sessions[key] = nil
    evicted += 1
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
