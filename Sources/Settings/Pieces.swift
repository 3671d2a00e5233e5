internal import Filters
internal import Glibc
internal import YAML

/// The files that make up the settings, laid over one another: `bailiff.yaml`, what its `include` names, and `jails.d/*.yaml`
/// beside it, each a jail that is called as its file is. What is later overrides what is earlier, key by key.
enum Pieces {
  /// Nil when there is nothing to read, or nothing that can be read; `problems` tells then.
  ///
  /// `replacement` is read in the place of a file's own text.
  static func read(_ file: String, _ problems: Problems, replacing replacement: SettingsChange.Replacement? = nil)
    -> Value?
  {
    let pieces = Reader(problems: problems, replacement: replacement)
    let root = pieces.document(file)
    let layers = [root].compactMap(\.self) + pieces.included(root) + pieces.jails(beside: file)
    guard var top = layers.last else { return nil }
    top.earlier = Array(layers.dropLast())
    return top
  }

  /// The files that are there and can be read, in the order of reading.
  static func files(_ file: String) -> [String] {
    guard let top = read(file, Problems()) else { return [] }
    return (top.earlier + [top]).map(\.place.file)
  }

  /// `path`, where it is relative, in the directory of `file`.
  static func absolute(_ path: String, besides file: String) -> String {
    guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
    return file[...slash] + path
  }

  /// Is `file` one of jails.d beside `main`?
  static func isJail(_ file: String, of main: String) -> Bool {
    let directory = absolute("jails.d/", besides: main)
    return file.hasPrefix(directory) && !file.dropFirst(directory.count).contains("/")
  }
}

private struct Reader {
  let problems: Problems
  let replacement: SettingsChange.Replacement?

  func document(_ file: String) -> Value? {
    if let replacement, replacement.file == file { return Document.parse(replacement.text, file: file, problems) }
    return Document.read(file, problems)
  }

  /// In the order of the list; what a pattern matches, by name.
  func included(_ root: Value?) -> [Value] {
    guard let root, root.isMap, let list = Fields(root, "bailiff.yaml")?["include"]?.list("include") else { return [] }
    return list.flatMap { value -> [Value] in
      guard let name = value.name("include") else { return [] }
      let pattern = Pieces.absolute(name, besides: value.place.file)
      let files = Self.matching(pattern)
      if files.isEmpty, !pattern.contains(where: "*?[".contains) {
        value.fail("there is no file \(quoted(pattern))", "create it, or drop it from the list")
      }
      return files.compactMap(piece)
    }
  }

  private func piece(_ file: String) -> Value? {
    guard let root = document(file) else { return nil }
    guard root.isMap else {
      _ = Fields(root, file)
      return nil
    }
    if let entry = Fields(root, file)?.entry("include") {
      problems.add(entry.place, "an included file cannot include others", remedy: "list them in bailiff.yaml")
    }
    return root
  }

  /// `jails.d/sshd.yaml` holds the keys of jail `sshd`.
  func jails(beside file: String) -> [Value] {
    Self.matching(Pieces.absolute("jails.d/*.yaml", besides: file)).compactMap { path in
      guard let keys = document(path) else { return nil }
      if keys.isMap, let entry = Fields(keys, path)?.entry("jails") {
        problems.add(
          entry.place, "a file in jails.d is one jail, called as the file is",
          remedy: "write its keys without `jails:`, or include the file in bailiff.yaml")
        return nil
      }
      let name = path[path.index(after: path.lastIndex(of: "/")!)...].dropLast(".yaml".count)
      let jail = YAMLNode(.mapping([.init(key: YAMLNode(String(name)), value: keys.node)]))
      let root = YAMLNode(.mapping([.init(key: YAMLNode("jails"), value: jail)]))
      return Value(node: root, place: Place(file: path, line: 1, column: 1), problems: problems)
    }
  }

  /// The files that a pattern of glob(7) names, sorted.
  private static func matching(_ pattern: String) -> [String] {
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
