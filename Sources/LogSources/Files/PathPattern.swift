internal import Glibc
internal import System

/// A path with glob(7) wildcards, or a plain one.
struct PathPattern: Hashable {
  let text: String
  let isPlain: Bool

  init(_ text: String) {
    self.text = text
    isPlain = !Self.hasWildcard(text[...])
  }

  private static func hasWildcard(_ text: Substring) -> Bool { text.utf8.contains { "*?[".utf8.contains($0) } }

  /// The paths that match now, sorted. Compressed files are no log lines, so a wildcard does not take them in.
  func expand() -> [String] {
    guard !isPlain else { return [text] }
    return Self.glob(text).filter { !RotatedName.isCompressed($0) }
  }

  /// The regular files that match now.
  var existing: [String] { expand().filter { (try? FileStatus.of(path: $0))?.isRegular ?? false } }

  func matches(_ path: String) -> Bool {
    guard !isPlain else { return text == path }
    // Safe: fnmatch(3) reads two strings during the call.
    return unsafe fnmatch(text, path, FNM_PATHNAME | FNM_PERIOD) == 0 && !RotatedName.isCompressed(path)
  }

  /// Directories in which names that matter may come and go: those that hold matching paths (`leaves`), and, while a
  /// directory is itself a pattern or missing, those above it up to the first that is plain and there.
  func directories() -> (leaves: [String], above: [String]) {
    var above: [String] = []
    var parent = PathName.directory(of: text[...])
    var leaves: [String]?
    while true {
      let isWild = Self.hasWildcard(parent)
      let found = isWild ? Self.glob(String(parent)) : [String(parent)]
      let there = found.filter { (try? FileStatus.of(path: $0))?.isDirectory ?? false }
      if leaves == nil { leaves = there } else { above += there }
      if parent == "/" || parent == "." || (!isWild && !there.isEmpty) { return (leaves ?? [], above) }
      parent = PathName.directory(of: parent)
    }
  }

  private static func glob(_ pattern: String) -> [String] {
    // Safe: glob(3) fills the struct, whose `gl_pathv` then holds `gl_pathc` strings until globfree(3).
    var result = unsafe glob_t()
    defer { unsafe globfree(&result) }
    guard unsafe Glibc.glob(pattern, 0, nil, &result) == 0 else { return [] }
    return unsafe (0..<Int(result.gl_pathc)).compactMap { i in
      unsafe result.gl_pathv[i].map { unsafe String(cString: $0) }
    }
  }
}
