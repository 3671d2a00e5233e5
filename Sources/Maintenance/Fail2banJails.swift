internal import Detection
internal import Filters
internal import Model
internal import Settings

/// `jail.local`, a section a jail.
struct Fail2banJails {
  /// The filters that fail2ban has.
  let filters: Set<String>
  var text = "# Written by `bailiff export fail2ban`.\n"
  var jails: [String] = []
  var notes: [String] = []

  init(filters: Set<String>) { self.filters = filters }

  mutating func add(_ jail: JailSettings, _ settings: Settings) {
    guard let filter = filter(of: jail) else { return }
    var lines: [(key: String, value: String)] = [("enabled", jail.enabled ? "true" : "false")]
    if !filter.isEmpty { lines.append(("filter", filter)) }
    lines += sources(of: jail)
    lines.append(("maxretry", "\(jail.limits.maxretry)"))
    lines.append(("findtime", seconds(jail.limits.findtime)))
    lines.append(("bantime", jail.limits.bantime.map(seconds) ?? "-1"))
    lines += increment(of: jail)
    if jail.ports == .all {
      lines.append(("banaction", "%(banaction_allports)s"))
    } else {
      lines.append(("port", jail.ports.description.replacing(" ", with: "")))
      lines.append(("protocol", jail.protocols.map(\.rawValue).joined(separator: ",")))
    }
    let ignored = ignoreip(jail)
    if !ignored.isEmpty { lines.append(("ignoreip", ignored.joined(separator: " "))) }
    lines.append(("ignoreself", settings.ignoreself ? "true" : "false"))
    text += "\n[\(jail.name)]\n" + lines.map { "\($0.key) = \($0.value)\n" }.joined()
    jails.append(jail.name)
  }

  /// Empty for a jail that needs none; nil for one that fail2ban cannot have.
  private mutating func filter(of jail: JailSettings) -> String? {
    switch jail.filter {
    case .fail2ban(let path, let options):
      let name = path.split(separator: "/").last.map { String($0.dropLast(".conf".count)) } ?? path
      guard !options.isEmpty else { return name }
      let list = options.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }
      return "\(name)[\(list.joined(separator: ", "))]"
    case .native:
      let name = jail.definition?.name ?? jail.name
      if filters.contains(name) { return name }
      notes.append("\(jail.name): fail2ban has no filter \(name); left out")
      return nil
    case nil:
      guard jail.source == .bans else { return nil }
      // fail2ban's own name for it, whose filter reads its own log.
      if filters.contains("recidive") { return "recidive" }
      notes.append("\(jail.name): fail2ban has no filter recidive; left out")
      return nil
    }
  }

  private mutating func sources(of jail: JailSettings) -> [(String, String)] {
    guard jail.source == .logs else {
      return jail.source == .bans ? [("logpath", "/var/log/fail2ban.log")] : []
    }
    let sources = jail.sources()
    // fail2ban reads files or the journal, never both.
    if sources.journal.isEmpty || sources.isJournalInstead && !sources.files.isEmpty {
      return [("backend", "auto"), ("logpath", sources.files.joined(separator: "\n          "))]
    }
    if !sources.files.isEmpty {
      notes.append(
        "\(jail.name): fail2ban reads the journal or files; \(sources.files.joined(separator: ", ")) left out")
    }
    return [("backend", "systemd"), ("journalmatch", sources.journal.joined(separator: " + "))]
  }

  private func increment(of jail: JailSettings) -> [(String, String)] {
    guard let increment = jail.limits.increment else { return [] }
    var lines = [("bantime.increment", "true")]
    if increment.multipliers.isEmpty {
      // fail2ban's own formula has base 2; any other factor is written out, as far as 20 bans.
      let factors = (0..<20).map { step in (0..<step).reduce(1.0) { value, _ in value * increment.factor } }
      lines.append(("bantime.multipliers", factors.map { "\(Int(min($0, 1e9)))" }.joined(separator: " ")))
    } else {
      lines.append(("bantime.multipliers", increment.multipliers.map { "\($0)" }.joined(separator: " ")))
    }
    if increment.coefficient != 1 { lines.append(("bantime.factor", "\(increment.coefficient)")) }
    if let maxtime = increment.maxtime { lines.append(("bantime.maxtime", seconds(maxtime))) }
    if increment.overalljails { lines.append(("bantime.overalljails", "true")) }
    return lines
  }

  private mutating func ignoreip(_ jail: JailSettings) -> [String] {
    jail.ignoreip.compactMap { entry in
      switch entry {
      case .subnet(let subnet): return subnet.description
      case .name(let name): return name
      case .file(let path):
        notes.append("\(jail.name): fail2ban reads no list \(path); its entries were not carried over")
        return nil
      }
    }
  }

  private func seconds(_ span: TimeSpan) -> String { "\(span.microseconds / 1_000_000)" }
}
