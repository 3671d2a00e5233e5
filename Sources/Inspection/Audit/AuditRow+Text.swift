public import AuditLog
internal import Model
internal import System

extension AuditRow {
  /// One line for people: the log line, or what was decided or done, and by whom.
  public var story: String {
    if kind == .failure {
      return rule.isEmpty ? line : "rule \(rule)\(message.isEmpty ? "" : " (\(message))"): \(line)"
    }
    var parts: [String] = []
    switch action {
    case "ban", "extend": parts.append(until.map { "until \(LocalTime.text($0))" } ?? "for ever")
    case "unban": break
    default: parts += [action, subject, detail].filter { !$0.isEmpty }
    }
    if !cause.isEmpty, uid == nil { parts.append("by \(cause)" + (cause == "fleet" ? ": \(command)" : "")) }
    if isDryRun { parts.append("(dry run)") }
    if let uid { parts.append("by uid \(uid)" + (command.isEmpty ? "" : ": \(command)")) }
    return parts.joined(separator: " ")
  }

  public static let csvHeader =
    "time,kind,action,jail,id,user,pattern,source,count,until,cause,uid,command,subject,detail,line,rule"

  /// RFC 4180, with what a spreadsheet would take for a formula defused.
  public var csv: String {
    [
      time.rfc3339(), kind.rawValue, action, jail, id, user, pattern, source, "\(count)", until?.rfc3339() ?? "", cause,
      uid.map { "\($0)" } ?? "", command, subject, detail, line, rule,
    ].map(Self.csvField).joined(separator: ",")
  }

  private static func csvField(_ text: String) -> String {
    var text = printable(text)
    if let first = text.first, "=+-@".contains(first) { text = "'" + text }
    return text.contains(where: { ",\"".contains($0) }) ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }
}
