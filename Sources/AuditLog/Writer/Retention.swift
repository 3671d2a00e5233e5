public import Model
internal import SQLite

/// How long what is kept; nil: permanent.
public struct RetentionPolicy: Hashable, Sendable {
  public var failures: TimeSpan?
  /// Bans and unbans; bans in force stay in any case.
  public var decisions: TimeSpan?
  /// Operators' acts and everything else that happened.
  public var events: TimeSpan?
  /// The file's size in bytes above which the oldest failures go, whatever their age.
  public var size: Int64?

  public init(
    failures: TimeSpan? = nil, decisions: TimeSpan? = nil, events: TimeSpan? = nil, size: Int64? = nil
  ) {
    self.failures = failures
    self.decisions = decisions
    self.events = events
    self.size = size
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
      if let age = policy.failures {
        more = try state.remove(.failures, before: now.subtracting(age), limit: limit, db) || more
      }
      if let age = policy.decisions {
        more = try state.remove(.decisions, before: now.subtracting(age), limit: limit, db) || more
      }
      if let age = policy.events {
        more = try state.remove(.events, before: now.subtracting(age), limit: limit, db) || more
      }
      if let size = policy.size, try Self.usedBytes(db) > size {
        more = try state.remove(.failures, before: nil, limit: limit, db) || more
      }
      return try state.dropLinks(limit: limit, db) || more
    }
  }

  /// Bytes of the file that hold something; pages that were freed are used again before it grows.
  static func usedBytes(_ db: Database) throws -> Int64 {
    let pages: Int64 = try db.first("PRAGMA page_count") ?? 0
    let free: Int64 = try db.first("PRAGMA freelist_count") ?? 0
    let size: Int64 = try db.first("PRAGMA page_size") ?? 4096
    return (pages - free) * size
  }
}

/// What retention removes on its own schedule.
enum RecordKind: String, CaseIterable {
  case failures, decisions, events

  /// Its table, and the column of `chain` with the last row's number.
  var table: String {
    switch self {
    case .failures: "failure"
    case .decisions: "decision"
    case .events: "event"
    }
  }
}

extension WriterState {
  /// Removes whole transactions' rows of one kind, oldest first, as long as their last row is older than `time`. True when
  /// it stopped because of `limit`.
  mutating func remove(_ kind: RecordKind, before time: Instant?, limit: Int, _ db: Database) throws -> Bool {
    let table = kind.table
    let done: Int64 = try db.first("SELECT through FROM removed WHERE kind = ?", table) ?? 0
    let pending: Int64 = try db.first("SELECT min(sequence) FROM pending") ?? Int64.max
    var previous = done
    guard let links = try ChainSearch(kind, db) else { return false }
    var through: [(sequence: Int64, first: Int64, last: Int64)] = []
    var more = false
    var start = links.first
    while let sequence = try links.link(after: previous, from: start), sequence < pending,
      let last = try links.lastRow(of: sequence)
    {
      if let time {
        let newest: Int64? = try db.first("SELECT max(+time) FROM \(table) WHERE id > ? AND id <= ?", previous, last)
        guard let newest, newest < time.microseconds else { break }
      }
      through.append((sequence, previous + 1, last))
      previous = last
      start = sequence + 1
      if last - done >= limit {
        more = true
        break
      }
    }
    guard !through.isEmpty else { return false }
    for (sequence, first, last) in through {
      let digest = try Self.digest(kind, first, last, db)
      try db.run("UPDATE chain SET \(kind.rawValue) = ? WHERE sequence = ?", digest, sequence)
    }
    if kind == .failures { try Self.uncount(done + 1, previous, db) }
    if kind == .decisions { try Self.forgetBans(done + 1, previous, db) }
    try db.run("DELETE FROM \(table) WHERE id > ? AND id <= ?", done, previous)
    try db.run(
      "INSERT OR REPLACE INTO removed (kind, through, time) VALUES (?,?,?)", table, previous, time?.microseconds ?? 0)
    return more
  }

  /// A ban goes with the decision that ended it: an unban, or the ban that took its place. One that is in force stays, and
  /// says since when and why, though its decision be gone.
  private static func forgetBans(_ first: Int64, _ last: Int64, _ db: Database) throws {
    try db.run(
      """
      DELETE FROM ban WHERE id IN (
        SELECT b.id FROM decision d JOIN ban b ON b.address IS d.address AND b.identity = d.identity
          AND b.jail = d.jail AND b.ended = d.time
        WHERE d.id BETWEEN ? AND ?)
      """, first, last)
  }

