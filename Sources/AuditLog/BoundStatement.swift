internal import GRDB
internal import GRDBSQLite
internal import Model

/// A prepared statement whose parameters are bound by number, without GRDB's boxing of values: indexing binds nine a
/// failure. https://www.sqlite.org/c3ref/bind_blob.html
struct BoundStatement {
  private let statement: Statement

  init(_ db: Database, sql: String) throws { statement = try db.cachedStatement(sql: sql) }

  // Safe, all of these: the handle lives as long as `statement`, and an index out of range is an error code, which `run`
  // would meet as a wrong row in every test.
  func bind(_ value: Int64, _ index: Int32) {
    _ = unsafe sqlite3_bind_int64(statement.sqliteStatement, index, value)
  }

  func bindNull(_ index: Int32) { _ = unsafe sqlite3_bind_null(statement.sqliteStatement, index) }

  func bind(_ address: Address, _ index: Int32) {
    if address.isIPv4 { return bind(Int64(address.ipv4), index) }
    unsafe withUnsafeBytes(of: address.bits.bigEndian) { raw in
      // Safe: SQLite copies the bytes (SQLITE_TRANSIENT) before the closure ends.
      _ = unsafe sqlite3_bind_blob(statement.sqliteStatement, index, raw.baseAddress, 16, Self.transient)
    }
  }

  /// As text where it is UTF-8 without NUL, else as a blob: the bytes come back as they were, and `sqlite3` shows them.
  func bind(_ bytes: borrowing Span<UInt8>, _ index: Int32) {
    let text = UTF8Check.isText(bytes)
    // Safe: SQLite copies the bytes before the closure ends. An empty span has no base address; "" is bound instead of NULL.
    unsafe bytes.withUnsafeBufferPointer { buffer in
      let raw = unsafe UnsafeRawPointer(buffer.baseAddress)
      let count = Int32(truncatingIfNeeded: buffer.count)
      if text {
        _ = unsafe sqlite3_bind_text(
          statement.sqliteStatement, index, raw?.assumingMemoryBound(to: CChar.self) ?? Self.empty, count,
          Self.transient)
      } else {
        _ = unsafe sqlite3_bind_blob(statement.sqliteStatement, index, raw, count, Self.transient)
      }
    }
  }

  /// Bytes as they are.
  func bind(blob bytes: borrowing Span<UInt8>, _ index: Int32) {
    unsafe bytes.withUnsafeBytes { raw in
      // Safe: SQLite copies the bytes before the closure ends; of none it makes an empty blob, not NULL.
      if unsafe raw.isEmpty {
        _ = unsafe sqlite3_bind_zeroblob(statement.sqliteStatement, index, 0)
      } else {
        _ = unsafe sqlite3_bind_blob64(
          statement.sqliteStatement, index, raw.baseAddress, UInt64(raw.count), Self.transient)
      }
    }
  }

  func bind(_ text: String, _ index: Int32) {
    var text = text
    // Safe: the bytes are read inside the closure only.
    text.withUTF8 { unsafe bind($0.span, index) }
  }

  func bind(_ text: String?, _ index: Int32) {
    if let text { bind(text, index) } else { bindNull(index) }
  }

  func bind(_ value: Int64?, _ index: Int32) {
    if let value { bind(value, index) } else { bindNull(index) }
  }

  /// Runs to the end; the bindings stay.
  func run(_ db: Database) throws {
    let code = unsafe sqlite3_step(statement.sqliteStatement)
    // Safe: as above; reset gives the error of the step again, which is thrown below.
    _ = unsafe sqlite3_reset(statement.sqliteStatement)
    guard code == SQLITE_DONE || code == SQLITE_ROW else {
      throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
    }
  }

  /// The first column of the first row.
  func integer(_ db: Database) throws -> Int64? {
    // Safe: the value is read between step and reset.
    let code = unsafe sqlite3_step(statement.sqliteStatement)
    let value = code == SQLITE_ROW ? unsafe sqlite3_column_int64(statement.sqliteStatement, 0) : nil
    _ = unsafe sqlite3_reset(statement.sqliteStatement)
    guard code == SQLITE_DONE || code == SQLITE_ROW else {
      throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
    }
    return value
  }

  /// Lends the first column, an address or a name, and the second of every row. Three times as quick as GRDB's rows.
  func forEachCount(_ db: Database, _ body: (_ address: Address?, _ name: String, _ count: Int64) -> Void) throws {
    var code = unsafe sqlite3_step(statement.sqliteStatement)
    while code == SQLITE_ROW {
      // Safe: the columns are read, and what they point to is copied, before the next step.
      let count = unsafe sqlite3_column_int64(statement.sqliteStatement, 1)
      switch unsafe sqlite3_column_type(statement.sqliteStatement, 0) {
      case SQLITE_INTEGER:
        let v4 = unsafe sqlite3_column_int64(statement.sqliteStatement, 0)
        body(Address(ipv4: UInt32(truncatingIfNeeded: v4)), "", count)
      case SQLITE_BLOB where unsafe sqlite3_column_bytes(statement.sqliteStatement, 0) == 16:
        if let blob = unsafe sqlite3_column_blob(statement.sqliteStatement, 0) {
          body(Address(bits: UInt128(bigEndian: unsafe blob.loadUnaligned(as: UInt128.self))), "", count)
        }
      default:
        let text = unsafe sqlite3_column_text(statement.sqliteStatement, 0).map { unsafe String(cString: $0) }
        body(nil, text ?? "", count)
      }
      code = unsafe sqlite3_step(statement.sqliteStatement)
    }
    _ = unsafe sqlite3_reset(statement.sqliteStatement)
    guard code == SQLITE_DONE else {
      throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
    }
  }

  // SQLITE_TRANSIENT is a cast that Swift does not import.
  private static var transient: sqlite3_destructor_type? { unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
  // Safe: a literal is never freed.
  private static var empty: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(("" as StaticString).utf8Start).assumingMemoryBound(to: CChar.self)
  }
}

enum UTF8Check {
  /// Valid UTF-8 without NUL.
  static func isText(_ bytes: borrowing Span<UInt8>) -> Bool {
    var ascii = true
    for i in 0..<bytes.count {
      let byte = bytes[i]
      if byte == 0 { return false }
      if byte >= 0x80 { ascii = false }
    }
    if ascii { return true }
    return (try? UTF8Span(validating: copy bytes)) != nil
  }
}
