internal import Glibc
internal import System

/// The right to write to a store. The chain's end is in its writer's memory, so a second writer would break it.
///
/// A record lock on a file beside it (F_SETLK of fcntl(2)): it ends with the process, however that ends, and tells who has it.
public struct StoreLock: ~Copyable, Sendable {
  private let file: Descriptor

  /// Throws `StoreError` with kind `inUse` when another process has it. Within one process it is given again.
  public init(_ path: String) throws {
    let opened = try Self.open(path)
    try Self.lock(opened.raw, path)
    file = opened
  }

  private static func open(_ path: String) throws -> Descriptor {
    do throws(SystemError) {
      return try Descriptor.open(path + ".lock", flags: O_RDWR | O_CREAT, mode: 0o600)
    } catch {
      throw StoreError(
        kind: .cannotOpen, path: path,
        message: "\(path): \(error): check that the directory exists and that this user may write in it")
    }
  }

  private static func lock(_ file: Int32, _ path: String) throws {
    var wanted = flock()
    wanted.l_type = Int16(F_WRLCK)
    wanted.l_whence = Int16(SEEK_SET)
    // Safe: fcntl(2) reads the structure, and for F_GETLK writes it, during the call.
    guard unsafe fcntl(file, F_SETLK, &wanted) != 0 else { return }
    let code = errno
    guard code == EACCES || code == EAGAIN else {
      throw StoreError(
        kind: .cannotOpen, path: path, message: "\(path): cannot lock \(path).lock: \(SystemError.text(code))")
    }
    // Safe: as above.
    let isKnown = unsafe fcntl(file, F_GETLK, &wanted) == 0 && wanted.l_type != F_UNLCK && wanted.l_pid > 0
    let who = isKnown ? "process \(wanted.l_pid)" : "another process"
    throw StoreError(
      kind: .inUse, path: path, message: "\(path): \(who) writes to it; stop that first, or name another `state`")
  }
}
