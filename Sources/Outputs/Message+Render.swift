internal import AuditLog
internal import JSON
internal import Model
internal import Settings
internal import System

extension Message {
  /// How a name's value is written into a template.
  enum Escaping {
    case none
    /// Inside a JSON string.
    case json
  }

  /// Fills in a template. What attackers wrote reaches it without control characters.
  func render(_ template: MessageTemplate, escaping: Escaping, about event: Event? = nil) -> String {
    var result = ""
    for part in template.parts {
      switch part {
      case .text(let text): result += text
      case .field(.events): result += json
      case .field(let field):
        let value = value(field, event ?? events[0])
        result += escaping == .json ? Self.escaped(value) : value
      }
    }
    return result
  }

  private func value(_ field: MessageTemplate.Field, _ event: Event) -> String {
    let row = event.row
    switch field {
    case .id: return printable(row.id)
    case .jail: return row.jail
    case .kind: return row.kind.rawValue
    case .action: return row.action
    case .time: return row.time.rfc3339()
    case .until: return row.until?.rfc3339() ?? (row.kind == .ban ? "permanent" : "")
    case .duration: return row.until.map { $0.since(row.time).brief } ?? (row.kind == .ban ? "permanent" : "")
    case .failures: return "\(row.count)"
    case .number: return "\(row.banNumber)"
    case .cause: return row.cause
    case .user: return printable(row.user)
    case .pattern: return row.pattern
    case .line: return printable(row.line)
    case .subject: return printable(row.subject)
    case .detail: return printable(row.detail)
    case .command: return printable(row.command)
    case .uid: return row.uid.map { "\($0)" } ?? ""
    case .summary: return event.summary
    case .text: return text()
    case .title: return title
    case .events: return json
    case .count: return "\(events.count)"
    case .severity: return (events.count == 1 ? event.severity : severity).rawValue
    case .host: return host
    case .output: return output
    }
  }

  /// As it is inside the quotes of a JSON string.
  private static func escaped(_ text: String) -> String {
    String(decoding: JSONOutput.line(of: text).dropFirst().dropLast(), as: UTF8.self)
  }
}
