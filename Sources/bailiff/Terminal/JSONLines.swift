import Model
import System

/// A JSON value whose objects keep their order, so that a line reads the same every time. (Foundation's encoder sorts keys
/// or shuffles them.)
enum JSON {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  /// RFC 3339 in UTC.
  case instant(Instant)
  case array([JSON])
  case object([(String, JSON)])

  static func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

  static func number(_ value: some BinaryInteger) -> JSON { .int(Int64(clamping: value)) }

  static func time(_ instant: Instant?) -> JSON { instant.map(JSON.instant) ?? .null }

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
    case .instant(let value):
      bytes.append(UInt8(ascii: "\""))
      bytes.append(rfc3339: value)
      bytes.append(UInt8(ascii: "\""))
    case .array(let values):
      bytes.append(UInt8(ascii: "["))
      for (i, value) in values.enumerated() {
        if i > 0 { bytes.append(UInt8(ascii: ",")) }
        value.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for (i, (key, value)) in members.enumerated() {
        if i > 0 { bytes.append(UInt8(ascii: ",")) }
        Self.quote(key, &bytes)
        bytes.append(UInt8(ascii: ":"))
        value.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  /// RFC 8259, section 7. What a terminal would act on is escaped too, since people look at JSON in terminals.
  private static func quote(_ value: String, _ bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    defer { bytes.append(UInt8(ascii: "\"")) }
    let text = value.utf8.span
    // Most texts have nothing to escape.
    if isPlain(text) {
      for i in text.indices { bytes.append(text[i]) }
      return
    }
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

  private static func isPlain(_ text: borrowing Span<UInt8>) -> Bool {
    for i in text.indices {
      let byte = text[i]
      guard byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return false }
    }
    return true
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
