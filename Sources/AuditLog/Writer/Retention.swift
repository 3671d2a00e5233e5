public import Model
internal import SQLite

/// How long what is kept; nil: permanent.
public struct RetentionPolicy: Hashable, Sendable {
  public var failures: TimeSpan?
  /// Bans and unbans; bans in force stay in any case.
  public var decisions: TimeSpan?
  /// Operators' acts and everything else that happened.
  public var events: TimeSpan?
  /// Activities.
  public var activity: TimeSpan?
  /// The size in bytes above which the oldest rows go, whatever their age: of the kind that takes most.
  public var size: Int64?
  /// The same for activities alone, which `size` does not count.
  public var activitySize: Int64?

  public init(
    failures: TimeSpan? = nil, decisions: TimeSpan? = nil, events: TimeSpan? = nil, size: Int64? = nil,
    activity: TimeSpan? = nil, activitySize: Int64? = nil
  ) {
    self.failures = failures
    self.decisions = decisions
    self.events = events
    self.size = size
    self.activity = activity
    self.activitySize = activitySize
  }
}

/// What the log consists of, each kind numbered by itself and removed on a schedule of its own.
enum RecordKind: String, CaseIterable {
  case failures, decisions, events

  /// The column of a transaction with the last row's number.
  var table: String {
    switch self {
    case .failures: "failure"
    case .decisions: "decision"
    case .events: "event"
    }
  }
}

extension AuditStore {
  /// Removes some of what `policy` no longer keeps: whole transactions, the oldest first, about `limit` rows, in one short
  /// transaction that takes as long in a large store as in a small one. True while there is more. Digests of what was
  /// removed stay, so `verify` holds over what is left.
  ///
  /// Rows go in the order in which they were committed. A row with an old time that was committed late (a replayed log)
  /// waits for those before it.
  @discardableResult
  public func retain(_ policy: RetentionPolicy, now: Instant, limit: Int = 4096) throws -> Bool {
    try transaction { state, db in
      var more = false
      for (kind, age) in [
        (RecordKind.failures, policy.failures), (.decisions, policy.decisions), (.events, policy.events),
      ] {
        guard let age else { continue }
        more = try Retention.remove(kind, before: now.subtracting(age), limit: limit, &state, db) || more
      }
      more =
        try ActivityTable.remove(
          before: policy.activity.map { now.subtracting($0) }, bound: policy.activitySize, limit: limit, db) || more
      if !more { try ActivityTable.forgetSightings(now: now, db) }
      if let size = policy.size { more = try Retention.shrink(to: size, limit: limit, &state, db) || more }
      return try Retention.dropLinks(limit: limit, db) || more
    }
  }
}

/// Removes what is no longer kept.
enum Retention {
  /// Up to which row of a kind all are gone.
  static func removed(_ kind: RecordKind, _ db: Database) throws -> Int64 {
    try db.first("SELECT through FROM removed WHERE kind = ?", kind.table) ?? 0
  }

  /// Removes whole transactions' rows of one kind, oldest first, as long as their last row is older than `time`. True when
  /// it stopped because of `limit`.
  static func remove(
    _ kind: RecordKind, before time: Instant?, limit: Int, _ state: inout WriterState, _ db: Database
  ) throws -> Bool {
    let done = try removed(kind, db)
    guard let links = try ChainSearch(kind, db) else { return false }
    var previous = done
    var chosen: [(sequence: Int64, first: Int64, last: Int64)] = []
    var more = false
    var start = links.first
    while let sequence = try links.link(after: previous, from: start), let last = try links.lastRow(of: sequence) {
      if let time {
        guard let newest = try newest(kind, sequence, previous + 1...last, db), newest < time.microseconds else {
          break
        }
      }
      chosen.append((sequence, previous + 1, last))
      previous = last
      start = sequence + 1
      if last - done >= limit {
        more = true
        break
      }
    }
    guard !chosen.isEmpty else { return false }
    switch kind {
    case .failures: try removeFailures(through: chosen[chosen.count - 1].sequence, done + 1...previous, &state, db)
    case .decisions, .events: try removeRows(kind, chosen, done + 1...previous, db)
    }
    try db.run(
      "INSERT OR REPLACE INTO removed (kind, through, time) VALUES (?,?,?)", kind.table, previous,
      time?.microseconds ?? 0)
    return more
  }

