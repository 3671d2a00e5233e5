internal import Glibc

/// The files that a pattern of glob(7) names.
public enum Glob {
  /// Sorted by bytes; empty where nothing matches or nothing may be read. A path without wildcards is itself, when it is there.
  public static func paths(_ pattern: String) -> [String] {
    // Safe: all zero is an empty result; glob(3) fills it, and globfree(3) is called once after it, whatever came of it.
    var result = unsafe glob_t()
    defer { unsafe globfree(&result) }
    guard unsafe glob(pattern, GLOB_NOSORT, nil, &result) == 0 else { return [] }
    // Safe: glob(3) leaves gl_pathc strings in gl_pathv, which live until globfree.
    let paths = unsafe (0..<Int(result.gl_pathc)).compactMap {
      unsafe result.gl_pathv[$0].map { unsafe String(cString: $0) }
    }
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
