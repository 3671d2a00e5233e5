internal import Model

/// Stamps that fewer programs write.
extension Stamp {
  /// The day first, or in America the month: `28.11.2026 04:35:01`, `28-11-2026 04:35:01`, `28-Nov-2026 04:35:01.123` (BIND),
  /// `28 Nov 2026 04:35:01.123` (Redis), `28/Nov/2026:04:35:01 +0000` (the Common Log Format), `11/28/2026 4:35:01 AM`. Numbers that
  /// could be a day and a month either way are none.
  static func dayFirst(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int? {
    if line[at + 2] == UInt8(ascii: "/"), !isDigit(line[at + 3]) { return common(line, at, &f) }
    guard at + 19 <= line.count, let first = number(line, at, 2) else { return nil }
    let separator = line[at + 2]
    guard [".", "-", "/", " "].contains(Unicode.Scalar(separator)) else { return nil }
    f.day = first
    var year = at + 6
    if let month = isDigit(line[at + 3]) ? number(line, at + 3, 2) : nil {
      guard line[at + 5] == separator, separator != UInt8(ascii: " ") else { return nil }
      f.month = month
    } else {
      guard let month = month(line, at + 3), line[at + 6] == separator else { return nil }
      f.month = month
      year += 1
    }
    guard let number = number(line, year, 4), year + 4 < line.count else { return nil }
    f.year = number
    let clock = year + (line[year + 4] == UInt8(ascii: ",") ? 6 : 5)
    guard let end = hours(line, clock, &f) else { return nil }
    if separator == UInt8(ascii: "/") {
      // Only here both orders are in use; twelve hours say which.
      let isAmerican = end.isTwelveHours || f.month > 12
      guard isAmerican || f.day > 12 || f.day == f.month else { return nil }
      if isAmerican { swap(&f.day, &f.month) }
    }
    return zone(line, end.at, &f)
  }

  /// `2026.11.28 04:35:01`, `20261128 04:35:01`.
  static func yearFirst(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int? {
    guard let year = number(line, at, 4) else { return nil }
    let gap = line[at + 4] == UInt8(ascii: ".") ? 1 : 0
    guard let month = number(line, at + 4 + gap, 2), let day = number(line, at + 6 + 2 * gap, 2),
      gap == 0 || line[at + 7] == UInt8(ascii: "."), at + 17 + 2 * gap <= line.count,
      line[at + 8 + 2 * gap] == UInt8(ascii: " ") || line[at + 8 + 2 * gap] == UInt8(ascii: "T"),
      let end = time(line, at + 9 + 2 * gap, &f)
    else { return nil }
    f.year = year
    f.month = month
    f.day = day
    return zone(line, end, &f)
  }

  /// `Sat, 28 Nov 2026 04:35:01 GMT` (RFC 9110), `Sat 28 Nov 2026 04:35:01 AM UTC` (date(1)).
  static func dayName(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int? {
    guard line[at + 3] == UInt8(ascii: " ") || line[at + 3] == UInt8(ascii: ",") else { return nil }
    let day = skipSpaces(line, at + 4)
    guard day + 19 <= line.count, isDigit(line[day]) else { return nil }
    return dayFirst(line, day, &f)
  }

  /// `4:35:01`; returns the end.
  static func shortTime(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int? {
    guard at + 7 <= line.count, isDigit(line[at]), line[at + 1] == UInt8(ascii: ":"), line[at + 4] == UInt8(ascii: ":"),
      let minute = number(line, at + 2, 2), let second = number(line, at + 5, 2)
    else { return nil }
    f.hour = Int(line[at] - UInt8(ascii: "0"))
    f.minute = minute
    f.second = second
    return at + 7
  }

  /// `04:35:01`, or of twelve hours `4:35:01 AM`.
  private static func hours(
    _ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields
  ) -> (at: Int, isTwelveHours: Bool)? {
    guard var end = shortTime(line, at, &f) ?? time(line, at, &f) else { return nil }
    let isMorning = starts(line, end, with: " AM")
    guard isMorning || starts(line, end, with: " PM"), (1...12).contains(f.hour) else { return (end, false) }
    f.hour = f.hour % 12 + (isMorning ? 0 : 12)
    end += 3
    return (end, true)
  }

  /// `@4000000052d3a1b20000abcd`: TAI64N of daemontools and s6, whose seconds count from 2^62 and are ten ahead of UTC's at
  /// 1970.
  static func tai64n(_ line: borrowing Span<UInt8>, _ at: Int, end: inout Int) -> Instant? {
    guard at + 25 <= line.count, line[at + 1] == UInt8(ascii: "4") else { return nil }
    var (seconds, nano): (UInt64, UInt64) = (0, 0)
    for index in at + 1..<at + 25 {
      guard let digit = hexDigit(line[index]) else { return nil }
      if index < at + 17 { seconds = seconds << 4 | UInt64(digit) } else { nano = nano << 4 | UInt64(digit) }
    }
    // Programs that write it know no leap seconds but these ten.
    guard seconds >= 1 << 62 + 10, seconds < 1 << 62 + 1 << 40, nano < 1_000_000_000 else { return nil }
    end = at + 25
    return Instant(microseconds: Int64(seconds - 1 << 62 - 10) * 1_000_000 + Int64(nano / 1000))
  }
}
