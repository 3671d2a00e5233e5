internal import AuditLog
internal import JSON
internal import Model
internal import Settings
internal import System

/// A program that is run for each message: the facts are in its environment and, as JSON, a row a line, on its standard input.
struct ProgramOutput: Destination {
  let settings: ProgramSettings

  var batch: Int { 1 }
  // A digest is one run with several rows.
  var isForPeople: Bool { true }
  var parallel: Int { settings.parallel }

  func deliver(_ message: Message) throws(DeliveryError) -> String {
    let program = Program(
      path: settings.command[0], arguments: Array(settings.command.dropFirst()), environment: Self.environment(message))
    var input = JSONText()
    for event in message.events {
      JSONOutput.append(event.row, to: &input)
      input.endLine()
    }
    let result: Program.Result
    do {
      result = try program.run(
        input: String(decoding: input.bytes, as: UTF8.self), deadline: Double(settings.timeout.microseconds) / 1e6)
    } catch { throw .unreachable("\(error)") }
    let said = printable(String((result.errors.isEmpty ? result.output : result.errors).prefix(200)).trimmed)
    let status = "\(program.name) ended with \(result.status)\(said.isEmpty ? "" : ": \(said)")"
    // A status of its own choice rejects, what a signal or a shell would say (126 and above, EX_TEMPFAIL) may pass.
    guard result.status == 0 else {
      throw result.status == 75 || result.status >= 126 ? .unreachable(status) : .rejected(status)
    }
    return status
  }

  /// `BAILIFF_ID=192.0.2.7` and so on, of the first event; control characters are escaped, and a name cannot be taken for an
  /// option, since nothing of it becomes an argument.
  static func environment(_ message: Message) -> [String] {
    let event = message.events[0]
    let row = event.row
    let facts: [(String, String)] = [
      ("HOST", message.host), ("OUTPUT", message.output), ("TITLE", message.title),
      ("COUNT", "\(message.events.count)"),
      ("SEVERITY", message.severity.rawValue), ("KIND", row.kind.rawValue), ("ACTION", row.action), ("JAIL", row.jail),
      ("ID", row.id), ("TIME", row.time.rfc3339()), ("UNTIL", row.until?.rfc3339() ?? ""),
      ("FAILURES", "\(row.count)"), ("NUMBER", "\(row.banNumber)"), ("CAUSE", row.cause), ("USER", row.user),
      ("PATTERN", row.pattern), ("LINE", row.line), ("SUBJECT", row.subject), ("DETAIL", row.detail),
      ("COMMAND", row.command), ("TEST", message.isTest ? "1" : ""),
    ]
    return Program.environment + facts.filter { !$0.1.isEmpty }.map { "BAILIFF_\($0.0)=\(printable($0.1))" }
  }
}

extension String {
  /// Without white space around it.
  var trimmed: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else {
      return ""
    }
    return String(self[first...last])
  }
}
