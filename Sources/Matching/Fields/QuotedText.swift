/// Texts with backslashes, as Go's strconv.Quote writes them, which has all that other loggers use: `\n`, `\"`, `\x7f`,
/// `\u00e9`, `\U0001f600`.
enum QuotedText {
  static func unescape(_ line: borrowing Span<UInt8>, _ range: Range<Int>, into text: inout [UInt8]) {
    var at = range.lowerBound
    while at < range.upperBound {
      let byte = line[at]
      at += 1
      guard byte == UInt8(ascii: "\\"), at < range.upperBound else {
        text.append(byte)
        continue
      }
      let escape = line[at]
      at += 1
      switch escape {
      case UInt8(ascii: "n"): text.append(10)
      case UInt8(ascii: "t"): text.append(9)
      case UInt8(ascii: "r"): text.append(13)
      case UInt8(ascii: "a"): text.append(7)
      case UInt8(ascii: "b"): text.append(8)
      case UInt8(ascii: "f"): text.append(12)
      case UInt8(ascii: "v"): text.append(11)
      case UInt8(ascii: "x"): number(line, &at, range.upperBound, digits: 2, isByte: true, escape, &text)
      case UInt8(ascii: "u"): number(line, &at, range.upperBound, digits: 4, isByte: false, escape, &text)
      case UInt8(ascii: "U"): number(line, &at, range.upperBound, digits: 8, isByte: false, escape, &text)
      default: text.append(escape)
      }
    }
  }

  /// A byte or a character by its number; what is none is left as it is written.
  private static func number(
    _ line: borrowing Span<UInt8>, _ at: inout Int, _ end: Int, digits: Int, isByte: Bool, _ escape: UInt8,
    _ text: inout [UInt8]
  ) {
    var value: UInt32 = 0
    var isNumber = at + digits <= end
    for index in at..<min(at + digits, end) {
      guard let digit = hexDigit(line[index]) else {
        isNumber = false
        break
      }
      value = value << 4 | UInt32(digit)
    }
    guard isNumber, isByte || Unicode.Scalar(value) != nil else {
      text.append(UInt8(ascii: "\\"))
      text.append(escape)
      return
    }
    at += digits
    if isByte { text.append(UInt8(value)) } else { text.append(scalar: value) }
  }
}
