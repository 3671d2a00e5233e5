/// Orders files with what their `[INCLUDES]` name: `before`, the file, `after`; each include followed by its `.local`.
struct IncludeReader {
  private(set) var missing: [String] = []
  private var parsed: [String: ConfigurationFile] = [:]

  /// - Parameter chain: the files whose includes lead here, the first one first.
  mutating func expand(_ files: [String], from chain: [String]) throws(ConfigurationError) -> [ConfigurationFile] {
    var result: [ConfigurationFile] = []
    for path in files {
      try result.append(contentsOf: expand(path, from: chain))
      let local = Self.localName(of: path)
      if local != path, !files.contains(local) { try result.append(contentsOf: expand(local, from: chain)) }
    }
    return result
  }

  private mutating func expand(_ path: String, from chain: [String]) throws(ConfigurationError) -> [ConfigurationFile] {
    guard let file = try parse(path) else { return [] }
    guard let own = file.sections.first(where: { $0.name == "INCLUDES" })?.options else { return [file] }
    var configuration = Configuration()
    configuration.add(file)
    let interpolation = Interpolation(configuration, section: "INCLUDES")
    var around: [String: [ConfigurationFile]] = [:]
    for key in ["before", "after"] {
      guard own[key] != nil || file.defaults[key] != nil, let value = try interpolation.value(of: key) else { continue }
      for name in value.split(separator: "\n", omittingEmptySubsequences: true).map(String.init) {
        let target = Self.resolve(name, relativeTo: path)
        if let start = (chain + [path]).firstIndex(of: target) {
          let loop = ((chain + [path])[start...] + [target]).joined(separator: " → ")
          throw ConfigurationError(
            file: path, line: own[key]?.line ?? 0, section: "INCLUDES", option: key,
            reason: "the includes run in a loop: \(loop); remove one of them")
        }
        let files = try expand([target], from: chain + [path])
        // `….local` is there for the administrator to make; any other name that is not there may be a mistake.
        if files.isEmpty, !target.hasSuffix(".local") { missing.append(target) }
        around[key, default: []] += files
      }
    }
    return around["before", default: []] + [file] + around["after", default: []]
  }

  private mutating func parse(_ path: String) throws(ConfigurationError) -> ConfigurationFile? {
    if let file = parsed[path] { return file }
    let file = try ConfigurationFile(path: path)
    parsed[path] = file
    return file
  }

  private static func resolve(_ name: String, relativeTo path: String) -> String {
    if name.hasPrefix("/") { return name }
    guard let slash = path.lastIndex(of: "/") else { return name }
    return path[...slash] + name
  }

  /// `x.conf` → `x.local`.
  private static func localName(of path: String) -> String {
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return path + ".local" }
    return path[..<dot] + ".local"
  }
}
