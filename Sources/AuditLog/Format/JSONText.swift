/// Texts inside JSON, as RFC 8259 has them and SQLite reads them.
enum JSONText {
  /// Can it be a JSON text: UTF-8 without NUL, which SQLite would end it at?
  static func canHold(_ bytes: borrowing Span<UInt8>) -> Bool { UTF8Check.isText(bytes) }

  /// At most so many bytes for each of a text, and for the quotes.
  static let expansion = 6

  /// Is it written as it is?
  static func isPlain(_ bytes: borrowing Span<UInt8>) -> Bool {
    for i in 0..<bytes.count where isEscaped(bytes[i]) || bytes[i] >= 0x80 { return false }
    return true
  }

  private static func isEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  /// With its quotes; `prefix` comes first inside them.
  static func append(
    _ bytes: borrowing Span<UInt8>, prefix: UInt8? = nil, to out: inout OutputSpan<UInt8>
  ) {
    out.append(UInt8(ascii: "\""))
    if let prefix { out.append(prefix) }
    for i in 0..<bytes.count {
      let byte = bytes[i]
      guard isEscaped(byte) else {
        out.append(byte)
        continue
      }
      out.append(UInt8(ascii: "\\"))
      if byte >= 0x20 {
        out.append(byte)
      } else {
        out.append(UInt8(ascii: "u"))
        out.append(UInt8(ascii: "0"))
        out.append(UInt8(ascii: "0"))
        out.append(UInt8(ascii: "0") + byte >> 4)
        out.append(byte & 15 < 10 ? UInt8(ascii: "0") + byte & 15 : UInt8(ascii: "a") + byte & 15 - 10)
      }
    }
    out.append(UInt8(ascii: "\""))
  }

  /// What is between the quotes, as it was; nil for an escape that `append` does not write.
  static func unescape(_ bytes: borrowing Span<UInt8>, to text: inout [UInt8]) -> Bool {
    var i = 0
    while i < bytes.count {
      guard bytes[i] == UInt8(ascii: "\\") else {
        text.append(bytes[i])
        i += 1
        continue
      }
      guard i + 1 < bytes.count else { return false }
      guard bytes[i + 1] == UInt8(ascii: "u") else {
        text.append(bytes[i + 1])
        i += 2
        continue
      }
      guard i + 5 < bytes.count, let high = hex(bytes[i + 4]), let low = hex(bytes[i + 5]) else { return false }
      text.append(high << 4 | low)
      i += 6
    }
    return true
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
