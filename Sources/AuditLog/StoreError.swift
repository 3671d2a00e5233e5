internal import GRDB

/// Why the store could not do what it was asked. Messages name the file, SQLite's code and a remedy, never log content.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    /// The file is damaged, or is no database. `AuditStore.setAside` moves it out of the way.
    case corrupt
    /// A later Bailiff wrote it.
    case newer
    /// The disk, or a quota, is full (SQLITE_FULL). Nothing was written; the same batch can be committed again.
    case full
    /// The disk failed (SQLITE_IOERR). Nothing was written; the same batch can be committed again.
    case io
    /// Another process held the lock for too long.
    case busy
    /// There is no store at the path.
    case missing
    /// The file or its directory cannot be opened, or may not be written.
    case cannotOpen
    /// What was asked for is wrong: a checkpoint that is none, an inverted range.
    case usage
    case other
  }

  public var kind: Kind
  public var path: String
  /// SQLite's extended result code (https://www.sqlite.org/rescode.html); 0 when the error is not SQLite's.
  public var code: Int32
  public var message: String

  public init(kind: Kind, path: String, code: Int32 = 0, message: String) {
    self.kind = kind
    self.path = path
    self.code = code
    self.message = message
  }

  public var description: String { message }

  /// Translates what GRDB threw; anything that is a `StoreError` already stays as it is.
  init(_ error: any Error, path: String) {
    if let error = error as? StoreError {
      self = error
      return
    }
    guard let error = error as? DatabaseError else {
      self.init(kind: .other, path: path, message: "\(path): \(error)")
      return
    }
    let kind: Kind
    let remedy: String
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      (kind, remedy) = (.corrupt, "the file is damaged; move it away, or restore a copy of it")
    case .SQLITE_FULL: (kind, remedy) = (.full, "the disk is full; free some space or shorten retention")
    case .SQLITE_IOERR: (kind, remedy) = (.io, "the disk failed; look at the kernel's log")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      (kind, remedy) = (.busy, "another process holds the store; is a second bailiff running?")
    case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      (kind, remedy) = (.cannotOpen, "check that the directory exists and that this user may write in it")
    default: (kind, remedy) = (.other, "please report this with the number")
    }
    let code = error.extendedResultCode.rawValue
    self.init(
      kind: kind, path: path, code: code,
      message: "\(path): \(error.message ?? "SQLite failed") (SQLite error \(code)): \(remedy)")
  }
}
