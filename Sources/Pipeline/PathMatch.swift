internal import Glibc

/// Does a path of the settings, perhaps a glob, name this file?
enum PathMatch {
  static func matches(_ pattern: String, _ path: String) -> Bool {
    let absolute = absolute(path)
    // Safe: fnmatch(3) reads both strings during the call. `*` does not cross a slash, as in glob(7).
    return unsafe fnmatch(pattern, absolute, FNM_PATHNAME) == 0 || pattern == absolute
  }

  private static func absolute(_ path: String) -> String {
    // Safe: realpath(3) with no buffer allocates one, which is copied and freed here.
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }
}
