public import Model

/// Why a text is no length of time.
public struct TimeSpanError: Error, Sendable, CustomStringConvertible {
  public var description: String
}

extension TimeSpan {
  /// A length of time as fail2ban writes it (jail.conf(5), "Time abbreviation format"): numbers with units, added up,
  /// with `+`, `-` and `*` between them, without a unit seconds: `10m`, `1h30m`, `1 week 2 days`, `1year-6mo`, `60*10`.
  /// `m` is minutes, `mo` months; a year has 365.25 days and a month a twelfth of that. May be negative.
  public init(parsing text: String) throws(TimeSpanError) {
    guard text.utf8.count <= 200 else { throw TimeSpanError(description: "is too long") }
    var parser = TimeSpanParser(text: Array(text.utf8))
    let seconds = try parser.sum()
    guard seconds.magnitude <= Self.longestSeconds else {
      throw TimeSpanError(description: "is longer than a thousand years")
    }
    self.init(microseconds: Int64((seconds * 1_000_000).rounded()))
  }

  private static let longestSeconds = 1000 * 365.25 * 86_400
}

private struct TimeSpanParser {
  let text: [UInt8]
  var index = 0

  init(text: [UInt8]) { self.text = text }

  /// Products, added up. Between a unit and the next number `+` may be left out.
  mutating func sum() throws(TimeSpanError) -> Double {
    skipSpaces()
    var total = 0.0
    var sign = 1.0
    if take("-") { sign = -1 } else { _ = take("+") }
    while true {
      total += sign * (try product())
      skipSpaces()
      guard index < text.count else { return total }
      if take("-") {
        sign = -1
      } else {
        _ = take("+")
        sign = 1
      }
    }
  }

  private mutating func product() throws(TimeSpanError) -> Double {
    var value = try quantity()
    skipSpaces()
    while take("*") {
      value *= try quantity()
      skipSpaces()
    }
    return value
  }

  private mutating func quantity() throws(TimeSpanError) -> Double {
    skipSpaces()
    let number = word { $0 >= 48 && $0 <= 57 || $0 == UInt8(ascii: ".") }
    guard !number.isEmpty, number != ".", let value = Double(number) else {
      let rest = String(decoding: text[index...], as: UTF8.self)
      throw TimeSpanError(
        description: number.isEmpty
          ? rest.isEmpty ? "ends where a number should stand" : "has \(quoted(rest)) where a number should stand"
          : "has \(quoted(number)), which is no number")
    }
    skipSpaces()
    let unit = word { $0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z") }
    guard !unit.isEmpty else { return value }
    guard let seconds = Self.seconds(in: unit.lowercased()) else {
      throw TimeSpanError(description: "has the unknown unit \(quoted(unit))")
    }
    return value * seconds
  }

  private mutating func word(_ belongs: (UInt8) -> Bool) -> String {
    let start = index
    while index < text.count, belongs(text[index]) { index += 1 }
    return String(decoding: text[start..<index], as: UTF8.self)
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func skipSpaces() {
    while index < text.count, text[index] == UInt8(ascii: " ") || text[index] == UInt8(ascii: "\t") { index += 1 }
  }

  private static func seconds(in unit: String) -> Double? {
    switch unit {
    case "s", "ss", "se", "sec", "secs", "second", "seconds": 1
    case "m", "mm", "mi", "min", "mins", "minute", "minutes": 60
    case "h", "hh", "ho", "hou", "hour", "hours": 3600
    case "d", "dd", "da", "day", "days": 86_400
    case "w", "ww", "we", "wee", "week", "weeks": 7 * 86_400
    case "mo", "mon", "month", "months": 365.25 * 86_400 / 12
    case "y", "yy", "ye", "yea", "year", "years": 365.25 * 86_400
    default: nil
    }
  }
}
