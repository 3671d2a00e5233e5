internal import CLinux
internal import Glibc

/// Files that are read or written whole: settings, states of the kernel. A mistyped path to something huge or endless must do
/// no harm.
public enum SmallFile {
  /// Reads a file of at most `limit` bytes.
  /// - Parameter regularOnly: refuse what is no regular file. Files of /proc and /sys are regular files.
  /// - Throws: `EFBIG` for a longer one, `EISDIR` or `EINVAL` for what is no regular file, else what open(2) or read(2) say.
  public static func read(_ path: String, limit: Int = 1 << 20, regularOnly: Bool = true) throws(SystemError) -> [UInt8]
  {
    // O_NONBLOCK: a FIFO without a writer would hold up the program permanently.
    let file = try Descriptor.open(path, flags: O_RDONLY | O_NONBLOCK)
    guard let status = FileStatus.of(descriptor: file.raw) else { throw .last("read \(path)") }
    if regularOnly, !status.isRegular {
      throw SystemError(code: status.isDirectory ? EISDIR : EINVAL, operation: "read \(path)")
    }
    // One byte more than there should be, so that a file that grows, or whose size is not told, shows.
    var bytes = [UInt8](repeating: 0, count: min(max(Int(clamping: status.size), 4095), limit) + 1)
    var count = 0
    while true {
      if count == bytes.count {
        guard count <= limit else { break }
        bytes.append(contentsOf: repeatElement(0, count: min(count, limit + 1 - count)))
      }
      // Safe: the pointer lives for the call, and read(2) writes at most what is left of the array after it.
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        retrying { unsafe Glibc.read(file.raw, buffer.baseAddress! + count, buffer.count - count) }
      }
      guard got >= 0 else { throw .last("read \(path)") }
      if got == 0 { break }
      count += got
    }
    guard count <= limit else { throw SystemError(code: EFBIG, operation: "read \(path)") }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// The same as text, what is no UTF-8 replaced; nil when it cannot be read.
  public static func text(_ path: String, limit: Int = 1 << 20) -> String? {
    (try? read(path, limit: limit)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Removes a file; one that is not there is no error.
  public static func remove(_ path: String) throws(SystemError) {
    // Safe: the path is read during the call.
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw .last("remove \(path)") }
  }

  /// Puts a file in the place of another one, in one step.
  public static func rename(_ path: String, to target: String) throws(SystemError) {
    // Safe: rename(2) reads both paths during the call.
    guard unsafe Glibc.rename(path, target) == 0 else { throw .last("replace \(target)") }
  }

  /// Replaces a file by one with this content, in one step: a reader sees the old one or the new one, also after a crash
  /// (rename(2)).
  public static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o644) throws(SystemError) {
    let new = "\(path).new-\(getpid())"
    do throws(SystemError) {
      let file = try Descriptor.open(new, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
      try file.write(bytes)
      guard fsync(file.raw) == 0 else { throw SystemError.last("write \(new)") }
      try rename(new, to: path)
    } catch {
      // Safe: unlink(2) reads the path during the call.
      _ = unsafe unlink(new)
      throw error
    }
  }
}
