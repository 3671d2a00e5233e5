internal import Model
internal import SQLite

/// Rows with `id >> Chunk.bits` alike are a chunk. The index on addresses is ordered by chunk first: a new row then touches
/// the few pages of the newest chunk instead of one anywhere in an index of hundreds of megabytes (290,000 rows a second
/// against 82,000 at two million rows), and a question about an address costs one search a chunk. When the rows of a chunk
/// happened is kept beside it: rows come nearly in the order of their times, so no index on time is needed.
struct Chunk {
  static let bits = 14

  var id: Int64
  /// No row is older, none younger.
  var first: Int64
  var last: Int64

  /// Addresses with as many rows in a full chunk have them counted in `frequent`.
  static let frequent = 128

  /// Its rows' numbers.
  var rows: ClosedRange<Int64> { id << Self.bits...(id + 1) << Self.bits - 1 }

  /// Those that may hold rows from `since` to `until`, the one whose last row is the oldest first.
  static func all(since: Int64 = .min, until: Int64 = .max, _ db: Database) throws -> [Chunk] {
    try db.rows(
      "SELECT id, first_time, last_time FROM chunk WHERE last_time >= ? AND first_time <= ? ORDER BY last_time, id",
      since, until
    ).map { Chunk(id: $0[0], first: $0[1], last: $0[2]) }
  }
}

/// Hours since 1970, rounded down.
enum Hour {
  static func of(_ microseconds: Int64) -> Int64 {
    let seconds = Instant(microseconds: microseconds).seconds
    return seconds / 3600 - (seconds % 3600 < 0 ? 1 : 0)
  }

  /// Its first microsecond.
  static func start(_ hour: Int64) -> Int64 {
    let (seconds, overflow) = hour.multipliedReportingOverflow(by: 3600)
    return Instant(seconds: overflow ? (hour < 0 ? .min : .max) : seconds).microseconds
  }
}

extension WriterState {
  /// Turns pending batches into rows until `limit` failures are done. True while there are more.
  mutating func index(limit: Int, _ db: Database) throws -> Bool {
    var indexer = try Indexer(db, shapes: shapes)
    shapes = ShapeTable()
    var done = 0
    while done < limit {
      guard
        let row = try db.rows("SELECT sequence, heads, lines FROM pending ORDER BY sequence LIMIT 1").next()
      else {
        unindexed = 0
        break
      }
      let sequence: Int64 = row[0]
      let indexed = try indexer.index(
        row[1] as [UInt8], row[2] as [UInt8], from: Self.firstFailure(of: sequence, db), db)
      done += indexed
      unindexed = max(0, unindexed - indexed)
      try db.run("DELETE FROM pending WHERE sequence = ?", sequence)
    }
    try indexer.finish(db)
    shapes = indexer.shapes
    return unindexed > 0
  }

  static func firstFailure(of sequence: Int64, _ db: Database) throws -> Int64 {
    let last: Int64? = try db.first(
      "SELECT failure FROM chain WHERE sequence < ? ORDER BY sequence DESC LIMIT 1", sequence)
    return (last ?? 0) + 1
  }
}

/// Writes records as rows, and what is counted over them.
struct Indexer {
  private struct Hourly: Hashable {
    var hour: Int64
    var isUser: Bool
    var key: Int64
  }

  private(set) var shapes: ShapeTable
  private let failure: Statement
  private let lastLine: Statement
  private let addUser: Statement
  private let findUser: Statement
  private var users: [[UInt8]: Int64] = [:]
  private var rules = RuleTable()
  private var hourly: [Hourly: (failures: Int64, rows: Int64)] = [:]
  private var chunks: [Int64: ClosedRange<Int64>] = [:]
  /// The row after the last that was written.
  private var next: Int64 = 0
  private var shape: [UInt8] = []
  private var values: [UInt8] = []

  init(_ db: Database, shapes: ShapeTable) throws {
    self.shapes = shapes
    failure = try db.cached(
      """
      INSERT INTO failure (id, time, address, origin, user, count, weight, place, shape, line, rule)
      VALUES (?,?,?,?,?,?,?,?,?,?,?)
      """)
    lastLine = try db.cached("INSERT INTO last_line (id, time, place, line) VALUES (?,?,?,?)")
    addUser = try db.cached("INSERT OR IGNORE INTO user_name (name) VALUES (?)")
    findUser = try db.cached("SELECT id FROM user_name WHERE name = ?")
  }

