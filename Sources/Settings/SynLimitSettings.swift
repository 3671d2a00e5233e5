/// How many new TCP connections the kernel lets through: `syn_limit: {rate: 30/s, burst: 60}`.
public struct SynLimitSettings: Sendable, Equatable {
  /// In which time `rate` connections are let through.
  public enum Unit: String, Sendable, CaseIterable {
    case second = "s"
    case minute = "m"
    case hour = "h"
  }

  /// Whose connections are counted together: those of one address, or everybody's.
  public enum Scope: String, Sendable, CaseIterable { case address, all }

  public var rate: Int
  public var unit: Unit
  public var burst: Int
  public var scope: Scope
  /// What begins the kernel's log of what is dropped; nil: nothing is logged.
  public var logPrefix: String?

  /// What both backends count.
  static let numbers = 1...10_000
}

extension SettingsReader {
  mutating func readSynLimit(_ value: Value) {
    guard let fields = Fields(value, "syn_limit", known: Keys.synLimit.names) else { return }
    guard let rate = fields["rate"] else {
      return value.fail("`syn_limit` has no `rate`", "write syn_limit: {rate: 30/s}")
    }
    guard let (count, unit) = Self.rate(rate) else { return }
    var limit = SynLimitSettings(
      rate: count, unit: unit, burst: min(2 * count, SynLimitSettings.numbers.upperBound), scope: .address)
    if let burst = fields["burst"]?.integer("burst", SynLimitSettings.numbers) { limit.burst = burst }
    if let scope = fields["per"]?.choice("per", SynLimitSettings.Scope.self) { limit.scope = scope }
    if let prefix = fields["log_prefix"] { limit.logPrefix = logPrefix(prefix) }
    settings.firewall.synLimit = limit
  }

  /// `30/s`; nil, and said, when it is none.
  private static func rate(_ value: Value) -> (Int, SynLimitSettings.Unit)? {
    guard let text = value.name("rate") else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let count = Int(parts[0]), SynLimitSettings.numbers.contains(count),
      let unit = SynLimitSettings.Unit(rawValue: String(parts[1]))
    else {
      value.fail(
        "`rate` is \(quoted(text)), which is no rate from 1 to 10000", "write for example 30/s, 100/m or 1000/h")
      return nil
    }
    return (count, unit)
  }

  /// iptables takes 29 bytes, in which quotes and backslashes mean something.
  private func logPrefix(_ value: Value) -> String? {
    guard let text = value.text("log_prefix") else { return nil }
    guard (1...29).contains(text.utf8.count),
      text.utf8.allSatisfy({ (32..<127).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
    else {
      value.fail(
        "`log_prefix` is \(quoted(text)), which the kernel does not take",
        "write 1 to 29 characters of ASCII without quotes and backslashes: \"PORTSCAN_BLOCKED: \"")
      return nil
    }
    return text
  }
}
