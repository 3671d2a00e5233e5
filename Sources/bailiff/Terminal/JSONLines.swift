import Model

/// A JSON value whose objects keep their order, so that a line reads the same every time. (Foundation's encoder sorts keys
/// or shuffles them.)
enum JSON {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  case array([JSON])
  case object([(String, JSON)])

  static func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

  static func number(_ value: some BinaryInteger) -> JSON { .int(Int64(clamping: value)) }

  /// RFC 3339 in UTC.
  static func time(_ instant: Instant?) -> JSON { .text(instant?.rfc3339()) }

  static func texts(_ values: [String]) -> JSON { .array(values.map(JSON.string)) }
}

extension JSON: CustomStringConvertible {
  /// One line.
  var description: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += "\(value)"
    case .double(let value): text += value.isFinite ? "\(value)" : "null"
    case .string(let value): Self.quote(value, &text)
    case .array(let values):
      text += "["
      for (i, value) in values.enumerated() {
        if i > 0 { text += "," }
        value.write(to: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (i, (key, value)) in members.enumerated() {
        if i > 0 { text += "," }
        Self.quote(key, &text)
        text += ":"
        value.write(to: &text)
      }
      text += "}"
    }
  }

  /// RFC 8259, section 7. What a terminal would act on is escaped too, since people look at JSON in terminals.
  private static func quote(_ value: String, _ text: inout String) {
    text += "\""
    defer { text += "\"" }
    // Most texts have nothing to escape.
    guard !value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) else {
      text += value
      return
    }
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where isUnprintable(scalar):
        for unit in UTF16.encode(scalar)! {
          let hex = String(unit, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
        }
      default: text.unicodeScalars.append(scalar)
      }
    }
  }
}

extension Output {
  /// One object, one line.
  mutating func json(_ members: [(String, JSON)]) { line(JSON.object(members).description) }
}
