/// Strings of JSON (RFC 8259 section 7).
enum JSONText {
  /// Where the string ends that begins behind its quote at `start`, and whether it has escapes. Every escape must be one that
  /// there is, and surrogates come in pairs; bytes above 0x7F are taken as they are, since servers log what clients send.
  static func end(_ text: borrowing Span<UInt8>, from start: Int) throws(Unread) -> (end: Int, isEscaped: Bool) {
    var at = start
    var isEscaped = false
    while true {
      at = firstSpecial(text, from: at)
      guard at < text.count else { throw .unbelieved }
      switch text[at] {
      case UInt8(ascii: "\""): return (at, isEscaped)
      case UInt8(ascii: "\\"):
        isEscaped = true
        at = try escapeEnd(text, at)
      default: throw .unbelieved  // a control character
      }
    }
  }

  /// The first quote, backslash or control character at or after `start`; the end, when there is none.
  static func firstSpecial(_ text: borrowing Span<UInt8>, from start: Int) -> Int {
    var at = start
    while at + 8 <= text.count {
      // Safe: eight bytes at `at` lie in the span, and any bytes are a UInt64.
      let word = unsafe text.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self)
      // The lowest high bit that is set is the first byte below 0x20, or equal to a quote or a backslash: borrows only
      // reach bytes above it.
      let ones: UInt64 = 0x0101_0101_0101_0101
      let quotes = word ^ (ones &* 0x22)
      let slashes = word ^ (ones &* 0x5C)
      let found =
        ((word &- ones &* 0x20) & ~word | (quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes) & (ones &* 0x80)
      if found != 0 { return at + UInt64(littleEndian: found).trailingZeroBitCount >> 3 }
      at += 8
    }
    while at < text.count {
      let byte = text[at]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return at }
      at += 1
    }
    return at
  }

  /// Behind the escape that begins at `at`.
  private static func escapeEnd(_ text: borrowing Span<UInt8>, _ at: Int) throws(Unread) -> Int {
    guard at + 1 < text.count else { throw .unbelieved }
    switch text[at + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return at + 2
    case UInt8(ascii: "u"): break
    default: throw .unbelieved
    }
    guard let unit = unit(text, at + 2) else { throw .unbelieved }
    switch unit {
    case 0xD800..<0xDC00:
      guard at + 7 < text.count, text[at + 6] == UInt8(ascii: "\\"), text[at + 7] == UInt8(ascii: "u"),
        let low = self.unit(text, at + 8), 0xDC00..<0xE000 ~= low
      else { throw .unbelieved }
      return at + 12
    case 0xDC00..<0xE000: throw .unbelieved
    default: return at + 6
    }
  }

  /// Four hexadecimal digits.
  static func unit(_ text: borrowing Span<UInt8>, _ at: Int) -> UInt32? {
    guard at + 4 <= text.count else { return nil }
    var value: UInt32 = 0
    for i in at..<at + 4 {
      guard let digit = hexDigit(text[i]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// Appends the text that a string's content means. The string has been checked.
  static func unescape(_ text: borrowing Span<UInt8>, _ range: Range<Int>, into out: inout [UInt8]) {
    var at = range.lowerBound
    while at < range.upperBound {
      let next = min(firstSpecial(text, from: at), range.upperBound)
      out.append(text, at..<next)
      guard next + 1 < range.upperBound else { return }
      switch text[next + 1] {
      case UInt8(ascii: "b"): out.append(8)
      case UInt8(ascii: "f"): out.append(12)
      case UInt8(ascii: "n"): out.append(10)
      case UInt8(ascii: "r"): out.append(13)
      case UInt8(ascii: "t"): out.append(9)
      case UInt8(ascii: "u"):
        guard var scalar = unit(text, next + 2) else { return }
        at = next + 6
        if 0xD800..<0xDC00 ~= scalar, let low = unit(text, next + 8) {
          scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
          at = next + 12
        }
        out.append(scalar: scalar)
        continue
      default: out.append(text[next + 1])
      }
      at = next + 2
    }
  }
}

func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}

extension Array where Element == UInt8 {
  /// Appends a Unicode scalar as UTF-8.
  package mutating func append(scalar: UInt32) {
    switch scalar {
    case 0..<0x80: append(UInt8(scalar))
    case 0x80..<0x800:
      append(UInt8(0xC0 | scalar >> 6))
      append(UInt8(0x80 | scalar & 0x3F))
    case 0x800..<0x10000:
      append(UInt8(0xE0 | scalar >> 12))
      append(UInt8(0x80 | scalar >> 6 & 0x3F))
      append(UInt8(0x80 | scalar & 0x3F))
    default:
      append(UInt8(0xF0 | scalar >> 18))
      append(UInt8(0x80 | scalar >> 12 & 0x3F))
      append(UInt8(0x80 | scalar >> 6 & 0x3F))
      append(UInt8(0x80 | scalar & 0x3F))
    }
  }
}
