public import Model
internal import SQLite

/// A stored failure, as far as counting needs it.
public struct CountedFailure: Hashable, Sendable {
  public var time: Instant
  /// Nil when the id is a name.
  public var address: Address?
  public var name: String?
  /// How many failures the row represents, and what each of them counts.
  public var count: UInt32
  public var weight: UInt32

  public init(time: Instant, address: Address?, name: String?, count: UInt32, weight: UInt32) {
    self.time = time
    self.address = address
    self.name = name
    self.count = count
    self.weight = weight
  }
}

extension AuditStore {
  /// Lends the failures of `jail` that happened at or after `since`, in the order in which they were committed: what the
  /// windows held.
  public func recentFailures(jail: String, since: Instant, _ body: (CountedFailure) throws -> Void) throws {
    try read { db in
      for chunk in try Chunk.all(since: since.microseconds, db).sorted(by: { $0.id < $1.id }) {
        let rows = try db.rows(
          """
          SELECT time, address, count, weight FROM failure WHERE id BETWEEN ? AND ? AND time >= ?
            AND origin IN (SELECT id FROM origin WHERE jail = ?) ORDER BY id
          """, chunk.rows.lowerBound, chunk.rows.upperBound, since.microseconds, jail)
        while let row = try rows.next() {
          let address = row.address(1)
          try body(
            CountedFailure(
              time: Instant(microseconds: row[0]), address: address,
              name: address == nil ? row[1] : nil, count: row[2], weight: row[3]))
        }
      }
      let origins = try Self.origins(of: jail, db)
      try PendingFailures.forEachHead(db) { record, heads in
        guard record.head.time >= since.microseconds, origins.contains(Int64(record.head.origin.number)) else { return }
        let name = record.head.address == nil ? String(decoding: heads[record.name], as: UTF8.self) : nil
        try body(
          CountedFailure(
            time: Instant(microseconds: record.head.time), address: record.head.address, name: name,
            count: record.head.count, weight: record.head.weight))
      }
    }
  }

  static func origins(of jail: String, _ db: Database) throws -> Set<Int64> {
    Set(try db.column("SELECT id FROM origin WHERE jail = ?", jail))
  }
}
