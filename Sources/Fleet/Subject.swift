internal import Model
internal import Settings

/// The names of what goes over NATS. Permissions are given by subject, so what a server says of itself stands there: its name and
/// its site are what the NATS server lets it publish to, not what it writes.
enum Subject {
  /// What servers and operators tell, in one order: the aggregators read this and nothing else.
  static let input = "BL_FAIL"
  static let inputSubjects = ["bl.fail.*.*", "bl.order.*"]
  /// What was decided: the last word about each id.
  static let live = "BL_LIVE"
  static let liveSubjects = "bl.live.*.*"

  static func failures(_ settings: FleetSettings) -> String { "bl.fail.\(settings.site).\(settings.name)" }

  static func order(by name: String) -> String { "bl.order.\(name)" }

  /// Site and name of who published; nil: it is none of `failures`.
  static func sender(_ subject: String) -> (site: Substring, name: Substring)? {
    let parts = subject.split(separator: ".")
    guard parts.count == 4, parts[0] == "bl", parts[1] == "fail" else { return nil }
    return (parts[2], parts[3])
  }

  /// Names of jails have dots, which would part subjects.
  static func decision(jail: String, _ subnet: Subnet) -> String {
    "bl.live.\(jail.replacing(".", with: ":")).\(id(subnet))"
  }

  /// In place of a jail's name.
  static let everyJail = "!all"

  /// No jail can be called so.
  static func allowance(_ subnet: Subnet) -> String { "bl.live.!allow.\(id(subnet))" }

  static func id(_ subnet: Subnet) -> String {
    let digits = String(subnet.base.bits, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits + "-\(subnet.length)"
  }

  static func inbox(_ settings: FleetSettings) -> String { "_INBOX_\(settings.site)_\(settings.name)" }
}
