internal import Foundation
internal import GRDB
internal import Model

extension WriterState {
  /// Turns pending batches into rows until `limit` failures are done. True while there are more.
  mutating func settle(limit: Int, _ db: Database) throws -> Bool {
    var done = 0
    while done < limit {
      guard let row = try Row.fetchOne(db, sql: "SELECT sequence, records FROM pending ORDER BY sequence LIMIT 1")
      else {
        unsettled = 0
        return false
      }
      let sequence: Int64 = row[0]
      let records: Data = row[1]
      let first = try firstFailure(of: sequence, db)
      let settled = try Settler(db).settle(Array(records), from: first, db)
      done += settled
      unsettled -= settled
      try db.execute(sql: "DELETE FROM pending WHERE sequence = ?", arguments: [sequence])
    }
    return unsettled > 0
  }

  private func firstFailure(of sequence: Int64, _ db: Database) throws -> Int64 {
    try Int64.fetchOne(
      db, sql: "SELECT failure FROM chain WHERE sequence < ? ORDER BY sequence DESC LIMIT 1", arguments: [sequence]
    )
    .map { $0 + 1 } ?? 1
  }
}

/// Writes records as rows.
struct Settler {
  private let failure: BoundStatement
  private let lastLine: BoundStatement
  private let addUser: BoundStatement
  private let findUser: Statement

  init(_ db: Database) throws {
    failure = try BoundStatement(
      db,
      sql: """
        INSERT INTO failure (id, time, address, origin, user, count, weight, place, line) VALUES (?,?,?,?,?,?,?,?,?)
        """)
    lastLine = try BoundStatement(db, sql: "INSERT INTO last_line (id, time, place, line) VALUES (?,?,?,?)")
    addUser = try BoundStatement(db, sql: "INSERT OR IGNORE INTO user_name (name) VALUES (?)")
    findUser = try db.cachedStatement(sql: "SELECT id FROM user_name WHERE name = ?")
  }

  /// Returns how many rows that made.
  func settle(_ bytes: [UInt8], from first: Int64, _ db: Database) throws -> Int {
    let text = bytes.span
    var offset = 0
    var id = first
    var users: [String: Int64] = [:]
    while let record = FailureRecord(text, at: &offset) {
      failure.bind(id, 1)
      failure.bind(record.time, 2)
      if let address = record.address {
        failure.bind(address, 3)
      } else {
        failure.bind(text.extracting(record.name), 3)
      }
      failure.bind(Int64(record.origin), 4)
      if record.user.isEmpty {
        failure.bindNull(5)
      } else {
        let name = String(decoding: bytes[record.user], as: UTF8.self)
        let number = try users[name] ?? user(text.extracting(record.user), name, db)
        users[name] = number
        failure.bind(number, 5)
      }
      failure.bind(Int64(record.count), 6)
      failure.bind(Int64(record.weight), 7)
      failure.bind(record.place, 8)
      failure.bind(text.extracting(record.line), 9)
      try failure.run(db)
      if let last = record.last {
        lastLine.bind(id, 1)
        lastLine.bind(last.time, 2)
        lastLine.bind(last.place, 3)
        lastLine.bind(text.extracting(last.line), 4)
        try lastLine.run(db)
      }
      id += 1
    }
    return Int(id - first)
  }

  private func user(_ bytes: borrowing Span<UInt8>, _ name: String, _ db: Database) throws -> Int64 {
    addUser.bind(bytes, 1)
    try addUser.run(db)
    return try Int64.fetchOne(findUser, arguments: [name]) ?? 0
  }
}
