internal import CLinux
internal import Glibc

/// Which file, how long, what kind (stat(2)).
public struct FileStatus: Sendable {
  public var device: UInt64
  public var inode: UInt64
  /// Bytes.
  public var size: UInt64
  /// Kind and permissions, as in inode(7).
  public var mode: UInt32
  public var links: UInt64
  public var owner: UInt32
  /// When the content last changed, in nanoseconds since the epoch, and the inode, in seconds.
  public var modified: Int
  public var changed: Int

  private init(_ raw: stat) {
    device = UInt64(raw.st_dev)
    inode = UInt64(raw.st_ino)
    size = UInt64(max(0, raw.st_size))
    mode = raw.st_mode
    links = UInt64(raw.st_nlink)
    owner = raw.st_uid
    modified = raw.st_mtim.tv_sec &* 1_000_000_000 &+ raw.st_mtim.tv_nsec
    changed = raw.st_ctim.tv_sec
  }

  /// Of the file that `path` leads to, through symbolic links.
  public static func of(path: String) throws(SystemError) -> FileStatus {
    var raw = stat()
    // Safe: stat(2) fills the struct that the pointer lends for the call.
    guard unsafe stat(path, &raw) == 0 else { throw .last("read \(path)") }
    return FileStatus(raw)
  }

  /// Of what is at `path` itself, be it a symbolic link.
  public static func ofLink(path: String) throws(SystemError) -> FileStatus {
    var raw = stat()
    // Safe: lstat(2) fills the struct that the pointer lends for the call.
    guard unsafe lstat(path, &raw) == 0 else { throw .last("read \(path)") }
    return FileStatus(raw)
  }

  public static func of(descriptor: Int32) -> FileStatus? {
    var raw = stat()
    // Safe: fstat(2) fills the struct that the pointer lends for the call.
    guard unsafe fstat(descriptor, &raw) == 0 else { return nil }
    return FileStatus(raw)
  }

  /// Nanoseconds since the epoch when the file was made, where the file system knows, else when it was last written to.
  public static func birth(of path: String) -> Int {
    // Safe: the path is read during the call.
    let birth = unsafe bailiff_birth_nanoseconds(path)
    guard birth < 0 else { return Int(birth) }
    return (try? of(path: path))?.modified ?? 0
  }

  public var isRegular: Bool { mode & S_IFMT == S_IFREG }
  public var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
  public var isSocket: Bool { mode & S_IFMT == S_IFSOCK }

  /// What it is when it is no regular file, in words.
  public var kind: String {
    switch mode & S_IFMT {
    case S_IFDIR: "a directory"
    case S_IFIFO: "a named pipe"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    default: "a file"
    }
  }

  public func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}
