internal import SQLite

/// A rule of a web application firewall, with what the first line that it was met in says of it.
public struct WAFRule: Hashable, Sendable {
  public var id: String
  public var message: String
  public var severity: String

  public init(id: String, message: String, severity: String) {
    self.id = id
    self.message = message
    self.severity = severity
  }
}

/// What rules say, by what the first line that names one says of it.
enum RuleTable {
  /// Stores what `line` says of a rule, unless an earlier one did. A line that was cut before the message leaves it to the next.
  static func store(_ id: [UInt8], of line: borrowing Span<UInt8>, _ db: Database) throws {
    let rule = RuleText.rule(String(decoding: id, as: UTF8.self), in: line)
    try db.run(
      """
      INSERT INTO rule (rule, message, severity) VALUES (?,?,?)
      ON CONFLICT DO UPDATE SET message = excluded.message, severity = excluded.severity WHERE rule.message = ''
      """, rule.id, rule.message, rule.severity)
  }

  static func load(_ db: Database) throws -> [String: WAFRule] {
    var rules: [String: WAFRule] = [:]
    let rows = try db.rows("SELECT rule, message, severity FROM rule")
    while let row = try rows.next() { rules[row[0]] = WAFRule(id: row[0], message: row[1], severity: row[2]) }
    return rules
  }
}

/// What a line of a web application firewall says of a rule, as ModSecurity and Coraza write it: `[id "942100"] … [msg "SQL
/// Injection"] … [severity "CRITICAL"]`, or `"ruleId":"942100"` and `"id":942100` in JSON.
enum RuleText {
  static func rule(_ id: String, in line: borrowing Span<UInt8>) -> WAFRule {
    // In JSON the quotes are escaped.
    let plain = (0..<line.count).map { line[$0] }.filter { $0 != UInt8(ascii: "\\") }
    let needles = ["[id \"\(id)\"]", "\"ruleId\":\"\(id)\"", "\"id\":\(id),"]
    for (i, needle) in needles.enumerated() {
      guard let at = find(needle, in: plain, from: 0) else { continue }
      let message: String?
      let severity: String?
      switch i {
      case 0:
        message = value("[msg \"", in: plain, from: at)
        severity = value("[severity \"", in: plain, from: at)
      case 1:
        // The message precedes the details that the id is in.
        message = lastValue("\"message\":\"", in: plain, before: at)
        severity = value("\"severity\":\"", in: plain, from: at)
      default:
        message = value("\"msg\":\"", in: plain, from: at)
        severity = value("\"severity\":", in: plain, from: at)
      }
      return WAFRule(id: id, message: message ?? "", severity: name(severity ?? ""))
    }
    return WAFRule(id: id, message: "", severity: "")
  }

  /// Syslog's names for its numbers, which libmodsecurity and Coraza's audit log write.
  private static func name(_ severity: String) -> String {
    let names = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]
    if let number = Int(severity), names.indices.contains(number) { return names[number] }
    return severity.lowercased()
  }

  private static func find(_ needle: String, in text: [UInt8], from start: Int) -> Int? {
    let needle = Array(needle.utf8)
    guard text.count >= needle.count, start <= text.count - needle.count else { return nil }
    return (start...text.count - needle.count).first { text[$0..<$0 + needle.count].elementsEqual(needle) }
  }

  private static func value(_ key: String, in text: [UInt8], from start: Int) -> String? {
    guard let at = find(key, in: text, from: start) else { return nil }
    let ends = key.hasSuffix("\"") ? Array("\"".utf8) : Array(",}".utf8)
    return String(
      decoding: text[(at + key.utf8.count)...].prefix(200).prefix { !ends.contains($0) }, as: UTF8.self)
  }

  private static func lastValue(_ key: String, in text: [UInt8], before end: Int) -> String? {
    var found: Int?
    var from = 0
    while let at = find(key, in: Array(text[..<end]), from: from) { (found, from) = (at, at + 1) }
    return found.flatMap { value(key, in: text, from: $0) }
  }
}
