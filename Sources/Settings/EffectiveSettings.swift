public import Filters
internal import System
internal import YAML

/// What all the files of the settings say together, each value with its place and with what it overrides.
///
/// ```yaml
/// jails:
///   sshd:
///     filter: sshd                  # /etc/bailiff/bailiff.yaml:8
///     maxretry: 3                   # /etc/bailiff/jails.d/sshd.yaml:1, over 5 in /etc/bailiff/bailiff.yaml:9
/// ```
public struct EffectiveSettings: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    /// `[jails, sshd, maxretry]`
    public var path: [String]
    /// As YAML writes it in one line; a secret is `…`.
    public var text: String
    /// The hash of what the file says, in this process: a secret that became another has the same text.
    var fingerprint: Int
    public var place: Place
    /// What earlier files say, the newest first; of lists that add up, where the other parts are.
    public var overridden: [Overridden]
    public var addsUp: Bool
  }

  public struct Overridden: Sendable, Equatable {
    public var text: String
    public var place: Place
  }

  public private(set) var entries: [Entry] = []

  /// Nothing is set.
  public init() {}

  /// What cannot be read is left out; `Settings.read` tells what is wrong with it.
  public init(path: String) {
    guard let root = Pieces.read(path, Problems()) else { return }
    collect(root, [], .map(Keys.all), isSecret: false)
  }

  init(_ root: Value) { collect(root, [], .map(Keys.all), isSecret: false) }

  /// Keys whose values are paths that begin, where they are relative, at their own file.
  private static let relativePaths: Set<String> = ["filter", "filters"]

  private mutating func collect(_ value: Value, _ path: [String], _ kind: Key.Kind?, isSecret: Bool) {
    if value.isMap, let fields = Fields(value, path.last ?? ""), !fields.entries.isEmpty {
      for entry in fields.entries {
        let key = Self.key(entry.key, in: kind)
        guard key?.name != "include" else { continue }
        collect(entry.value, path + [entry.key], key?.kind, isSecret: isSecret || key?.isSecret == true)
      }
      return
    }
    let addsUp = path.last == "ignoreip"
    let isPath = Self.relativePaths.contains(path.last ?? "")
    func shown(_ value: Value) -> String {
      isSecret ? "…" : Self.flow(isPath ? Self.absolute(value.node, in: value.place.file) : value.node)
    }
    let text = addsUp && !value.earlier.isEmpty ? Self.joined(value.earlier + [value]) : shown(value)
    entries.append(
      Entry(
        path: path, text: text, fingerprint: (isSecret ? Self.flow(value.node) : text).hashValue, place: value.place,
        overridden: value.earlier.reversed().map { Overridden(text: shown($0), place: $0.place) }, addsUp: addsUp))
  }

  private static func absolute(_ node: YAMLNode, in file: String) -> YAMLNode {
    switch node.content {
    case .scalar(let text, let style):
      guard FilterLibrary.isPath(text) || text.hasSuffix(".conf") else { return node }
      return YAMLNode(.scalar(Pieces.absolute(text, besides: file), style))
    case .sequence(let items): return YAMLNode(.sequence(items.map { absolute($0, in: file) }))
    case .mapping: return node
    }
  }

  /// The table's key, or one for a name that the user gave.
  private static func key(_ name: String, in kind: Key.Kind?) -> Key? {
    switch kind {
    case .map(let keys): keys[name]
    case .named(let inner): Key(name, inner, "")
    case .either(let kinds): kinds.lazy.compactMap { key(name, in: $0) }.first
    default: nil
    }
  }

  private static func joined(_ lists: [Value]) -> String {
    let items = lists.flatMap { value in value.node.items ?? [value.node] }
    return "[" + items.map(flow).joined(separator: ", ") + "]"
  }

  /// A node in YAML's flow style.
  static func flow(_ node: YAMLNode) -> String {
    switch node.content {
    case .scalar(let text, let style): style == .plain ? text : quotedScalar(text)
    case .sequence(let items): "[" + items.map(flow).joined(separator: ", ") + "]"
    case .mapping(let pairs): "{" + pairs.map { "\(flow($0.key)): \(flow($0.value))" }.joined(separator: ", ") + "}"
    }
  }

  /// In single quotes where they can hold it.
  private static func quotedScalar(_ text: String) -> String {
    let plain = text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
    guard !plain else { return "'" + text.replacing("'", with: "''") + "'" }
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\n": "\\n"
      case "\t": "\\t"
      case "\"": "\\\""
      case "\\": "\\\\"
      case _ where scalar.value < 32 || scalar.value == 127:
        "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: String(scalar)
      }
    }
    return "\"" + escaped.joined() + "\""
  }
}

extension EffectiveSettings {
  /// What `path` names, or everything below it; nothing when it is not set.
  public func entries(at path: [String]) -> [Entry] { entries.filter { $0.path.starts(with: path) } }

  /// Everything, or what is below `path`, as YAML: one file that means the same. The comments tell the places.
  public func yaml(at path: [String] = [], comments: Bool = true) -> String {
    var lines: [String] = []
    var open: [String] = []
    for entry in entries(at: path) {
      let keys = entry.path.dropFirst(path.count)
      let shared = zip(open, keys).prefix { $0 == $1 }.count
      for (depth, key) in keys.enumerated().dropFirst(shared) where depth < keys.count - 1 {
        lines.append(String(repeating: "  ", count: depth) + key + ":")
      }
      open = Array(keys.dropLast())
      let indent = String(repeating: "  ", count: max(keys.count - 1, 0))
      let line = keys.isEmpty ? entry.text : "\(indent)\(keys.last!): \(entry.text)"
      let padding = String(repeating: " ", count: max(40 - line.count, 2))
      lines.append(comments ? line + padding + "# " + entry.origin : line)
    }
    return lines.map { $0 + "\n" }.joined()
  }
}

extension EffectiveSettings {
  /// A value that is not what it was; nil: not set.
  public struct Difference: Sendable, Equatable {
    public var path: [String]
    public var before: Entry?
    public var after: Entry?
  }

  /// What differs from `before`, in the order of these settings; what is not set any more comes last. Where a value is
  /// written makes no difference.
  public func differences(from before: EffectiveSettings) -> [Difference] {
    let old = Dictionary(before.entries.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    let now = Set(entries.map(\.path))
    let changed = entries.compactMap { entry -> Difference? in
      let earlier = old[entry.path]
      return earlier?.fingerprint == entry.fingerprint
        ? nil : Difference(path: entry.path, before: earlier, after: entry)
    }
    let removed = before.entries.filter { !now.contains($0.path) }
    return changed + removed.map { Difference(path: $0.path, before: $0, after: nil) }
  }
}

extension EffectiveSettings.Entry {
  /// `file:line`, and what that overrides.
  public var origin: String {
    let here = "\(place.file):\(place.line)"
    guard let first = overridden.first else { return printable(here) }
    let others =
      addsUp
      ? overridden.reversed().map { "\($0.place.file):\($0.place.line)" } + [here]
      : [here + ", over \(first.text) in \(first.place.file):\(first.place.line)"]
    return printable(others.joined(separator: " and "))
  }
}
