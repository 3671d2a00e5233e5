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
}
