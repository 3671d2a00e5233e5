internal import SQLite

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
    /// Another process writes to the store.
    case inUse
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

  /// Anything that is a `StoreError` already stays as it is.
  init(_ error: any Error, path: String) {
    if let error = error as? StoreError {
      self = error
      return
    }
    guard let error = error as? SQLiteError else {
      self.init(kind: .other, path: path, message: "\(path): \(error)")
      return
    }
    let (kind, remedy): (Kind, String) =
      switch error.kind {
      case .corrupt: (.corrupt, "the file is damaged; move it away, or restore a copy of it")
      case .full: (.full, "the disk is full; free some space or shorten retention")
      case .io: (.io, "the disk failed; look at the kernel's log")
      case .busy: (.busy, "another process holds the store; is a second bailiff running?")
      case .cannotOpen: (.cannotOpen, "check that the directory exists and that this user may write in it")
      case .other: (.other, "please report this with the number")
      }
    self.init(kind: kind, path: path, code: error.code, message: "\(path): \(error): \(remedy)")
  }
}
