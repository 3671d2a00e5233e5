internal import CLinux
internal import Glibc

public enum Directory {
  /// Makes a directory and those above it; one that exists is left as it is.
  /// - Parameter mode: of those that are made, less the process's umask.
  public static func make(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
    // Safe: mkdir(2) reads the path during the call.
    if unsafe mkdir(path, mode) == 0 { return }
    let code = errno
    switch code {
    case EEXIST:
      guard (try? FileStatus.of(path: path))?.isDirectory == true else {
        throw SystemError(code: ENOTDIR, operation: "make the directory \(path)")
      }
    case ENOENT:
      guard let parent = parent(of: path), parent != path else {
        throw SystemError(code: code, operation: "make the directory \(path)")
      }
      try make(parent, mode: mode)
      // Safe: as above.
      guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else { throw .last("make the directory \(path)") }
    default: throw SystemError(code: code, operation: "make the directory \(path)")
    }
  }

  /// The names in a directory, without `.` and `..`, sorted by their bytes.
  public static func names(_ path: String) throws(SystemError) -> [String] {
    // Safe: opendir(3) reads the path; the stream is closed below and used by this function alone.
    guard let stream = unsafe opendir(path) else { throw .last("read the directory \(path)") }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      // Safe: d_name ends in NUL and is valid until the next call; it is copied here.
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The path without its last part; nil for one that has none above it.
  public static func parent(of path: String) -> String? {
    guard let slash = path.lastIndex(of: "/") else { return nil }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
