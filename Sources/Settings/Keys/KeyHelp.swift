/// What the tables say of one key, for whoever asks at the terminal (`bailiff help maxretry`).
public struct KeyHelp: Hashable, Sendable {
  public enum File: String, Sendable {
    case settings = "bailiff.yaml"
    case filter = "a filter"
  }

  public var file: File
  /// `[jails, NAME, maxretry]`, where NAME is what the user calls it.
  public var path: [String]
  /// What may be written behind it: `a whole number, 1 to 10`.
  public var value: String
  public var about: String

  /// Every key of the settings and of filters, in the order of the tables.
  public static let all = keys(Keys.all, .settings, []) + keys(Keys.filter, .filter, [])

  /// The keys that are called so, or the one at that path: `maxretry`, `jails.sshd.maxretry`.
  public static func matching(_ text: String) -> [KeyHelp] {
    let wanted = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let whole = all.filter { key in
      key.path.count == wanted.count && zip(key.path, wanted).allSatisfy { $0 == "NAME" || $0 == $1 }
    }
    guard wanted.count == 1 else { return whole }
    return whole + all.filter { $0.path.count > 1 && $0.path.last == text }
  }

  /// The key's name that was most likely meant.
  public static func nearestName(to text: String) -> String? {
    nearest(to: text, among: all.compactMap(\.path.last).filter { $0 != "NAME" })
  }

  private static func keys(_ table: [Key], _ file: File, _ path: [String]) -> [KeyHelp] {
    table.flatMap { key in
      [KeyHelp(file: file, path: path + [key.name], value: text(key.kind), about: key.about)]
        + below(key.kind, file, path + [key.name])
    }
  }

  private static func below(_ kind: Key.Kind, _ file: File, _ path: [String]) -> [KeyHelp] {
    switch kind {
    case .map(let table): keys(table, file, path)
    case .named(let inner): below(inner, file, path + ["NAME"])
    case .list(let item): below(item, file, path)
    case .either(let kinds): kinds.flatMap { below($0, file, path) }
    default: []
    }
  }

  private static func text(_ kind: Key.Kind) -> String {
    switch kind {
    case .bool: "true or false"
    case .integer(let range): "a whole number, \(range.lowerBound) to \(range.upperBound)"
    case .number: "a number above 0"
    case .time: "a time: 10m, 1h30m, or seconds"
    case .age: "a time with its unit: 90d, 2y"
    case .size: "a size: 500MiB, 2GiB"
    case .text: "text"
    case .word(let words): listed(words)
    case .list(let item): "a list, or one: \(text(item))"
    case .map: "a map of the keys below it"
    case .named(let inner): "a map of names that you choose to: \(text(inner))"
    case .either(let kinds): kinds.map(text).joined(separator: "; or ")
    }
  }
}
