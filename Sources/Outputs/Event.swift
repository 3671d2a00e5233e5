internal import AuditLog
internal import Model
internal import Settings
internal import System

/// A row of the audit as an output sees it: what kind of news it is, and how grave.
struct Event: Sendable {
  typealias Kind = OutputSettings.Kind
  typealias Severity = OutputSettings.Severity

  var row: AuditRow
  var kinds: Set<Kind>
  var severity: Severity

  init(_ row: AuditRow) {
    self.row = row
    switch row.kind {
    case .failure: (kinds, severity) = ([.failure], .info)
    case .ban: (kinds, severity) = (row.cause == "operator" ? [.ban, .operator] : [.ban], .notice)
    case .unban: (kinds, severity) = (row.cause == "operator" ? [.unban, .operator] : [.unban], .info)
    case .operator:
      let (kind, severity) = Self.classified(row)
      (kinds, self.severity) = ([kind], severity)
    }
  }

  private static func classified(_ row: AuditRow) -> (Kind, Severity) {
    switch AuditEvent.Action(rawValue: row.action) {
    case .start, .dryRun: (.health, .info)
    case .stop, .updated: (.health, .notice)
    case .sourceRecovered, .warningCleared: (.health, .notice)
    case .warningRaised: (.health, isCritical(warning: row.subject) ? .critical : .warning)
    case .sourceFailed, .firewallRepaired, .patternQuarantined: (.health, .warning)
    case .shed, .storeSetAside, .storeGone: (.health, .critical)
    case .reload, .command, .retention, .listChanged: (.operator, .info)
    case .alert: (.alert, .warning)
    case .note: (.alert, .notice)
    case nil: (.operator, .info)
    }
  }

  /// Nobody is kept out, or nothing is recorded (docs/warnings.md).
  private static let criticalWarnings: Set<Warning.Code> = [.firewallNotEnforcing, .storeNotWriting]

  /// `firewall_not_enforcing`, or with what it is about: `firewall_not_enforcing INPUT`.
  private static func isCritical(warning name: String) -> Bool {
    name.split(separator: " ").first.flatMap { Warning.Code(rawValue: String($0)) }.map(criticalWarnings.contains)
      ?? false
  }

  /// Was it told before? A store that took another's place begins with the bans in force.
  var isRepetition: Bool { row.cause == "reconciled" }

  /// One sentence.
  var summary: String {
    let id = printable(row.id)
    let jail = row.jail.isEmpty ? "" : "[\(row.jail)] "
    switch row.kind {
    case .failure:
      let user = row.user.isEmpty ? "" : " as \(printable(row.user))"
      return "\(jail)\(counted(row.count, "failure")) of \(id)\(user): \(printable(row.line))"
    case .ban:
      let why =
        switch row.cause {
        case "operator": "by \(by)"
        case "escalated": "\(row.count) of its addresses were banned"
        default: counted(row.count, "failure")
        }
      let what = row.action == "extend" ? "ban extended" : "ban"
      return "\(jail)\(what) \(id) \(end), \(why)"
    case .unban: return "\(jail)unban \(id), " + (row.cause == "operator" ? "by \(by)" : "its time is over")
    case .operator:
      let who = row.uid == nil ? "" : ", by \(by)"
      let subject = row.subject.isEmpty ? "" : " \(printable(row.subject))"
      let detail = row.detail.isEmpty ? "" : ": \(printable(row.detail))"
      return "\(row.action)\(subject)\(detail)\(who)"
    }
  }

  private var end: String { row.until.map { "until \(LocalTime.text($0))" } ?? "permanently" }

  private var by: String {
    "uid \(row.uid.map { "\($0)" } ?? "?")" + (row.command.isEmpty ? "" : " (\(printable(row.command)))")
  }
}

extension Event {
  /// Does it end what an earlier event with the same `incident` began?
  var isEnd: Bool { ["warning-cleared", "source-recovered"].contains(row.action) }

  /// What it is about, in a form that stays the same while it lasts.
  var incident: String {
    switch row.kind {
    case .failure, .ban, .unban: "\(row.jail)/\(row.id)"
    case .operator where row.action.hasPrefix("warning-"): row.subject
    case .operator where row.action.hasPrefix("source-"): "source \(row.subject)"
    case .operator: "\(row.action) \(row.subject)"
    }
  }
}