  private static func newest(
    _ kind: RecordKind, _ sequence: Int64, _ numbers: ClosedRange<Int64>, _ db: Database
  ) throws -> Int64? {
    guard kind != .failures else { return try db.first("SELECT last_time FROM batch WHERE id = ?", sequence) }
    return try db.first(
      "SELECT max(+time) FROM \(kind.table) WHERE id BETWEEN ? AND ?", numbers.lowerBound, numbers.upperBound)
  }

  // MARK: Decisions and events

  private static func removeRows(
    _ kind: RecordKind, _ links: [(sequence: Int64, first: Int64, last: Int64)], _ numbers: ClosedRange<Int64>,
    _ db: Database
  ) throws {
    for (sequence, first, last) in links {
      let digest = try digest(kind, first, last, db)
      for table in ["batch", "link"] {
        try db.run("UPDATE \(table) SET \(kind.rawValue) = ? WHERE id = ?", digest, sequence)
      }
    }
    if kind == .decisions { try forgetBans(numbers, db) }
    if kind == .events {
      try db.run("DELETE FROM alert WHERE id BETWEEN ? AND ?", numbers.lowerBound, numbers.upperBound)
    }
    try db.run("DELETE FROM \(kind.table) WHERE id BETWEEN ? AND ?", numbers.lowerBound, numbers.upperBound)
  }

  private static func digest(_ kind: RecordKind, _ first: Int64, _ last: Int64, _ db: Database) throws -> [UInt8] {
    var writer = ByteWriter()
    let select = kind == .decisions ? DecisionRecord.select : EventRecord.select
    let rows = try db.rows(select + " WHERE id BETWEEN ? AND ? ORDER BY id", first, last)
    while let row = try rows.next() {
      if kind == .decisions { DecisionRecord(row).write(to: &writer) } else { EventRecord(row).write(to: &writer) }
    }
    return SHA256.hash(writer.bytes)
  }

  /// A ban goes with the decision that ended it: an unban, or the ban that took its place. One that is in force stays, and
  /// says since when and why, though its decision be gone.
  private static func forgetBans(_ numbers: ClosedRange<Int64>, _ db: Database) throws {
    try db.run(
      """
      INSERT INTO total (jail, failures, rows, bans)
        SELECT jail, 0, 0, count(*) FROM decision WHERE id BETWEEN ? AND ? AND action = 'ban' GROUP BY jail
      ON CONFLICT DO UPDATE SET bans = bans + excluded.bans
      """, numbers.lowerBound, numbers.upperBound)
    try db.run(
      """
      DELETE FROM ban WHERE id IN (
        SELECT b.id FROM decision d JOIN ban b ON b.address IS d.address AND b.identity = d.identity
          AND b.jail = d.jail AND b.ended = d.time
        WHERE d.id BETWEEN ? AND ?)
      """, numbers.lowerBound, numbers.upperBound)
  }

  // MARK: Failures

