internal import CSystemd
internal import Glibc

/// The one owner of a file descriptor; closed when it goes.
struct Descriptor: ~Copyable {
  let raw: Int32

  init(_ raw: Int32) { self.raw = raw }

  deinit { _ = close(raw) }
}

/// Calls again while a signal interrupts; -1 with errno otherwise (signal(7)).
func retrying<Result: FixedWidthInteger & SignedInteger>(_ body: () -> Result) -> Result {
  while true {
    let result = body()
    if result != -1 || errno != EINTR { return result }
  }
}

/// Which file, how long, what kind.
struct FileStatus {
  var device: UInt64
  var inode: UInt64
  var size: UInt64
  var mode: mode_t
  var links: UInt64
  /// When the content last changed, in nanoseconds since the epoch, and the inode, in seconds.
  var modified: Int
  var changed: Int

  private init(_ raw: stat) {
    device = UInt64(raw.st_dev)
    inode = UInt64(raw.st_ino)
    size = UInt64(max(0, raw.st_size))
    mode = raw.st_mode
    links = UInt64(raw.st_nlink)
    modified = raw.st_mtim.tv_sec &* 1_000_000_000 &+ raw.st_mtim.tv_nsec
    changed = raw.st_ctim.tv_sec
  }

  /// Of the file that `path` leads to, through symbolic links.
  static func of(path: String) throws(SystemError) -> FileStatus {
    var raw = stat()
    // Safe: stat(2) fills the struct that the pointer lends for the call.
    guard unsafe stat(path, &raw) == 0 else { throw .last("read \(path)") }
    return FileStatus(raw)
  }

  static func of(descriptor: Int32) -> FileStatus? {
    var raw = stat()
    // Safe: as above.
    guard unsafe fstat(descriptor, &raw) == 0 else { return nil }
    return FileStatus(raw)
  }

  /// Nanoseconds since the epoch when the file was made, where the file system knows, else when it was last written to.
  static func birth(of path: String) -> Int {
    // Safe: the path is read during the call.
    let birth = unsafe bailiff_birth_nanoseconds(path)
    guard birth < 0 else { return Int(birth) }
    return (try? of(path: path))?.modified ?? 0
  }

  var isRegular: Bool { mode & S_IFMT == S_IFREG }
  var isDirectory: Bool { mode & S_IFMT == S_IFDIR }

  /// What it is when it is no regular file, in words.
  var kind: String {
    switch mode & S_IFMT {
    case S_IFDIR: "a directory"
    case S_IFIFO: "a named pipe"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    default: "a file"
    }
  }

  func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}

/// Seconds since the machine started, with a fraction; never runs backwards.
func monotonicSeconds() -> Double {
  var time = timespec()
  // Safe: clock_gettime(2) fills the struct that the pointer lends for the call.
  _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Microseconds since 1970, by the clock that journald stamps entries with.
func wallClock() -> UInt64 {
  var time = timespec()
  // Safe: clock_gettime(2) fills the struct that the pointer lends for the call.
  _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
  return UInt64(max(0, time.tv_sec)) &* 1_000_000 &+ UInt64(max(0, time.tv_nsec)) / 1000
}
