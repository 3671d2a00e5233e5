internal import Model

/// How daemons write the time of a line. A stamp that says nothing but the failure's own time is not stored: it is made again
/// from the time, in plain SQL too (the view `failures`).
///
/// A form is written with the letters of strftime(3), as SQLite knows them, and `%b`, `%e`, `%a`, `%3` and `%6` (thousandths and
/// millionths of the second), which `Views.stamp` replaces.
struct StampForm: Hashable {
  static let all = [
    "%b %e %H:%M:%S",  // RFC 3164
    "%Y-%m-%dT%H:%M:%S.%6", "%Y-%m-%dT%H:%M:%S.%3", "%Y-%m-%dT%H:%M:%S",  // RFC 3339, RFC 5424
    "%Y-%m-%d %H:%M:%S.%6", "%Y-%m-%d %H:%M:%S,%3", "%Y-%m-%d %H:%M:%S.%3", "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",  // nginx
    "%d/%b/%Y:%H:%M:%S",  // access logs
    "%a %b %d %H:%M:%S.%6", "%a %b %d %H:%M:%S",  // Apache
  ].map(StampForm.init)

  let text: String
  private let letters: [UInt8]

  init(_ text: String) {
    self.text = text
    letters = Array(text.utf8)
  }

  static let longest = 32
  private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)
  private static let days = Array("SunMonTueWedThuFriSat".utf8)

  /// The stamp of a time where clocks are `zone` seconds ahead of UTC.
  func write(_ time: Int64, zone: Int64, to out: inout [UInt8]) {
    let civil = CivilTime(Instant(microseconds: time), offset: Int(zone))
    func number(_ value: Int, _ digits: Int, padding: UInt8 = UInt8(ascii: "0")) {
      var divisor = 1
      for _ in 1..<digits { divisor *= 10 }
      var isLeading = true
      while divisor > 0 {
        let digit = value / divisor % 10
        isLeading = isLeading && digit == 0 && divisor > 1
        out.append(isLeading ? padding : UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
        divisor /= 10
      }
    }
    var i = 0
    while i < letters.count {
      guard letters[i] == UInt8(ascii: "%"), i + 1 < letters.count else {
        out.append(letters[i])
        i += 1
        continue
      }
      switch letters[i + 1] {
      case UInt8(ascii: "Y"): number(civil.year, 4)
      case UInt8(ascii: "m"): number(civil.month, 2)
      case UInt8(ascii: "d"): number(civil.day, 2)
      case UInt8(ascii: "e"): number(civil.day, 2, padding: UInt8(ascii: " "))
      case UInt8(ascii: "H"): number(civil.hour, 2)
      case UInt8(ascii: "M"): number(civil.minute, 2)
      case UInt8(ascii: "S"): number(civil.second, 2)
      case UInt8(ascii: "3"): number(civil.microsecond / 1000, 3)
      case UInt8(ascii: "6"): number(civil.microsecond, 6)
      case UInt8(ascii: "b"): out += Self.months[3 * (civil.month - 1)..<3 * civil.month]
      default:
        let day = Self.weekday(civil)
        out += Self.days[3 * day..<3 * day + 3]
      }
      i += 2
    }
  }

  private static func weekday(_ civil: CivilTime) -> Int {
    let days = CivilTime.days(year: civil.year, month: civil.month, day: civil.day)
    // 1970-01-01 was a Thursday.
    return ((days + 4) % 7 + 7) % 7
  }

  /// Where clocks are when `line` has `time` in this form at `start`: seconds ahead of UTC. Nil for another text or time.
  func zone(of time: Int64, in line: borrowing Span<UInt8>, at start: Int) -> Int64? {
    guard let local = read(line, at: start, year: CivilTime(Instant(microseconds: time)).year) else { return nil }
    let zone = local.instant().seconds - Instant(microseconds: time).seconds
    guard abs(zone) <= 14 * 3600, zone % 900 == 0 else { return nil }
    var text: [UInt8] = []
    write(time, zone: zone, to: &text)
    guard line.count - start >= text.count else { return nil }
    for i in 0..<text.count where line[start + i] != text[i] { return nil }
    return zone
  }

  /// Reads a stamp; `year` is that of a form without one.
  private func read(_ line: borrowing Span<UInt8>, at start: Int, year: Int) -> CivilTime? {
    var at = start
    var civil = CivilTime(year: year, month: 1, day: 1)
    func number(_ digits: Int) -> Int? {
      guard line.count - at >= digits else { return nil }
      var value = 0
      for i in at..<at + digits {
        let digit = line[i] == UInt8(ascii: " ") && i == at ? 0 : Int(line[i]) - 48
        guard (0...9).contains(digit) else { return nil }
        value = value * 10 + digit
      }
      at += digits
      return value
    }
    var i = 0
    while i < letters.count {
      guard letters[i] == UInt8(ascii: "%") else {
        guard at < line.count, line[at] == letters[i] else { return nil }
        (i, at) = (i + 1, at + 1)
        continue
      }
      let letter = letters[i + 1]
      i += 2
      if letter == UInt8(ascii: "a") || letter == UInt8(ascii: "b") {
        guard line.count - at >= 3 else { return nil }
        let name = [line[at], line[at + 1], line[at + 2]]
        at += 3
        guard letter == UInt8(ascii: "b") else { continue }
        guard let month = (0..<12).first(where: { Self.months[3 * $0..<3 * $0 + 3].elementsEqual(name) }) else {
          return nil
        }
        civil.month = month + 1
        continue
      }
      let digits =
        letter == UInt8(ascii: "Y") ? 4 : letter == UInt8(ascii: "6") ? 6 : letter == UInt8(ascii: "3") ? 3 : 2
      guard let value = number(digits) else { return nil }
      switch letter {
      case UInt8(ascii: "Y"): civil.year = value
      case UInt8(ascii: "m"): civil.month = value
      case UInt8(ascii: "d"), UInt8(ascii: "e"): civil.day = value
      case UInt8(ascii: "H"): civil.hour = value
      case UInt8(ascii: "M"): civil.minute = value
      case UInt8(ascii: "S"): civil.second = value
      default: break  // The fraction is compared as text.
      }
    }
    return civil.isValid ? civil : nil
  }
}
