internal import Model
internal import System

/// JSON as it is written: values appended to bytes (RFC 8259).
public struct JSONText: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  public mutating func endLine() { append(UInt8(ascii: "\n")) }

  mutating func append(_ byte: UInt8) { bytes.append(byte) }

  mutating func append(raw text: StaticString) {
    // Safe: a static string's pointer is valid as long as the program.
    unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func append(_ value: Bool) { append(raw: value ? "true" : "false") }

  mutating func append(_ value: some BinaryInteger) { bytes.append(contentsOf: String(value).utf8) }

  /// What JSON has no number for is null.
  mutating func append(_ value: Double) {
    if value.isFinite { bytes.append(contentsOf: "\(value)".utf8) } else { append(raw: "null") }
  }

  /// RFC 3339 in UTC.
  mutating func append(_ value: Instant) {
    append(UInt8(ascii: "\""))
    bytes.append(rfc3339: value)
    append(UInt8(ascii: "\""))
  }

  /// A text in quotes (section 7). What a terminal would act on is escaped too, since people look at JSON in terminals.
  mutating func append(_ value: String) {
    append(UInt8(ascii: "\""))
    let text = value.utf8.span
    // Most texts have nothing to escape.
    if Self.isPlain(text) {
      for i in text.indices { bytes.append(text[i]) }
    } else {
      for scalar in value.unicodeScalars { appendEscaped(scalar) }
    }
    append(UInt8(ascii: "\""))
  }

  private mutating func appendEscaped(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "\"": append(raw: "\\\"")
    case "\\": append(raw: "\\\\")
    case "\n": append(raw: "\\n")
    case "\r": append(raw: "\\r")
    case "\t": append(raw: "\\t")
    case _ where isUnprintable(scalar):
      for unit in String(scalar).utf16 {
        let hex = String(unit, radix: 16)
        append(raw: "\\u")
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 4 - hex.utf8.count))
        bytes.append(contentsOf: hex.utf8)
      }
    default: bytes.append(contentsOf: String(scalar).utf8)
    }
  }

  /// A member's name: `bansEver` becomes `bans_ever`, `endUID` `end_uid`.
  mutating func append(name: String) {
    append(UInt8(ascii: "\""))
    var wasUpper = true
    for byte in name.utf8 {
      let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
      if isUpper, !wasUpper { append(UInt8(ascii: "_")) }
      append(isUpper ? byte | 0x20 : byte)
      wasUpper = isUpper
    }
    append(UInt8(ascii: "\""))
    append(UInt8(ascii: ":"))
  }

  private static func isPlain(_ text: borrowing Span<UInt8>) -> Bool {
    for i in text.indices {
      let byte = text[i]
      guard byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return false }
    }
    return true
  }
}
