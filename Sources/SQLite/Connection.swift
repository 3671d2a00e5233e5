internal import CSQLite

/// Owns SQLite's handle. Statements hold it, too: a connection is closed when the last of them is gone.
// Safe, all of the calls here: `handle` is open until `close`, which sets it to nil, or until this is released. SQLite
// answers calls without a connection with SQLITE_MISUSE.
@safe final class Connection {
  private(set) var handle: OpaquePointer?

  init(path: String, _ access: Database.Access) throws(SQLiteError) {
    var flags = SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX
    flags |= access == .readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    let code = unsafe sqlite3_open_v2(path, &handle, flags, nil)
    guard code == SQLITE_OK else {
      let message = unsafe Self.message(of: handle, code)
      close()
      throw SQLiteError(code: code, message: message)
    }
    // Nobody's schema runs anything in our process: https://www.sqlite.org/security.html
    _ = unsafe bailiff_sqlite_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    _ = unsafe bailiff_sqlite_config(handle, SQLITE_DBCONFIG_DQS_DML, 0)
    _ = unsafe bailiff_sqlite_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0)
  }

  deinit { close() }

  /// https://www.sqlite.org/c3ref/close.html: with statements that are still in use, the last of them closes it.
  func close() {
    _ = unsafe sqlite3_close_v2(handle)
    unsafe handle = nil
  }

  func setBusyTimeout(_ milliseconds: Int32) { _ = unsafe sqlite3_busy_timeout(handle, milliseconds) }

  func execute(_ sql: String) throws(SQLiteError) {
    guard let handle = unsafe handle else { throw SQLiteError(code: SQLITE_MISUSE, message: "the database is closed") }
    let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw error(code) }
  }

  /// The error that the last call ended with.
  func error(_ code: Int32) -> SQLiteError { SQLiteError(code: code, message: unsafe Self.message(of: handle, code)) }

  var changes: Int { unsafe handle == nil ? 0 : Int(sqlite3_changes64(handle)) }
  var lastInsertedRow: Int64 { unsafe handle == nil ? 0 : sqlite3_last_insert_rowid(handle) }
  var isInTransaction: Bool { unsafe handle != nil && sqlite3_get_autocommit(handle) == 0 }

  var hasMoved: Bool {
    var moved: Int32 = 0
    // https://www.sqlite.org/c3ref/c_fcntl_begin_atomic_write.html#sqlitefcntlhasmoved
    return unsafe sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0
  }

  private static func message(of handle: OpaquePointer?, _ code: Int32) -> String {
    let text = unsafe handle == nil ? sqlite3_errstr(code) : sqlite3_errmsg(handle)
    return unsafe text.map { unsafe String(cString: $0) } ?? "SQLite failed"
  }
}
