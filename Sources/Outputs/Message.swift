internal import AuditLog
internal import JSON
internal import Model
internal import Settings
internal import System

/// What is sent at once: one event, or what has come together.
struct Message: Sendable {
  /// At least one.
  var events: [Event]
  var output: String
  var host: String
  private let line: MessageTemplate?
  private let heading: MessageTemplate?
  /// Is it only a trial?
  var isTest = false

  init(_ events: [Event], of settings: OutputSettings, host: String) {
    self.events = events
    self.host = host
    output = settings.name
    line = settings.text
    heading = settings.title
  }

  var severity: OutputSettings.Severity { events.map(\.severity).max() ?? .info }

  /// The same for the same events, so that a receiver can tell a repetition: where the last of them is in the audit.
  var key: String { events.last?.row.position?.description ?? "test" }

  var title: String {
    if events.count == 1 {
      if let heading { return render(heading, escaping: .none, about: events[0]) }
      return "\(host): \(isTest ? "a test of output \(output)" : events[0].summary)"
    }
    let counts = Dictionary(grouping: events, by: \.noun).mapValues(\.count)
    let parts = Event.nouns.compactMap { noun in counts[noun].map { counted($0, noun) } }
    return "\(host): \(parts.joined(separator: ", "))"
  }

  /// A line for each event. Where there are more characters than `limit`, the last line tells how many are left out.
  func text(limit: Int = .max) -> String {
    var lines: [String] = []
    var length = 0
    for (index, event) in events.enumerated() {
      let line = text(of: event)
      // Room for the last line.
      guard length + line.count + 1 + 40 <= limit || index == 0 else {
        lines.append("… and \(counted(events.count - index, "more", plural: "more"))")
        break
      }
      lines.append(index == 0 ? String(line.prefix(max(limit - 41, 1))) : line)
      length += line.count + 1
    }
    return lines.joined(separator: "\n")
  }

  func text(of event: Event) -> String { line.map { render($0, escaping: .none, about: event) } ?? event.summary }

  /// The rows as the audit prints them, in a list.
  var json: String { String(decoding: JSONOutput.line(of: events.map(\.row)), as: UTF8.self) }
}

extension Event {
  /// What a title counts, in its order.
  static let nouns = ["health event", "alert", "ban", "unban", "operator's act", "failure"]

  fileprivate var noun: String {
    switch row.kind {
    case .failure: "failure"
    case .ban: "ban"
    case .unban: "unban"
    case .operator: kinds.contains(.health) ? "health event" : kinds.contains(.alert) ? "alert" : "operator's act"
    }
  }
}