  /// Returns how many rows that made.
  mutating func index(_ heads: [UInt8], _ lines: [UInt8], from first: Int64, _ db: Database) throws -> Int {
    var headReader = HeadReader()
    var lineReader = LineReader()
    var id = first
    while let record = headReader.next(heads.span), let ranges = lineReader.next(record, heads.span, lines.span) {
      let head = record.head
      let line = lineReader.delta.bytes.span.extracting(ranges.line)
      failure.bind(id, 1)
      failure.bind(head.time, 2)
      if let address = head.address {
        failure.bind(address, 3)
      } else {
        failure.bind(heads.span.extracting(record.name), 3)
      }
      failure.bind(Int64(head.origin.number), 4)
      let user = try record.user.isEmpty ? nil : number(ofUser: heads[record.user], db)
      failure.bind(user, 5)
      failure.bind(Int64(head.count), 6)
      failure.bind(Int64(head.weight), 7)
      failure.bind(head.place, 8)
      let address = head.address.map { Array($0.description.utf8) } ?? []
      if LineShape.split(
        line, address: address, user: heads.span.extracting(record.user), shape: &shape, values: &values),
        let number = try shapes.number(of: shape, db)
      {
        failure.bind(number, 9)
        failure.bind(values.span, 10)
      } else {
        failure.bindNull(9)
        failure.bind(line, 10)
      }
      failure.bind(try record.rule.isEmpty ? nil : rules.number(of: heads[record.rule], in: line, db), 11)
      try failure.run()
      if let last = head.last {
        lastLine.bind(id, 1)
        lastLine.bind(last.time, 2)
        lastLine.bind(last.place, 3)
        lastLine.bind(lineReader.delta.bytes.span.extracting(ranges.last), 4)
        try lastLine.run()
      }
      count(head, id: id, user: user)
      id += 1
    }
    next = id
    return Int(id - first)
  }

  private mutating func count(_ record: RecordHead, id: Int64, user: Int64?) {
    let hour = Hour.of(record.time)
    let failures = Int64(record.count)
    var sum = hourly[Hourly(hour: hour, isUser: false, key: Int64(record.origin.number)), default: (0, 0)]
    sum = (sum.failures &+ failures, sum.rows &+ 1)
    hourly[Hourly(hour: hour, isUser: false, key: Int64(record.origin.number))] = sum
    if let user {
      var sum = hourly[Hourly(hour: hour, isUser: true, key: user), default: (0, 0)]
      sum = (sum.failures &+ failures, sum.rows &+ 1)
      hourly[Hourly(hour: hour, isUser: true, key: user)] = sum
    }
    let chunk = id >> Int64(Chunk.bits)
    let range = chunks[chunk] ?? record.time...record.time
    chunks[chunk] = min(range.lowerBound, record.time)...max(range.upperBound, record.time)
  }

  private mutating func number(ofUser name: ArraySlice<UInt8>, _ db: Database) throws -> Int64 {
    let key = Array(name)
    if let number = users[key] { return number }
    findUser.bind(key.span, 1)
    if let number = try findUser.integer() {
      users[key] = number
      return number
    }
    addUser.bind(key.span, 1)
    try addUser.run()
    users[key] = db.lastInsertedRow
    return db.lastInsertedRow
  }

  /// Adds up what was counted since the last time.
  func finish(_ db: Database) throws {
    let add = try db.cached(
      """
      INSERT INTO hourly (hour, is_user, key, failures, rows) VALUES (?,?,?,?,?)
      ON CONFLICT DO UPDATE SET failures = failures + excluded.failures, rows = rows + excluded.rows
      """)
    for (key, sum) in hourly {
      add.bind(key.hour, 1)
      add.bind(Int64(key.isUser ? 1 : 0), 2)
      add.bind(key.key, 3)
      add.bind(sum.failures, 4)
      add.bind(sum.rows, 5)
      try add.run()
    }
    for (chunk, times) in chunks {
      try db.run(
        """
        INSERT INTO chunk (id, first_time, last_time) VALUES (?,?,?)
        ON CONFLICT DO UPDATE SET first_time = min(first_time, excluded.first_time),
          last_time = max(last_time, excluded.last_time)
        """, chunk, times.lowerBound, times.upperBound)
      if chunk < next >> Int64(Chunk.bits) { try Self.countFrequent(in: chunk, db) }
    }
  }

  /// The chunk is full.
  private static func countFrequent(in chunk: Int64, _ db: Database) throws {
    try db.run(
      """
      INSERT OR REPLACE INTO frequent (chunk, address, origin, failures, first, last)
      SELECT ?1, address, origin, sum(count), min(id), max(id) FROM failure INDEXED BY failure_address
      WHERE id >> \(Chunk.bits) = ?1 AND address IN (
        SELECT address FROM failure INDEXED BY failure_address WHERE id >> \(Chunk.bits) = ?1
        GROUP BY address HAVING count(*) >= \(Chunk.frequent))
      GROUP BY address, origin
      """, chunk)
  }
}
