internal import CSQLite

/// What SQLite answered.
public struct SQLiteError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kinds of errors that somebody can do something about.
  public enum Kind: Sendable { case corrupt, full, io, busy, cannotOpen, other }

  /// The extended result code: https://www.sqlite.org/rescode.html
  public let code: Int32
  /// SQLite's own words. They name tables and columns, never values.
  public let message: String

  public init(code: Int32, message: String) {
    self.code = code
    self.message = message
  }

  public var kind: Kind {
    switch code & 0xFF {
    case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
    case SQLITE_FULL: .full
    case SQLITE_IOERR: .io
    case SQLITE_BUSY, SQLITE_LOCKED: .busy
    case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: .cannotOpen
    default: .other
    }
  }

  public var description: String { "\(message) (SQLite error \(code))" }
}
