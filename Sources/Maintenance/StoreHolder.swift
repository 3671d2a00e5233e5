internal import Glibc
internal import System

/// The process that has a store open, if there is one.
enum StoreHolder {
  /// Whoever has a database open in WAL mode holds a shared lock on these bytes of it
  /// (https://www.sqlite.org/fileformat2.html#the_lock_byte_page).
  private static let lockBytes = (start: 0x4000_0000, count: 512)

  /// Its id and its name; nil when nobody has it open, or there is no store.
  static func of(_ database: String) throws(SystemError) -> (process: Int32, name: String)? {
    guard (try? FileStatus.of(path: database)) != nil else { return nil }
    let file = try Descriptor.open(database)
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_start = lockBytes.start
    lock.l_len = lockBytes.count
    // Safe: fcntl(2) writes into `lock` during the call.
    guard unsafe withUnsafeMutablePointer(to: &lock, { unsafe fcntl(file.raw, F_GETLK, $0) }) == 0 else {
      throw .last("ask for the locks of \(database)")
    }
    guard lock.l_type != Int16(F_UNLCK) else { return nil }
    let name = SmallFile.text("/proc/\(lock.l_pid)/comm")?.split(separator: "\n").first.map(String.init)
    return (lock.l_pid, name ?? "of another container")
  }
}
