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
    var bytes: [UInt8] = []
    write(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Bytes rather than a String: a replay prints a line a decision.
  fileprivate func write(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes.append("null")
    case .bool(let value): bytes.append(value ? "true" : "false")
    case .int(let value): bytes.append(String(value))
    case .double(let value): bytes.append(value.isFinite ? "\(value)" : "null")
    case .string(let value): Self.quote(value, &bytes)
    case .array(let values):
      bytes.append("[")
      for (i, value) in values.enumerated() {
        if i > 0 { bytes.append(",") }
        value.write(to: &bytes)
      }
      bytes.append("]")
    case .object(let members):
      bytes.append("{")
      for (i, (key, value)) in members.enumerated() {
        if i > 0 { bytes.append(",") }
        Self.quote(key, &bytes)
        bytes.append(":")
        value.write(to: &bytes)
      }
      bytes.append("}")
    }
  }

  /// RFC 8259, section 7. What a terminal would act on is escaped too, since people look at JSON in terminals.
  private static func quote(_ value: String, _ bytes: inout [UInt8]) {
    bytes.append("\"")
    defer { bytes.append("\"") }
    let start = bytes.count
    bytes.append(value)
    // Most texts have nothing to escape.
    guard !bytes[start...].allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) else { return }
    bytes.removeSubrange(start...)
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": bytes.append("\\\"")
      case "\\": bytes.append("\\\\")
      case "\n": bytes.append("\\n")
      case "\r": bytes.append("\\r")
      case "\t": bytes.append("\\t")
      case _ where isUnprintable(scalar):
        for unit in UTF16.encode(scalar)! {
          let hex = String(unit, radix: 16)
          bytes.append("\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex)
        }
      default: bytes.append(contentsOf: UTF8.encode(scalar)!)
      }
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ text: String) { append(contentsOf: text.utf8) }
}

extension Output {
  /// One object, one line.
  mutating func json(_ members: [(String, JSON)]) {
    writeLine { JSON.object(members).write(to: &$0) }
  }
}
