/// Numbers as logs write them.
enum NumberText {
  /// The greatest whole number that is not above this decimal number (`401`, `-0.5`, `1.5e3`), held to what an `Int` can say;
  /// nil where the text is none. A whole number `n` is at most the number itself exactly when it is at most this one.
  /// With `shift`, of ten to its power times the number.
  static func floor(_ text: borrowing Span<UInt8>, shiftedBy shift: Int = 0) -> Int? {
    var at = 0
    let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
    if isNegative { at = 1 }
    let whole = digits(text, at)
    guard !whole.isEmpty else { return nil }
    at = whole.upperBound
    var fraction = at..<at
    if at < text.count, text[at] == UInt8(ascii: ".") {
      fraction = digits(text, at + 1)
      guard !fraction.isEmpty else { return nil }
      at = fraction.upperBound
    }
    guard let exponent = exponent(text, at) else { return nil }
    // Whole digits, then fraction digits, with the point moved by the exponent.
    let count = whole.count + fraction.count
    let point = whole.count + exponent + shift
    var value = 0
    var hasRest = false
    for i in 0..<count {
      let digit = Int(
        text[i < whole.count ? whole.lowerBound + i : fraction.lowerBound + i - whole.count] - UInt8(ascii: "0"))
      if i < point {
        value = saturating(value, digit)
      } else if digit > 0 {
        hasRest = true
      }
    }
    if value > 0, point > count { for _ in 0..<min(point - count, 20) { value = saturating(value, 0) } }
    guard isNegative else { return value }
    return hasRest && value < Int.max ? -value - 1 : -value
  }

  private static func saturating(_ value: Int, _ digit: Int) -> Int {
    let (product, overflows) = value.multipliedReportingOverflow(by: 10)
    let (sum, carries) = product.addingReportingOverflow(digit)
    return overflows || carries ? Int.max : sum
  }

  private static func digits(_ text: borrowing Span<UInt8>, _ start: Int) -> Range<Int> {
    var end = start
    while end < text.count, isDigit(text[end]) { end += 1 }
    return start..<max(start, end)
  }

  /// What follows `e`, held to ±10,000; 0 at the end of the text, nil for anything else.
  private static func exponent(_ text: borrowing Span<UInt8>, _ start: Int) -> Int? {
    guard start < text.count else { return 0 }
    guard text[start] | 0x20 == UInt8(ascii: "e"), start + 1 < text.count else { return nil }
    let sign = text[start + 1]
    let isSigned = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
    let range = digits(text, isSigned ? start + 2 : start + 1)
    guard !range.isEmpty, range.upperBound == text.count else { return nil }
    var value = 0
    for at in range { value = min(value * 10 + Int(text[at] - UInt8(ascii: "0")), 10_000) }
    return sign == UInt8(ascii: "-") ? -value : value
  }
}
