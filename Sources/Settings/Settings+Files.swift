internal import System

extension Settings {
  /// Every file that these settings are made of, by its full path: the settings themselves, what they include, `jails.d`, filters
  /// in directories of the administrator's (not those that come with the program), and lists that `ignoreip` names.
  public func files() -> [String] {
    let filters = filters.filter { !$0.hasPrefix("/usr/") }.flatMap { directory in
      ((try? Directory.names(directory)) ?? []).filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.map {
        "\(directory)/\($0)"
      }
    }
    let lists = (ignoreip + jails.flatMap(\.ignoreip)).compactMap { if case .file(let path) = $0 { path } else { nil } }
    var seen: Set<String> = []
    return (Pieces.files(file) + filters + lists).filter { seen.insert($0).inserted }
  }
}
