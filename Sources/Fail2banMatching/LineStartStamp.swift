/// The two ways of writing a date with which nearly every line begins, read by hand: a tenth of what their templates' regular
/// expressions cost. Only what has one obvious reading is read here; in any doubt the template decides, which finds the same
/// (`LineStartStampTests`).
enum LineStartStamp: CaseIterable {
  /// `Nov 21 05:24:01 `
  case syslog
  /// `2026-11-21T05:24:01.123456+01:00 `, `2026-11-21 05:24:01 `
  case iso8601

  /// What the stamp is a part of, as a template names it.
  var datepattern: String {
    switch self {
    case .syslog: "(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?"
    case .iso8601: "%ExY(?<sep>[-/.])%m\\g{sep}%d(?:T| {1,2})%H:%M:%S(?:[.,]%f)?(?:\\s*%z)?"
    }
  }

  init?(datepattern: String) {
    guard let stamp = Self.allCases.first(where: { $0.datepattern == datepattern }) else { return nil }
    self = stamp
  }

  /// Reads the stamp with which the line begins, and returns where it ends; nil where the template must look.
  func read(_ line: borrowing Span<UInt8>, into fields: inout DateFields) -> Int? {
    switch self {
    case .syslog: Self.syslog(line, &fields)
    case .iso8601: Self.iso8601(line, &fields)
    }
  }

  private static func syslog(_ line: borrowing Span<UInt8>, _ fields: inout DateFields) -> Int? {
    guard mayBeSyslog(line), line[3] == UInt8(ascii: " "), line[6] == UInt8(ascii: " "),
      let month = DateFields.month(line.extracting(0..<3))
    else { return nil }
    let day: Int? = line[4] == UInt8(ascii: " ") ? digit(line[5]) : number(line, 4)
    guard let day, (1...31).contains(day), let time = time(line, 7) else { return nil }
    fields = DateFields(year: nil, month: month, day: day, hour: time.hour, minute: time.minute, second: time.second)
    return syslogLength
  }

  static let syslogLength = 15

  /// Does a space follow the stamp, and no year?
  static func mayBeSyslog(_ line: borrowing Span<UInt8>) -> Bool {
    line.count > 16 && line[15] == UInt8(ascii: " ") && line[16] != UInt8(ascii: "2")
  }

  private static func iso8601(_ line: borrowing Span<UInt8>, _ fields: inout DateFields) -> Int? {
    guard line.count > 20, line[4] == UInt8(ascii: "-"), line[7] == UInt8(ascii: "-"),
      line[10] == UInt8(ascii: "T") || line[10] == UInt8(ascii: " "),
      let century = number(line, 0), century == 20, let years = number(line, 2), years < 40,
      let month = number(line, 5), (1...12).contains(month), let day = number(line, 8), (1...31).contains(day),
      let time = time(line, 11)
    else { return nil }
    var end = 19
    if line[end] == UInt8(ascii: ".") {
      let fraction = end + 1
      end = fraction
      while end < line.count, digit(line[end]) != nil { end += 1 }
      guard (1...6).contains(end - fraction), end < line.count else { return nil }
    }
    var offset: Int?
    switch line[end] {
    case UInt8(ascii: "Z"):
      offset = 0
      end += 1
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      guard end + 6 < line.count, line[end + 3] == UInt8(ascii: ":"), let hours = number(line, end + 1), hours < 20,
        let minutes = number(line, end + 4)
      else { return nil }
      offset = (hours * 60 + minutes) * (line[end] == UInt8(ascii: "-") ? -60 : 60)
      end += 6
    default: break
    }
    guard end + 1 < line.count, line[end] == UInt8(ascii: " ") else { return nil }
    if offset == nil {
      // A zone may follow.
      switch line[end + 1] {
      case 48...57, 65...70, 72...84, 86...89, 91, 95, 97...122: break
      default: return nil
      }
    }
    fields = DateFields(
      year: 2000 + years, month: month, day: day, hour: time.hour, minute: time.minute, second: time.second,
      offset: offset)
    return end
  }

  /// `05:24:01`
  private static func time(_ line: borrowing Span<UInt8>, _ at: Int) -> (hour: Int, minute: Int, second: Int)? {
    guard line[at + 2] == UInt8(ascii: ":"), line[at + 5] == UInt8(ascii: ":"), let hour = number(line, at), hour < 24,
      let minute = number(line, at + 3), minute < 60, let second = number(line, at + 6), second < 60
    else { return nil }
    return (hour, minute, second)
  }

  /// Two digits.
  private static func number(_ line: borrowing Span<UInt8>, _ at: Int) -> Int? {
    guard let tens = digit(line[at]), let ones = digit(line[at + 1]) else { return nil }
    return tens * 10 + ones
  }

  private static func digit(_ byte: UInt8) -> Int? {
    let value = byte &- 48
    return value < 10 ? Int(value) : nil
  }
}
