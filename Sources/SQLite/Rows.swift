internal import CSQLite

/// What a statement returns. It runs as rows are asked for, and ends with this: until then the database keeps showing the moment
/// of its first row.
public final class Rows {
  let statement: Statement
  private var hasEnded = false

  init(_ statement: Statement) { self.statement = statement }

  deinit { statement.reset() }

  /// The next row, which may be read until the one after it is asked for; nil at the end.
  public func next() throws(SQLiteError) -> Row? {
    guard !hasEnded else { return nil }
    guard try statement.step() else {
      hasEnded = true
      return nil
    }
    return Row(self)
  }

  /// What `transform` makes of each of the rows that are left.
  public func map<Result>(_ transform: (Row) throws(SQLiteError) -> Result) throws(SQLiteError) -> [Result] {
    var results: [Result] = []
    while let row = try next() { results.append(try transform(row)) }
    return results
  }
}

/// A row while it is the statement's current one. Columns are numbered from 0. What is NULL, or of another type than asked
/// for, is nil, or nothing: 0 and no bytes. Whoever can write the file can put anything into it.
// Safe, all of the calls here: the statement is at a row, and what a pointer refers to is copied or lent before it moves on.
// https://www.sqlite.org/c3ref/column_blob.html
public struct Row {
  // Not the statement alone: it would be reset when nobody has the rows any more.
  private let rows: Rows

  init(_ rows: Rows) { self.rows = rows }

  @inlinable
  public subscript<Value: ColumnValue>(_ column: Int) -> Value { Value(column, of: self) }

  public func isNull(_ column: Int) -> Bool { type(column) == SQLITE_NULL }
  public func isInteger(_ column: Int) -> Bool { type(column) == SQLITE_INTEGER }
  public func isText(_ column: Int) -> Bool { type(column) == SQLITE_TEXT }
  public func isBlob(_ column: Int) -> Bool { type(column) == SQLITE_BLOB }

  private func type(_ column: Int) -> Int32 { unsafe sqlite3_column_type(rows.statement.handle, Int32(column)) }

  public func integer(_ column: Int) -> Int64 { unsafe sqlite3_column_int64(rows.statement.handle, Int32(column)) }

  public func double(_ column: Int) -> Double { unsafe sqlite3_column_double(rows.statement.handle, Int32(column)) }

  /// Lends the bytes of a TEXT or a BLOB.
  public func withBytes<Result>(_ column: Int, _ body: (borrowing Span<UInt8>) throws -> Result) rethrows -> Result {
    // https://www.sqlite.org/c3ref/column_blob.html: the blob first, then its length.
    guard isText(column) || isBlob(column), let start = unsafe sqlite3_column_blob(rows.statement.handle, Int32(column))
    else {
      return try body(Span())
    }
    let count = unsafe Int(sqlite3_column_bytes(rows.statement.handle, Int32(column)))
    return try body(unsafe Span(_unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: count))
  }
}