  /// Transactions up to `last` go into `link`, with a digest in place of their failures.
  private static func removeFailures(
    through last: Int64, _ numbers: ClosedRange<Int64>, _ state: inout WriterState, _ db: Database
  ) throws {
    // Positions that are in no table but there must not go.
    try state.positions.store([], batch: state.chain.sequence, db)
    var lookups = Lookups()
    var counts: [Int64: (failures: Int, rows: Int)] = [:]
    let rows = try db.rows("SELECT \(BatchTable.columns) FROM batch WHERE id <= ? ORDER BY id", last)
    var digests: [Int64: [UInt8]] = [:]
    while let row = try rows.next() {
      guard let batch = Batch(row) else { continue }
      let found = try BatchDigest(batch, &lookups, db)
      digests[batch.sequence] = found.digest
      counts.merge(found.counts) { ($0.failures &+ $1.failures, $0.rows + $1.rows) }
    }
    try addTotals(counts, &lookups, db)
    try db.run(
      """
      INSERT INTO link (id, time, failure, decision, event, sums, hash, decisions, events)
        SELECT id, time, failure, decision, event, sums, hash, decisions, events FROM batch WHERE id <= ? ORDER BY id
      """, last)
    for (sequence, digest) in digests { try db.run("UPDATE link SET failures = ? WHERE id = ?", digest, sequence) }
    try db.run("DELETE FROM batch WHERE id <= ?", last)
    try db.run("DELETE FROM raw WHERE id <= ?", numbers.upperBound)
    // What is left of a segment is looked through row by row.
    for segment in try SegmentTable.all(db) where segment.first <= numbers.upperBound {
      try SegmentTable.remove(segment, db)
    }
    let isPruned = try prune(through: numbers.upperBound, keeping: state.segment.templates, db)
    if isPruned || numbers.upperBound >= state.segment.first { try state.load(db) }
  }

  /// What `status` calls ever.
  private static func addTotals(
    _ counts: [Int64: (failures: Int, rows: Int)], _ lookups: inout Lookups, _ db: Database
  ) throws {
    for (template, sum) in counts {
      guard let origin = try lookups.template(template, db)?.key.origin else { continue }
      try db.run(
        """
        INSERT INTO total (jail, failures, rows, bans) VALUES (?,?,?,0)
        ON CONFLICT DO UPDATE SET failures = failures + excluded.failures, rows = rows + excluded.rows
        """, try lookups.origin(origin, db).jail, sum.failures, sum.rows)
    }
  }

  /// What no failure refers to any more goes with the last one: templates hold words of lines.
  private static func prune(through last: Int64, keeping used: Set<Int64>, _ db: Database) throws -> Bool {
    var isPruned = false
    for number in try db.column("SELECT id FROM template WHERE last <= ?", last) as [Int64] where !used.contains(number)
    {
      try db.run("DELETE FROM template WHERE id = ?", number)
      isPruned = true
    }
    guard isPruned else { return false }
    try db.run("DELETE FROM origin WHERE id NOT IN (SELECT origin FROM template)")
    try db.run("DELETE FROM rule WHERE rule NOT IN (SELECT rule FROM template WHERE rule IS NOT NULL)")
    return true
  }

  // MARK: Links

  /// Drops links all of whose rows are gone, the oldest `limit` of them or fewer, up to one whose hash is kept: the rest of
  /// the chain hangs there. True while there are more.
  static func dropLinks(limit: Int, _ db: Database) throws -> Bool {
    guard let first: Int64 = try db.first("SELECT min(id) FROM link"),
      var end: Int64 = try db.first("SELECT max(id) FROM link")
    else { return false }
    for kind in RecordKind.allCases {
      guard let links = try ChainSearch(kind, db) else { return false }
      end = min(end, try links.link(after: removed(kind, db), from: first) ?? end)
    }
    // `end` is the first to stay.
    let most = first + max(Int64(limit), 2 * ChainLink.stride)
    let anchor: Int64? = try db.first(
      "SELECT max(id) FROM link WHERE hash IS NOT NULL AND id < ? AND id >= ?", min(end, most), first)
    guard let anchor, anchor > first else { return false }
    try db.run("DELETE FROM link WHERE id < ?", anchor)
    try db.run("INSERT OR REPLACE INTO removed (kind, through, time) VALUES ('transaction', ?, 0)", anchor)
    return end > most
  }
}
