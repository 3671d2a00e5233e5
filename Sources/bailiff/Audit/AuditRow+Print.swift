import AuditLog
import Model
import System

extension AuditRow {
  /// A failure has every key of the contract; what does not apply to the other kinds is left out. Rows that are told in the
  /// order of storing end with `after`.
  var members: [(String, JSON)] {
    ownMembers + (position.map { [("after", .string($0.description))] } ?? [])
  }

  private var ownMembers: [(String, JSON)] {
    var members: [(String, JSON)] = [("time", .time(time)), ("kind", .string(kind.rawValue))]
    if kind == .failure {
      members += [
        ("jail", .string(jail)), ("id", .string(id)), ("user", .string(user)), ("pattern", .string(pattern)),
        ("source", .string(source)), ("count", .number(count)), ("line", .string(line)), ("weight", .number(weight)),
        ("filter", .string(filter)), ("file", .string(filterFile)),
      ]
      if !rule.isEmpty {
        members += [("rule", .string(rule)), ("message", .string(message)), ("severity", .string(severity))]
      }
      if let offset { members.append(("offset", .number(offset))) }
      if let cursor { members.append(("cursor", .string(cursor))) }
      if let lastTime { members.append(("last_time", .time(lastTime))) }
      if let lastLine { members.append(("last_line", .string(lastLine))) }
      return members
    }
    members.append(("action", .string(action)))
    if !jail.isEmpty { members.append(("jail", .string(jail))) }
    if !id.isEmpty { members.append(("id", .string(id))) }
    if action == "ban" || action == "extend" {
      members += [("until", .time(until)), ("count", .number(count)), ("number", .number(banNumber))]
    }
    if !cause.isEmpty { members.append(("cause", .string(cause))) }
    if let uid { members.append(("uid", .number(uid))) }
    for (key, value) in [("command", command), ("subject", subject), ("detail", detail)] where !value.isEmpty {
      members.append((key, .string(value)))
    }
    return members
  }

  /// One line for people: the log line, or what was decided or done, and by whom.
  var story: String {
    if kind == .failure {
      return rule.isEmpty ? line : "rule \(rule)\(message.isEmpty ? "" : " (\(message))"): \(line)"
    }
    var parts: [String] = []
    switch action {
    case "ban", "extend": parts.append(until.map { "until \(LocalTime.text($0))" } ?? "for ever")
    case "unban": break
    default: parts += [action, subject, detail].filter { !$0.isEmpty }
    }
    if !cause.isEmpty, uid == nil { parts.append("by \(cause)") }
    if let uid { parts.append("by uid \(uid)" + (command.isEmpty ? "" : ": \(command)")) }
    return parts.joined(separator: " ")
  }

  static let csvHeader =
    "time,kind,action,jail,id,user,pattern,source,count,until,cause,uid,command,subject,detail,line,rule"

  /// RFC 4180, with what a spreadsheet would take for a formula defused.
  var csv: String {
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

/// The audit as a table, cut at a screenful of rows at a time so that a long one begins at once.
struct AuditTable {
  private static func new() -> Table {
    Table([
      .text("TIME"), .text("KIND"), .text("JAIL"), .text("ID"), .number("COUNT"), .rest("USER"), .rest("PATTERN"),
      .rest("WHAT"),
    ])
  }

  private var table = AuditTable.new()
  private(set) var rows = 0

  mutating func add(_ row: AuditRow) {
    rows += 1
    table.add([
      LocalTime.text(row.time), row.kind.rawValue, row.jail, row.id, row.count > 0 ? grouped(row.count) : "", row.user,
      row.pattern, row.story,
    ])
  }

  func print(to output: inout Output, on terminal: Terminal) { table.print(to: &output, on: terminal) }
}
