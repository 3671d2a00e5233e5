internal import AuditLog
internal import Glibc
internal import JSON
internal import Model
internal import Settings
internal import System

extension OutputFormat {
  /// An event as a line, without its line end; nil where the format has no line for it.
  func line(_ event: Event, of message: Message) -> String? {
    switch self {
    case .json: String(decoding: JSONOutput.line(of: event.row), as: UTF8.self)
    case .fail2ban: Fail2banLine(event.row)?.text
    case .text: message.text(of: event)
    }
  }
}

/// A row as fail2ban 1.0 logs it, for what reads that: its own `recidive` filter, dashboards, scripts.
struct Fail2banLine {
  /// `fail2ban.actions`
  var component: String
  var level: String
  var message: String
  var time: Instant

  /// Nil for what fail2ban has no line for.
  init?(_ row: AuditRow) {
    time = row.time
    (component, level) = ("fail2ban.actions", "NOTICE")
    let id = printable(row.id)
    switch row.action {
    case "failure":
      (component, level) = ("fail2ban.filter", "INFO")
      message = "[\(row.jail)] Found \(id) - \(Self.stamp(row.time))"
    case "ban": message = "[\(row.jail)] \(row.cause == "reconciled" ? "Restore Ban" : "Ban") \(id)"
    case "unban": message = "[\(row.jail)] Unban \(id)"
    default: return nil
    }
  }

  /// As in fail2ban.log: `2026-11-28 15:28:18,123 fail2ban.actions        [812]: NOTICE  [sshd] Ban 192.0.2.1`.
  var text: String {
    let fraction = String(1000 + (time.microseconds % 1_000_000 + 1_000_000) % 1_000_000 / 1000).dropFirst()
    return
      "\(Self.stamp(time)),\(fraction) \(Self.padded(component, 24))[\(getpid())]: \(Self.padded(level, 7)) \(message)"
  }

  /// What it logs where its target is syslog, behind the header.
  var syslogText: String { "\(level) \(message)" }

  private static func stamp(_ time: Instant) -> String {
    let local = CivilTime(time, offset: TimeZoneRules.local.offset(at: time))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return
      "\(local.year)-\(two(local.month))-\(two(local.day)) \(two(local.hour)):\(two(local.minute)):\(two(local.second))"
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.utf8.count))
  }
}
