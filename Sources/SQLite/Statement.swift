internal import CSQLite

/// Compiled SQL and the values of its parameters, which are numbered from 1 and stay until they are bound again.
// Safe, all of the calls here: the handle lives as long as this; an index out of range is an error code, which shows as a
// wrong row in every test that runs the statement.
@safe public final class Statement {
  private let connection: Connection
  let handle: OpaquePointer?

  init(_ sql: String, on connection: Connection) throws(SQLiteError) {
    self.connection = connection
    var handle: OpaquePointer?
    guard unsafe connection.handle != nil else {
      throw SQLiteError(code: SQLITE_MISUSE, message: "the database is closed")
    }
    let code = unsafe sqlite3_prepare_v3(
      connection.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
    guard code == SQLITE_OK else { throw connection.error(code) }
    unsafe self.handle = unsafe handle
  }

  deinit { _ = unsafe sqlite3_finalize(handle) }

  // MARK: Running

  /// Runs it to its end and makes it ready to be run again.
  public func run() throws(SQLiteError) {
    let code = unsafe sqlite3_step(handle)
    try finish(code)
  }

  /// True when there is a row to be read.
  public func step() throws(SQLiteError) -> Bool {
    let code = unsafe sqlite3_step(handle)
    if code == SQLITE_ROW { return true }
    try finish(code)
    return false
  }

  /// Makes it ready to be run again before its last row.
  public func reset() { _ = unsafe sqlite3_reset(handle) }

  private func finish(_ code: Int32) throws(SQLiteError) {
    guard code == SQLITE_DONE || code == SQLITE_ROW else {
      let error = connection.error(code)
      reset()
      throw error
    }
    reset()
  }

  /// Its rows, with the values that are bound now.
  public var rows: Rows { Rows(self) }

  /// The first column of the first row; nil where there is no row, or NULL in it.
  public func integer() throws(SQLiteError) -> Int64? {
    defer { reset() }
    guard try step(), unsafe sqlite3_column_type(handle, 0) != SQLITE_NULL else { return nil }
    return unsafe sqlite3_column_int64(handle, 0)
  }

  // MARK: Binding: https://www.sqlite.org/c3ref/bind_blob.html

  public func bind(_ values: [(any Bindable)?]) {
    for (i, value) in values.enumerated() {
      if let value { value.bind(to: self, at: Int32(i + 1)) } else { bindNull(Int32(i + 1)) }
    }
  }

  public func bindNull(_ index: Int32) { _ = unsafe sqlite3_bind_null(handle, index) }

  public func bind(_ value: Int64, _ index: Int32) { _ = unsafe sqlite3_bind_int64(handle, index, value) }

  public func bind(_ value: Int64?, _ index: Int32) {
    if let value { bind(value, index) } else { bindNull(index) }
  }

  public func bind(_ value: Double, _ index: Int32) { _ = unsafe sqlite3_bind_double(handle, index, value) }

  public func bind(_ text: String, _ index: Int32) {
    var text = text
    text.withUTF8 { unsafe bind(text: $0.span, index) }
  }

  public func bind(_ text: String?, _ index: Int32) {
    if let text { bind(text, index) } else { bindNull(index) }
  }

  /// As TEXT; the bytes are UTF-8.
  public func bind(text bytes: borrowing Span<UInt8>, _ index: Int32) {
    // Safe: SQLite copies the bytes before the closure ends. An empty span has no address; "" is bound instead of NULL.
    unsafe bytes.withUnsafeBufferPointer { buffer in
      let start = unsafe UnsafeRawPointer(buffer.baseAddress ?? Self.nothing).assumingMemoryBound(to: CChar.self)
      _ = unsafe sqlite3_bind_text64(
        handle, index, start, UInt64(buffer.count), bailiff_sqlite_transient(), UInt8(SQLITE_UTF8))
    }
  }

  public func bind(blob bytes: borrowing Span<UInt8>, _ index: Int32) {
    // Safe: as above.
    unsafe bytes.withUnsafeBufferPointer { buffer in
      _ = unsafe sqlite3_bind_blob64(
        handle, index, buffer.baseAddress ?? Self.nothing, UInt64(buffer.count), bailiff_sqlite_transient())
    }
  }

  // Safe: a literal is never freed.
  private static var nothing: UnsafePointer<UInt8> { unsafe ("" as StaticString).utf8Start }
}

extension Statement {
  /// Runs it with these values.
  public func run(_ values: (any Bindable)?...) throws(SQLiteError) {
    bind(values)
    try run()
  }

  /// Its rows with these values.
  public func rows(_ values: (any Bindable)?...) -> Rows {
    bind(values)
    return Rows(self)
  }

  /// The first column of the first row with these values; nil where there is no row, or NULL in it.
  public func first<Value: ColumnValue>(_ values: (any Bindable)?...) throws(SQLiteError) -> Value? {
    bind(values)
    guard let row = try Rows(self).next() else { return nil }
    return row[0] as Value?
  }
}
