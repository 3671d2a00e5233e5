import Foundation
import SQLite
import Testing

@Suite struct SQLiteTests {
  private func scratch() -> String { NSTemporaryDirectory() + "/bailiff-sqlite-\(UUID().uuidString).db" }

  private func words() throws -> Database {
    let database = try Database(path: ":memory:", .readWrite)
    try database.execute("CREATE TABLE word (id INTEGER PRIMARY KEY, text ANY) STRICT")
    return database
  }

  @Test func whatIsBoundIsRead() throws {
    let database = try words()
    let bytes: [UInt8] = [0, 255, 10]
    for value in [nil, -7, Int64.max, 2.5, "", "a\0b ü", bytes, [UInt8]()] as [(any Bindable)?] {
      try database.run("INSERT INTO word (text) VALUES (?)", value)
    }
    #expect(database.lastInsertedRow == 8)
    let rows = try database.rows("SELECT text FROM word ORDER BY id")
    var row = try #require(try rows.next())
    #expect(row.isNull(0) && row[0] as Int64? == nil && row[0] as Int64 == 0 && row[0] as String? == nil)
    row = try #require(try rows.next())
    #expect(row[0] as Int == -7)
    row = try #require(try rows.next())
    #expect(row[0] as Int64 == .max)
    row = try #require(try rows.next())
    #expect(row[0] as Double == 2.5)
    row = try #require(try rows.next())
    #expect(row.isText(0) && row[0] as String? == "")
    row = try #require(try rows.next())
    #expect(row[0] as String == "a\0b ü")
    row = try #require(try rows.next())
    #expect(row.isBlob(0) && row[0] as [UInt8] == bytes)
    row = try #require(try rows.next())
    #expect(row.isBlob(0) && row[0] as [UInt8]? == [])
    #expect(try rows.next() == nil)
    #expect(try rows.next() == nil)
  }

  /// A statement that somebody reads is not taken from under them.
  @Test func oneTextManyReaders() throws {
    let database = try words()
    for word in ["one", "two"] { try database.run("INSERT INTO word (text) VALUES (?)", word) }
    let sql = "SELECT text FROM word ORDER BY id"
    let outer = try database.rows(sql)
    var seen: [String] = []
    while let row = try outer.next() {
      let inner = try database.rows(sql)
      while let other = try inner.next() { seen.append("\(row[0] as String) \(other[0] as String)") }
    }
    #expect(seen == ["one one", "one two", "two one", "two two"])
    #expect(try database.first(sql) == "one")
  }

  @Test func aTransactionIsAllOrNothing() throws {
    struct Stop: Error {}
    let database = try words()
    #expect(throws: Stop.self) {
      try database.transaction {
        try database.run("INSERT INTO word (text) VALUES ('lost')")
        throw Stop()
      }
    }
    #expect(try database.first("SELECT count(*) FROM word") == 0)
    try database.transaction { try database.run("INSERT INTO word (text) VALUES ('kept')") }
    #expect(try database.first("SELECT text FROM word") == "kept")
  }

  /// Rows that nobody reads to their end must not keep the database at an old moment.
  @Test func rowsThatAreLeftEnd() throws {
    let path = scratch()
    defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
    let writer = try Database(path: path, .readWrite)
    try writer.execute("PRAGMA journal_mode = WAL; CREATE TABLE word (text TEXT) STRICT")
    for word in ["a", "b"] { try writer.run("INSERT INTO word VALUES (?)", word) }
    let reader = try Database(path: path, .readOnly)
    #expect(try reader.rows("SELECT text FROM word").next()?[0] == "a")
    try writer.run("INSERT INTO word VALUES ('c')")
    #expect(try reader.first("SELECT count(*) FROM word") == 3)
    #expect { try reader.run("DELETE FROM word") } throws: { ($0 as? SQLiteError)?.kind == .cannotOpen }
  }

  @Test func errorsHaveTheirKind() throws {
    #expect { try Database(path: "/nonexistent/x.db", .readWrite) } throws: {
      ($0 as? SQLiteError)?.kind == .cannotOpen
    }
    let path = scratch()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(String(repeating: "no database ", count: 200).utf8).write(to: URL(fileURLWithPath: path))
    let database = try Database(path: path, .readWrite)
    #expect { try database.first("SELECT 1 FROM sqlite_schema") as Int? } throws: {
      ($0 as? SQLiteError)?.kind == .corrupt
    }
    #expect { try database.execute("SELEC") } throws: { "\($0)".contains("syntax error") }
    database.close()
    #expect { try database.execute("SELECT 1") } throws: { "\($0)".contains("closed") }
  }

  @Test func aFileThatIsGoneIsNoticed() throws {
    let path = scratch()
    let database = try Database(path: path, .readWrite)
    try database.execute("CREATE TABLE word (text TEXT) STRICT")
    #expect(!database.hasMoved)
    try FileManager.default.removeItem(atPath: path)
    #expect(database.hasMoved)
    let other = try Database(path: path, .readWrite)
    try other.execute("CREATE TABLE word (text TEXT) STRICT")
    #expect(database.hasMoved && !other.hasMoved)
    try FileManager.default.removeItem(atPath: path)
  }
}
