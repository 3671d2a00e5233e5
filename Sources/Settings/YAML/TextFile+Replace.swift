internal import Glibc

extension TextFile {
  /// Puts `text` in the file's place whole: whoever reads meanwhile, or after a crash, sees the old text or the new one. The
  /// mode and the owner stay, and so does a link that leads to the file.
  static func replace(_ path: String, with text: String) throws(Failure) {
    let target = resolved(path)
    let temporary = "\(target).new-\(getpid())"
    var information = stat()
    // Safe: the strings live for the calls; stat(2) fills the structure that it is handed.
    let isThere = unsafe stat(target, &information) == 0
    let file = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw unwritable(errno) }
    defer { close(file) }
    let mode = isThere ? information.st_mode & 0o7777 : 0o644
    guard writeAll(Array(text.utf8), to: file), !isThere || fchown(file, information.st_uid, information.st_gid) == 0,
      fchmod(file, mode) == 0, fsync(file) == 0, unsafe rename(temporary, target) == 0
    else {
      let code = errno
      // Safe: as above.
      unsafe unlink(temporary)
      throw unwritable(code)
    }
  }

  /// Where links lead; the path itself where there is nothing yet.
  private static func resolved(_ path: String) -> String {
    // Safe: realpath(3) allocates the result, which is copied and then freed.
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }

  private static func writeAll(_ bytes: [UInt8], to file: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      // Safe: the pointer lives for the call and covers exactly what is left.
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
      if count >= 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return false }
    }
    return true
  }

  private static func unwritable(_ code: Int32) -> Failure {
    // Safe: strerror(3) returns a string that ends in NUL, copied at once.
    let reason = unsafe String(cString: strerror(code))
    return Failure(
      message: "cannot be written: \(reason.lowercased())",
      remedy: code == EACCES || code == EPERM ? "run as root" : "check the directory and the disk")
  }
}
