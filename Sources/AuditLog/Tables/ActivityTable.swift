internal import Model
internal import SQLite

/// What those did who were let in, the alerts, and what alerts remember. Not part of the chain: it has a retention and a size of
/// its own, so that neither pushes the other out.
enum ActivityTable {
  static let tables = """
    -- Numbers are not used again, so that one names a row.
    CREATE TABLE activity (
      id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, event TEXT NOT NULL, user TEXT NOT NULL,
      target TEXT NOT NULL, address ANY, detail TEXT NOT NULL, jail TEXT NOT NULL, filter TEXT NOT NULL,
      pattern TEXT NOT NULL, source TEXT NOT NULL, place INTEGER, cursor TEXT, line ANY NOT NULL
    ) STRICT;
    CREATE INDEX activity_time ON activity (time);
    CREATE INDEX activity_user ON activity (user);
    CREATE INDEX activity_address ON activity (address);
    -- What the events `alert` are about; `id` is the event's.
    CREATE TABLE alert (
      id INTEGER PRIMARY KEY, kind TEXT NOT NULL, time INTEGER NOT NULL, since INTEGER NOT NULL, user TEXT NOT NULL,
      address ANY, jail TEXT NOT NULL, count INTEGER NOT NULL
    ) STRICT;
    -- From which networks accounts came, and (network '') that they became root.
    CREATE TABLE sighting (
      service TEXT NOT NULL, user TEXT NOT NULL, network TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
      PRIMARY KEY (service, user, network)
    ) STRICT, WITHOUT ROWID;

    """

  /// Roughly what a row takes beside its texts, with its entries in indexes.
  private static let rowBytes: Int64 = 110

  static func insert(_ batch: FailureBatch, names: Names, _ db: Database) throws {
    if !batch.activities.isEmpty {
      let statement = try db.cached(
        """
        INSERT INTO activity (time, event, user, target, address, detail, jail, filter, pattern, source, place, cursor, line)
        VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
        """)
      for activity in batch.activities { try insert(activity, of: batch, names, statement) }
    }
    for sighting in batch.sightings {
      try db.run(
        """
        INSERT INTO sighting VALUES (?,?,?,?,?)
        ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)
        """, sighting.key.service, sighting.key.user, sighting.key.network?.description ?? "",
        sighting.first.microseconds, sighting.last.microseconds)
    }
  }

  private static func insert(
    _ activity: Activity, of batch: FailureBatch, _ names: Names, _ statement: Statement
  ) throws {
    let pattern = names.patterns[Int(activity.pattern)]
    statement.bind(activity.time.microseconds, 1)
    statement.bind(activity.event.rawValue, 2)
    statement.bind(text(activity.user, of: batch), 3)
    statement.bind(text(activity.target, of: batch), 4)
    if let address = activity.address { statement.bind(address, 5) } else { statement.bindNull(5) }
    statement.bind(text(activity.detail, of: batch, limit: TextLimit.line), 6)
    statement.bind(names.jails[Int(activity.jail)], 7)
    statement.bind(pattern.filter, 8)
    statement.bind(pattern.name, 9)
    statement.bind(names.sources[Int(activity.source)], 10)
    statement.bind(activity.cursor.isEmpty ? Int64(truncatingIfNeeded: activity.offset) : nil, 11)
    statement.bind(activity.cursor.isEmpty ? nil : batch.text(activity.cursor), 12)
    let line = WriterState.cut(activity.line, of: batch.bytes, to: TextLimit.line)
    statement.bind(line.span, 13)
    try statement.run()
  }

  /// Valid UTF-8, as far as it is kept.
  private static func text(_ range: ByteRange, of batch: FailureBatch, limit: Int = TextLimit.user) -> String {
    String(decoding: WriterState.cut(range, of: batch.bytes, to: limit), as: UTF8.self)
  }

  static func insert(_ alert: Alert, id: Int64, _ db: Database) throws {
    try db.run(
      "INSERT INTO alert VALUES (?,?,?,?,?,?,?,?)", id, alert.kind.rawValue, alert.time.microseconds,
      alert.since.microseconds, alert.user, alert.address.map { AddressKey($0) }, alert.jail, alert.count)
  }

  /// The number of the last row that was ever stored.
  static func last(_ db: Database) throws -> Int64 {
    try db.first("SELECT seq FROM sqlite_sequence WHERE name = 'activity'") ?? 0
  }

  /// About how many bytes the rows take: rows go in the order of their numbers, so these say how many there are.
  static func size(_ db: Database) throws -> Int64 { try measure(db).size }

  private static func measure(_ db: Database) throws -> (size: Int64, row: Int64) {
    let count: Int64 = try db.first("SELECT coalesce(max(id) - min(id) + 1, 0) FROM activity") ?? 0
    guard count > 0 else { return (0, 1) }
    let texts =
      ["user", "target", "detail", "jail", "filter", "pattern", "source", "line"].map { "length(\($0))" }
      .joined(separator: " + ") + " + coalesce(length(cursor), 0)"
    let average: Int64 =
      try db.first(
        "SELECT CAST(avg(\(texts)) AS INTEGER) FROM (SELECT * FROM activity ORDER BY id DESC LIMIT 256)") ?? 0
    return (count * (average + rowBytes), average + rowBytes)
  }

  /// So many networks of accounts are remembered, and for so long.
  private static let mostSightings = 100_000
  private static let sightingAge = TimeSpan.hours(400 * 24)

  /// Forgets the networks that were seen last long ago, or of too many; that an account became root stays.
  static func forgetSightings(now: Instant, _ db: Database) throws {
    try db.run(
      "DELETE FROM sighting WHERE network <> '' AND last < ?", now.subtracting(sightingAge).microseconds)
    let count: Int = try db.first("SELECT count(*) FROM sighting") ?? 0
    guard count > mostSightings else { return }
    try db.run(
      """
      DELETE FROM sighting WHERE network <> ''
        AND last <= (SELECT last FROM sighting ORDER BY last DESC LIMIT 1 OFFSET ?)
      """, mostSightings)
  }

  /// Removes the oldest rows: those from before `time`, and what is more than `bound` bytes. True while there is more to do.
  static func remove(before time: Instant?, bound: Int64?, limit: Int, _ db: Database) throws -> Bool {
    var gone = 0
    if let time {
      // In the order of storing: one with an old time that was stored late waits for those before it.
      try db.run(
        """
        DELETE FROM activity WHERE id < (SELECT coalesce(min(id), 9223372036854775807) FROM activity WHERE time >= ?1)
          AND id < (SELECT min(id) FROM activity) + ?2
        """, time.microseconds, limit)
      gone = db.changes
    }
    if let bound, gone == 0 {
      let (size, row) = try measure(db)
      guard size > bound else { return false }
      let excess = min((size - bound) / row + 1, Int64(limit))
      try db.run("DELETE FROM activity WHERE id < (SELECT min(id) FROM activity) + ?", excess)
      gone = db.changes
    }
    return gone >= limit
  }
}
