internal import Detection
internal import Model

/// Reads `alerts`.
enum AlertReader {
  static func read(_ value: Value) -> AlertLimits {
    var limits = AlertLimits()
    guard let fields = Fields(value, "alerts", known: Keys.alerts.names) else { return limits }
    limits.loginAfterFailures = rate(fields, "login_after_failures", otherwise: limits.loginAfterFailures)
    limits.manyAddresses = rate(fields, "many_addresses", otherwise: limits.manyAddresses)
    limits.manyAccounts = rate(fields, "many_accounts", otherwise: limits.manyAccounts)
    if let value = fields["new_network"] {
      limits.newNetwork = isOff(value) ? nil : value.span("new_network") ?? limits.newNetwork
    }
    if let isOn = fields["banned_login"]?.bool("banned_login") { limits.bannedLogin = isOn }
    if let isOn = fields["first_privilege"]?.bool("first_privilege") { limits.firstPrivilege = isOn }
    return limits
  }

  private static func isOff(_ value: Value) -> Bool { ["off", "false", "no"].contains(value.word) }

  /// `5/1d`; nil: off.
  private static func rate(_ fields: Fields, _ key: String, otherwise usual: Rate?) -> Rate? {
    guard let value = fields[key] else { return usual }
    if isOff(value) { return nil }
    guard let rate = Rate(value, key) else { return usual }
    guard AlertLimits.counts.contains(rate.count), rate.span <= AlertLimits.longest else {
      value.fail(
        "`\(key)` is \(value.typed)",
        "write a number from \(AlertLimits.counts.lowerBound) to \(AlertLimits.counts.upperBound) and a time up to 7d: 10/1d"
      )
      return usual
    }
    return rate
  }

  /// Those that are about an address, by the names that `alerts` has for them.
  static let kinds: [String: Alert.Kind] = [
    "login_after_failures": .loginAfterFailures, "new_network": .newNetwork, "many_accounts": .manyAccounts,
    "banned_login": .bannedLogin, "first_privilege": .firstPrivilege,
  ]
}

extension SettingsReader {
  /// `alerts: [many_accounts]` of a jail.
  func alertKinds(_ fields: Fields, _ entry: Fields.Entry, _ source: JailSettings.Source) -> Set<Alert.Kind> {
    let known = AlertReader.kinds.keys.sorted()
    guard let value = fields["alerts"] else {
      if source == .alerts {
        problems.add(
          entry.place, "jail \(quoted(entry.key)) names no `alerts`",
          remedy: "write for example alerts: [many_accounts]")
      }
      return []
    }
    guard source == .alerts else {
      value.fail("a jail with `source: \(source.rawValue)` counts no alerts", "drop `alerts` or `source`")
      return []
    }
    let names = value.list("alerts") ?? []
    if names.isEmpty { value.fail("`alerts` is empty", "write one or more of \(listed(known))") }
    var kinds: Set<Alert.Kind> = []
    for item in names {
      guard let name = item.name("alerts") else { continue }
      guard let kind = AlertReader.kinds[name] else {
        item.fail(
          "`alerts` has \(quoted(name))",
          name == "many_addresses"
            ? "that alert is about an account, and has no address to ban"
            : suggestion(for: name, among: known, otherwise: "write one or more of \(listed(known))"))
        continue
      }
      if !settings.alerts.raises(kind) || !settings.activity && kind != .manyAccounts {
        item.fail(
          "the alert \(quoted(name)) is switched off",
          settings.alerts.raises(kind) ? "write activity: true" : "drop `\(name)` from `alerts` at the top")
      }
      kinds.insert(kind)
    }
    return kinds
  }
}

extension AlertLimits {
  fileprivate func raises(_ kind: Alert.Kind) -> Bool {
    switch kind {
    case .loginAfterFailures: loginAfterFailures != nil
    case .newNetwork: newNetwork != nil
    case .manyAddresses: manyAddresses != nil
    case .manyAccounts: manyAccounts != nil
    case .bannedLogin: bannedLogin
    case .firstPrivilege: firstPrivilege
    }
  }
}
