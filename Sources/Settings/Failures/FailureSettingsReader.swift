/// Reads `failures`.
struct FailureSettingsReader {
  let problems: Problems
  /// Those that the settings name, to find mistyped ones.
  let jails: [String]

  func read(_ value: Value) -> FailureSettings? {
    guard let fields = Fields(value, "failures", known: Keys.failures.names) else { return nil }
    var failures = FailureSettings()
    if let socket = fields["socket"], let path = socket.path("socket") {
      if path.utf8.count > 107 {
        socket.fail("`socket` has \(path.utf8.count) bytes", "a Unix socket's path has at most 107")
      }
      failures.socket = path
    }
    guard let entries = fields["allow"].flatMap({ Fields($0, "allow") })?.entries, !entries.isEmpty else {
      value.fail("`failures` has no `allow`; nobody could report", "write allow: {www-data: [JAIL]}")
      return nil
    }
    failures.allow = entries.compactMap(sender)
    return failures
  }

  /// `www-data: [wordpress]`; a name that begins with @ is a group's.
  private func sender(_ entry: Fields.Entry) -> FailureSettings.Sender? {
    let isGroup = entry.key.hasPrefix("@")
    let name = isGroup ? String(entry.key.dropFirst()) : entry.key
    // As useradd(8) and systemd make them.
    let isName = name.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "$"): true
      default: false
      }
    }
    guard isName, (1...64).contains(name.utf8.count) else {
      problems.add(
        entry.place, "\(quoted(entry.key)) is no user, and no group", remedy: "write www-data, or '@GROUP'")
      return nil
    }
    let items = entry.value.list(entry.key) ?? []
    if items.isEmpty {
      entry.value.fail("\(quoted(entry.key)) may report for no jail", "write \(printableKey(entry.key)): [JAIL]")
    }
    let named = items.compactMap { item -> String? in
      guard let jail = item.name(entry.key) else { return nil }
      if !jails.contains(jail) {
        // No reason not to start: a jail that was removed takes nothing from the others.
        problems.warn(
          item.place, "there is no jail \(quoted(jail))",
          remedy: suggestion(for: jail, among: jails, otherwise: "jails are: \(jails.joined(separator: ", "))"))
      }
      return jail
    }
    return .init(isGroup ? .group(name) : .user(name), jails: Set(named))
  }

  private func printableKey(_ key: String) -> String { key.hasPrefix("@") ? "'\(key)'" : key }
}
