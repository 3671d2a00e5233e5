public import Filters
internal import FoundationEssentials

/// The native filters of this machine: an administrator's own first, then those that come with the program.
public struct FilterLibrary: Sendable {
  /// In the order of search; the first file of a name wins.
  public var directories: [String]

  /// `directories`, then the built-in places.
  public init(directories: [String], builtin: [String] = FilterLibrary.builtinDirectories()) {
    self.directories = directories + builtin.filter { !directories.contains($0) }
  }

  /// `../share/bailiff/filters` beside the executable, and `filters` of the checkout that it was built in.
  public static func builtinDirectories() -> [String] {
    guard let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
      return []
    }
    return builtinDirectories(executable: executable)
  }

  static func builtinDirectories(executable: String) -> [String] {
    let parts = executable.split(separator: "/").map(String.init)
    var directories: [String] = []
    if parts.count >= 2 {
      directories.append("/" + (parts.dropLast(2) + ["share", "bailiff", "filters"]).joined(separator: "/"))
    }
    if let build = parts.lastIndex(of: ".build") {
      directories.append("/" + (parts[..<build] + ["filters"]).joined(separator: "/"))
    }
    return directories
  }

  /// `sshd` of `/usr/share/bailiff/filters/sshd.yaml`.
  static func name(ofPath path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    for suffix in [".yaml", ".yml", ".conf"] where file.hasSuffix(suffix) { return String(file.dropLast(suffix.count)) }
    return file
  }

  /// The file of the filter `name`, or nil.
  public func path(of name: String) -> String? {
    guard !name.isEmpty, !name.hasPrefix("."), !name.utf8.contains(UInt8(ascii: "/")) else { return nil }
    for directory in directories {
      let path = "\(directory)/\(name).yaml"
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    return nil
  }

  /// Every filter's name, sorted.
  public var names: [String] {
    Set(directories.flatMap(Self.files)).map(Self.name(ofPath:)).sorted()
  }

  /// Reads every filter, or those of these names, sorted by name. Those with errors are told apart.
  public func all(_ only: [String]? = nil) -> (filters: [FilterDefinition], errors: [SettingsError]) {
    var filters: [FilterDefinition] = []
    var errors: [SettingsError] = []
    for name in names where only?.contains(name) ?? true {
      do throws(SettingsErrors) { filters.append(try load(name)) } catch { errors += error.errors }
    }
    return (filters, errors)
  }

  /// The filter of this name, or of this path when it has a slash or ends in `.yaml`.
  public func load(_ reference: String) throws(SettingsErrors) -> FilterDefinition {
    if Self.isPath(reference) { return try FilterFile.load(path: reference) }
    guard let path = path(of: reference) else {
      throw SettingsErrors([
        SettingsError(Place(file: reference, line: 0, column: 0), "no such filter", remedy: hint(for: reference))
      ])
    }
    return try FilterFile.load(path: path)
  }

  static func isPath(_ reference: String) -> Bool {
    reference.contains("/") || reference.hasSuffix(".yaml") || reference.hasSuffix(".yml")
  }

  /// What a person who asked for `name` may have meant.
  func hint(for name: String) -> String {
    let names = self.names
    let all =
      names.isEmpty
      ? "there is no filter in \(directories.isEmpty ? "any directory" : directories.joined(separator: ", "))"
      : "there are: \(names.joined(separator: ", "))"
    return suggestion(for: name, among: names, otherwise: all)
  }

  private static func files(in directory: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }
  }
}
