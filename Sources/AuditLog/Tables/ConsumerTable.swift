internal import Model
internal import SQLite

/// Which store this is: a random number of 32 bits that it got when it was made.
enum StoreIdentity {
  static func load(_ db: Database) throws -> UInt32 {
    let number: Int64 = try db.first("SELECT identity FROM store") ?? 0
    return UInt32(truncatingIfNeeded: number)
  }
}

/// How far each consumer has been told what is stored.
enum ConsumerTable {
  static func load(_ db: Database) throws -> [String: AuditPosition] {
    var positions: [String: AuditPosition] = [:]
    let found = try db.rows("SELECT name, position FROM consumer")
    while let row = try found.next() {
      positions[row[0]] = AuditPosition(row[1] as String)
    }
    return positions
  }

  static func save(_ positions: [String: AuditPosition], _ db: Database) throws {
    for (name, position) in positions.sorted(by: { $0.key < $1.key }) {
      try db.run("INSERT OR REPLACE INTO consumer (name, position) VALUES (?,?)", name, position.description)
    }
  }
}
