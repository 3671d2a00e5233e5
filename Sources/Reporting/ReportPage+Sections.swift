internal import AuditLog
internal import Inspection
internal import Model
internal import System

/// What it comes to, and what a person should look at.
extension ReportPage {
  /// A sentence a line.
  var summary: [String] {
    var lines = [
      "\(counted(jails.total, "failure")) of \(counted(addresses.distinct, "address", plural: "addresses")), \(change).",
      "\(counted(data.banCount, "ban")) of \(counted(data.bannedIDs, "id")); \(grouped(data.lifted)) lifted by hand, \(grouped(data.permanent)) permanent.",
    ]
    if let most = kinds.entries.first {
      lines.append("Tried most: \(most.name) (\(counted(most.failures, "failure"))).")
    }
    if rules.total > 0 {
      lines.append("Web application firewalls: \(counted(rules.total, "hit")) of \(counted(rules.distinct, "rule")).")
    }
    if let logins = activity.counts.first(where: { $0.event == .login }) {
      lines.append("\(counted(logins.count, "login")) of \(counted(activity.accounts.count, "account")).")
    }
    lines.append(
      "\(counted(activity.alerts.count, "alert")), \(counted(acts.warnings.count, "warning")) of the daemon, \(counted(acts.peopleCount, "act")) of operators."
    )
    if let posture {
      let failed = posture.checks.count { $0.state == .failed }
      lines.append("Posture: \(posture.score) of 100\(scoreChange); \(counted(failed, "check")) not met.")
    }
    return lines
  }

  private var change: String {
    guard failuresBefore > 0 else { return "none in as long a time before" }
    let percent = (jails.total - failuresBefore) * 100 / failuresBefore
    switch percent {
    case 0: return "as many as in as long a time before"
    case 1...: return "\(grouped(percent)) % more than in as long a time before"
    default: return "\(grouped(-percent)) % fewer than in as long a time before"
    }
  }

  /// Against the last score before the report's time, or the first one in it.
  private var scoreChange: String {
    guard let posture, let before = posture.history.last(where: { $0.time < since }) ?? posture.history.first else {
      return ""
    }
    return ", \(before.score) on \(day(before.time))"
  }

  var findings: String {
    let alerts = activity.alerts.map { [LocalTime.text($0.time), $0.kind.rawValue, $0.text] }
    let warnings = acts.warnings.map { [LocalTime.text($0.time), $0.subject, $0.detail] }
    let checks = (posture?.checks ?? []).filter { $0.state == .failed }.map {
      [day(made), "posture: \($0.check.rawValue)", $0.evidence + ($0.remedy.map { " Mend it: \($0)" } ?? "")]
    }
    let rows = alerts.prefix(40) + warnings.prefix(20) + checks
    guard !rows.isEmpty else { return "<p class=\"none\">nothing that a person should look at</p>" }
    let more = alerts.count + warnings.count + checks.count - rows.count
    return table(Array(rows), head: ["time", "what", "detail"])
      + (more > 0
        ? "<p class=\"caption\">and \(counted(more, "more", plural: "more")): bailiff alerts, bailiff audit --kind operator</p>"
        : "")
  }

  var activitySection: String {
    guard !activity.counts.isEmpty else { return "<p class=\"none\">none</p>" }
    let counts = activity.counts.map { "\(counted($0.count, $0.event.rawValue))" }.joined(separator: ", ")
    let accounts = activity.accounts.prefix(20).map { account in
      [
        account.name, grouped(account.logins), counted(account.addresses.count, "address", plural: "addresses"),
        LocalTime.text(account.last),
      ]
    }
    return "<p>\(activity.isCut ? "At least " : "")\(HTML.escape(counts)).</p>"
      + (accounts.isEmpty ? "" : table(Array(accounts), head: ["account", "logins", "from", "last"]))
  }

  func rows(_ rows: [AuditRow], of count: Int) -> String {
    guard !rows.isEmpty else { return "<p class=\"none\">none</p>" }
    let listed = table(
      rows.map { [LocalTime.text($0.time), $0.id.isEmpty ? $0.action : "\($0.action) \($0.id)", $0.story] },
      head: ["time", "what", "detail"])
    return listed
      + (count > rows.count
        ? "<p class=\"caption\">the newest \(rows.count) of \(grouped(count))</p>" : "")
  }

  var postureSection: String {
    guard let posture else { return "" }
    let checks = posture.checks.filter { $0.state != .notApplicable }.map { check in
      [
        check.check.rawValue, check.state == .ok ? "met" : check.state == .failed ? "not met" : "accepted",
        check.evidence + (check.reason.map { " Accepted: \($0)" } ?? ""),
      ]
    }
    let history = posture.history.filter { $0.time >= since && $0.time < until }
    let scores = history.map { "\(day($0.time)): \($0.score)" }.joined(separator: ", ")
    return section(
      "Posture: \(posture.score) of 100\(scoreChange)",
      table(checks, head: ["check", "state", "what was seen when this was made"])
        + (scores.isEmpty ? "" : "<p class=\"caption\">scores of these days: \(HTML.escape(scores))</p>"))
  }

  var chainSection: String {
    guard let checkpoint else { return "" }
    return section(
      "The record",
      """
      <p>The audit's chain ended at this checkpoint when the report was made:</p><p class="code">\(HTML.escape(checkpoint.checkpoint))</p>
      <p class="caption">Kept elsewhere, it proves later that nothing before it was changed or removed: bailiff audit verify --checkpoint CHECKPOINT</p>
      """)
  }
}
