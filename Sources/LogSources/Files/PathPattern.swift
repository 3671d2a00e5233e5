internal import Glibc
internal import System

/// Which files are wanted: a path, perhaps with glob(7) wildcards, or the logs of a container, wherever its runtime puts them.
struct PathPattern: Hashable {
  /// As messages call it.
  let text: String
  let isPlain: Bool
  private let container: ContainerName?
  private let roots: [ContainerRoot]

  init(_ text: String) {
    self.text = text
    isPlain = !Self.hasWildcard(text[...])
    container = nil
    roots = []
  }

  init(container: String, in roots: [String]) {
    text = "container \(container)"
    isPlain = false
    self.container = ContainerName(text: container)
    self.roots = roots.map(ContainerRoot.init)
  }

  private func containers(_ name: ContainerName) -> [Container] {
    roots.flatMap(\.containers).filter(name.matches)
  }

  /// Why no file matches.
  var absence: SourceStatus.State {
    guard let container else { return .waiting("no file matches (yet)") }
    let found = containers(container)
    if let reason = found.lazy.compactMap(\.unreadable).first { return .failed(reason) }
    if found.contains(where: { $0.driver == "journald" }) { return .waiting("the container logs to the journal") }
    return .waiting(found.isEmpty ? "there is no such container (yet)" : "the container has no log (yet)")
  }

  private static func hasWildcard(_ text: Substring) -> Bool { text.utf8.contains { "*?[".utf8.contains($0) } }

  /// The paths that match now, sorted. Compressed files are no log lines, so a wildcard does not take them in.
  func expand() -> [String] {
    if let container {
      let logs = containers(container).filter { $0.unreadable == nil }.map(\.log)
      return logs.filter { (try? FileStatus.of(path: $0)) != nil }
    }
    guard !isPlain else { return [text] }
    return Self.glob(text).filter { !RotatedName.isCompressed($0) }
  }

  /// The regular files that match now.
  var existing: [String] { expand().filter { (try? FileStatus.of(path: $0))?.isRegular ?? false } }

  func matches(_ path: String) -> Bool {
    if let container {
      return path.hasSuffix(".log") && containers(container).contains { $0.log == path && $0.unreadable == nil }
    }
    guard !isPlain else { return text == path }
    // Safe: fnmatch(3) reads two strings during the call.
    return unsafe fnmatch(text, path, FNM_PATHNAME | FNM_PERIOD) == 0 && !RotatedName.isCompressed(path)
  }

  /// Directories in which names that matter may come and go: those that hold matching paths (`leaves`), and, while a
  /// directory is itself a pattern or missing, those above it up to the first that is plain and there.
  func directories() -> (leaves: [String], above: [String]) {
    if let container {
      let leaves = Set(containers(container).map { PathName.directory(of: $0.log) })
      let above = roots.flatMap(\.directories).filter { !leaves.contains($0) }
      return (Array(leaves), above.filter { (try? FileStatus.of(path: $0))?.isDirectory ?? false })
    }
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
