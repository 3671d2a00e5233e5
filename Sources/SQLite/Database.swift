internal import CSQLite

/// A connection to an SQLite database.
///
/// ```swift
/// let database = try Database(path: "/var/lib/bailiff/bailiff.db", .readWrite)
/// try database.transaction { try database.run("INSERT INTO word (text) VALUES (?)", "hello") }
/// let rows = try database.rows("SELECT id, text FROM word WHERE id > ?", 7)
/// while let row = try rows.next() { print(row[0] as Int, row[1] as String) }
/// ```
///
/// Three nouns: a `Database` is one connection, a `Statement` compiled SQL with its parameters, `Rows` are what a statement
/// returns. A connection and all that comes from it are used by one thread at a time; whoever shares one locks it.
/// https://www.sqlite.org/cintro.html
public final class Database {
  public enum Access: Sendable { case readWrite, readOnly }

  public let path: String
  private let connection: Connection
  private var statements: [String: Statement] = [:]

  /// Opens the file, creating it where it may be written; `:memory:` is a database of its own. Throws SQLITE_CANTOPEN where
  /// that is not possible. Whether the file is a database shows when it is read.
  public init(path: String, _ access: Access) throws(SQLiteError) {
    self.path = path
    connection = try Connection(path: path, access)
  }

  /// Closes the connection; later calls throw SQLITE_MISUSE. Rows that somebody still reads keep the file open until they
  /// are released.
  public func close() {
    statements.removeAll()
    connection.close()
  }

  /// How long to wait for a lock that another connection holds before an error with SQLITE_BUSY.
  public func setBusyTimeout(milliseconds: Int32) { connection.setBusyTimeout(milliseconds) }

  // MARK: SQL

  /// Runs statements without parameters, one after the other.
  public func execute(_ sql: String) throws(SQLiteError) { try connection.execute(sql) }

  /// A statement of its own.
  public func prepare(_ sql: String) throws(SQLiteError) -> Statement { try Statement(sql, on: connection) }

  /// The statement of this text, compiled once. While somebody holds it, others get one of their own.
  public func cached(_ sql: String) throws(SQLiteError) -> Statement {
    guard let index = statements.index(forKey: sql) else {
      let statement = try prepare(sql)
      statements[sql] = statement
      return statement
    }
    guard isKnownUniquelyReferenced(&statements.values[index]) else { return try prepare(sql) }
    return statements.values[index]
  }

  /// Runs one statement to its end.
  public func run(_ sql: String, _ values: (any Bindable)?...) throws(SQLiteError) { try run(sql, values) }

  public func run(_ sql: String, _ values: [(any Bindable)?]) throws(SQLiteError) {
    let statement = try cached(sql)
    statement.bind(values)
    try statement.run()
  }

  public func rows(_ sql: String, _ values: (any Bindable)?...) throws(SQLiteError) -> Rows { try rows(sql, values) }

  public func rows(_ sql: String, _ values: [(any Bindable)?]) throws(SQLiteError) -> Rows {
    let statement = try cached(sql)
    statement.bind(values)
    return statement.rows
  }

  /// The first column of the first row; nil where there is no row, or NULL in it.
  public func first<Value: ColumnValue>(_ sql: String, _ values: (any Bindable)?...) throws(SQLiteError) -> Value? {
    try first(sql, values)
  }

  public func first<Value: ColumnValue>(_ sql: String, _ values: [(any Bindable)?]) throws(SQLiteError) -> Value? {
    guard let row = try rows(sql, values).next() else { return nil }
    return row[0] as Value?
  }

  /// The first column of every row.
  public func column<Value: ColumnValue>(_ sql: String, _ values: (any Bindable)?...) throws(SQLiteError) -> [Value] {
    try rows(sql, values).map { $0[0] }
  }

  /// How many rows the last statement inserted, changed or deleted.
  public var changes: Int { connection.changes }

  public var lastInsertedRow: Int64 { connection.lastInsertedRow }

  // MARK: Transactions

  /// All of what `body` does, or nothing of it. Takes the lock for writing at once, so that no other connection's commit can
  /// come between what is read here and what is written.
  public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
    try within("BEGIN IMMEDIATE", body)
  }

  /// Everything that `body` reads is of one moment.
  public func snapshot<Result>(_ body: () throws -> Result) throws -> Result { try within("BEGIN", body) }

  private func within<Result>(_ begin: String, _ body: () throws -> Result) throws -> Result {
    try run(begin)
    do {
      let result = try body()
      try run("COMMIT")
      return result
    } catch {
      // Some errors have ended the transaction already: https://www.sqlite.org/lang_transaction.html
      if connection.isInTransaction { try? run("ROLLBACK") }
      throw error
    }
  }

  /// Was the file removed, or another one put in its place, since it was opened?
  public var hasMoved: Bool { connection.hasMoved }
}
