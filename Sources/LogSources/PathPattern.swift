internal import Glibc

/// A path with glob(7) wildcards, or a plain one.
struct PathPattern: Hashable {
  let text: String

  init(_ text: String) { self.text = text }

  private static func hasWildcard(_ text: Substring) -> Bool { text.contains { $0 == "*" || $0 == "?" || $0 == "[" } }

  var isPlain: Bool { !Self.hasWildcard(text[...]) }

  /// The paths that match now, sorted. Compressed files are no log lines, so a wildcard does not take them in.
  func expand() -> [String] {
    guard !isPlain else { return [text] }
    return Self.glob(text).filter { !RotatedSiblings.isCompressed($0) }
  }

  /// Directories in which names that matter may come and go: those that hold matching paths, and, while a directory is
  /// itself a pattern or missing, those above it up to the first that is plain and there.
  func directories() -> [String] {
    var result: [String] = []
    var parent = Self.parent(of: text[...])
    while true {
      let wild = Self.hasWildcard(parent)
      let found = wild ? Self.glob(String(parent)) : [String(parent)]
      let there = found.filter { (try? FileStatus.of(path: $0))?.kind == "a directory" }
      result += there
      if parent == "/" || parent == "." || (!wild && !there.isEmpty) { return result }
      parent = Self.parent(of: parent)
    }
  }

  /// Could the appearance of `name` in `directory` change what matches?
  func concerns(_ name: String, in directory: String) -> Bool {
    guard Self.parent(of: text[...]) == directory else { return true }
    let last = text.dropFirst(text.lastIndex(of: "/").map { text.distance(from: text.startIndex, to: $0) + 1 } ?? 0)
    // Safe: fnmatch(3) reads two strings during the call.
    return unsafe fnmatch(String(last), name, FNM_PERIOD) == 0
  }

  func matches(_ path: String) -> Bool {
    // Safe: as above.
    isPlain ? text == path : unsafe fnmatch(text, path, FNM_PATHNAME | FNM_PERIOD) == 0
  }

  static func parent(of path: Substring) -> Substring {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : path[..<slash]
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