  private static func digest(
    _ kind: RecordKind, _ first: Int64, _ last: Int64, _ db: Database
  ) throws -> [UInt8] {
    var writer = ByteWriter()
    switch kind {
    case .failures:
      var lookups = Lookups()
      var failures = BatchEncoder()
      let rows = try db.rows(
        "SELECT \(FailureRow.columns) FROM failure f \(FailureRow.join) WHERE f.id BETWEEN ? AND ? ORDER BY f.id",
        first, last)
      while let row = try rows.next() { try FailureRow(row, &lookups, db).write(to: &failures) }
      return failures.count == 0 ? [] : failures.digest
    case .decisions:
      let rows = try db.rows(DecisionRecord.select + " WHERE id BETWEEN ? AND ? ORDER BY id", first, last)
      while let row = try rows.next() { DecisionRecord(row).write(to: &writer) }
    case .events:
      let rows = try db.rows(EventRecord.select + " WHERE id BETWEEN ? AND ? ORDER BY id", first, last)
      while let row = try rows.next() { EventRecord(row).write(to: &writer) }
    }
    return SHA256.hash(writer.bytes)
  }

  /// Takes failures out of the counts an hour and of the chunks.
  private static func uncount(_ first: Int64, _ last: Int64, _ db: Database) throws {
    for (isUser, column) in [(0, "origin"), (1, "user")] {
      try db.run(
        """
        INSERT INTO hourly (hour, is_user, key, failures, rows)
          SELECT (time - CASE WHEN time < 0 THEN 3599999999 ELSE 0 END) / 3600000000 AS hour, ?, \(column), -sum(count), -count(*) FROM failure
          WHERE id BETWEEN ? AND ? AND \(column) IS NOT NULL GROUP BY hour, \(column)
        ON CONFLICT DO UPDATE SET failures = failures + excluded.failures, rows = rows + excluded.rows
        """, isUser, first, last)
      try db.run(
        """
        DELETE FROM hourly WHERE rows <= 0 AND is_user = ? AND hour IN (
          SELECT DISTINCT (time - CASE WHEN time < 0 THEN 3599999999 ELSE 0 END) / 3600000000 FROM failure WHERE id BETWEEN ? AND ?)
        """, isUser, first, last)
    }
    try db.run("DELETE FROM last_line WHERE id BETWEEN ? AND ?", first, last)
    let left = (last + 1) >> Int64(Chunk.bits)
    try db.run("DELETE FROM chunk WHERE id < ?", left)
    // What is left of a chunk is counted by its rows.
    try db.run("DELETE FROM frequent WHERE chunk <= ?", left)
    try db.run(
      """
      UPDATE chunk SET (first_time, last_time) = (SELECT min(time), max(time) FROM failure WHERE id BETWEEN ? AND ?)
      WHERE id = ? AND EXISTS (SELECT 1 FROM failure WHERE id BETWEEN ? AND ?)
      """, last + 1, (left + 1) << Int64(Chunk.bits) - 1, left, last + 1, (left + 1) << Int64(Chunk.bits) - 1)
  }

  /// Drops links all of whose rows are gone, the oldest `limit` of them or fewer, up to one whose hash is kept: the rest of
  /// the chain hangs there. True while there are more.
  mutating func dropLinks(limit: Int, _ db: Database) throws -> Bool {
    var end = chain.sequence
    var first = end
    for kind in [RecordKind.failures, .decisions, .events] {
      guard let links = try ChainSearch(kind, db) else { return false }
      first = links.first
      let through: Int64 =
        try db.first("SELECT through FROM removed WHERE kind = ?", kind.table) ?? 0
      end = min(end, try links.link(after: through, from: first) ?? end)
    }
    // `end` is the first to stay, or the tip.
    let most = first + max(Int64(limit), 2 * ChainLink.stride)
    let anchor: Int64? = try db.first(
      "SELECT max(sequence) FROM chain WHERE hash IS NOT NULL AND sequence < ? AND sequence >= ?", min(end, most), first
    )
    guard let anchor, anchor > first else { return false }
    try db.run("DELETE FROM chain WHERE sequence < ?", anchor)
    try db.run("INSERT OR REPLACE INTO removed (kind, through, time) VALUES ('transaction', ?, 0)", anchor)
    return end > most
  }
}
