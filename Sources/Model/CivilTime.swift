/// The proleptic Gregorian calendar without a time zone. The day arithmetic is Howard Hinnant's
/// (https://howardhinnant.github.io/date_algorithms.html), which counts years from March.
public struct CivilTime: Hashable, Sendable {
  public var year: Int
  public var month: Int
  public var day: Int
  public var hour: Int
  public var minute: Int
  public var second: Int
  public var microsecond: Int

  public init(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0
  ) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
    self.microsecond = microsecond
  }

  /// The civil time of `instant` where clocks are `offset` seconds ahead of UTC.
  public init(_ instant: Instant, offset: Int = 0) {
    // Years past a few hundred thousand cannot be printed usefully; the clamp keeps the arithmetic below from overflowing.
    let local = min(max(instant.seconds, -10_000_000_000_000), 10_000_000_000_000) + Int64(offset)
    let days = local >= 0 ? local / 86_400 : -((86_399 - local) / 86_400)
    let secondOfDay = Int(local - days * 86_400)
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
    let fraction = instant.microseconds % 1_000_000
    self.init(
      year: Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month: month,
      day: Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1), hour: secondOfDay / 3600,
      minute: secondOfDay / 60 % 60, second: secondOfDay % 60,
      microsecond: Int(fraction < 0 ? fraction + 1_000_000 : fraction))
  }

  /// Days since 1970-01-01 of a date; months and days out of range carry over as arithmetic has it.
  public static func days(year: Int, month: Int, day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// Is this a date and time of day that exists? Second 60 is let through, for leap seconds.
  public var isValid: Bool {
    guard (1...12).contains(month), (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
    else { return false }
    return day >= 1 && day <= Self.length(ofMonth: month, year: year)
  }

  public static func length(ofMonth month: Int, year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// The moment at which clocks `offset` seconds ahead of UTC show this.
  public func instant(offset: Int = 0) -> Instant {
    let days = Self.days(year: year, month: month, day: day)
    let seconds = Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
    return Instant(microseconds: Instant(seconds: seconds).microseconds &+ Int64(microsecond))
  }
}

extension Instant {
  /// RFC 3339 with `offset` seconds east of UTC: `2026-11-21T05:24:01Z`, `2026-11-21T06:24:01.250000+01:00`. The fraction
  /// stands only where there is one.
  public func rfc3339(offset: Int = 0) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(32)
    text.append(rfc3339: self, offset: offset)
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads RFC 3339 (`T` or a space, fraction of any length, `Z` or `±hh:mm`). A missing zone is nil: what it would mean
  /// depends on where one is.
  public init?(rfc3339 text: some StringProtocol) {
    let b = Array(text.utf8)
    func number(_ at: Int, _ count: Int) -> Int? {
      guard at + count <= b.count else { return nil }
      var n = 0
      for i in at..<at + count {
        guard b[i] >= 48, b[i] <= 57 else { return nil }
        n = n * 10 + Int(b[i] - 48)
      }
      return n
    }
    guard b.count >= 20, b[4] == 45, b[7] == 45, b[10] == 84 || b[10] == 116 || b[10] == 32, b[13] == 58, b[16] == 58,
      let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
      let minute = number(14, 2), let second = number(17, 2)
    else { return nil }
    var at = 19
    var micro = 0
    if b[at] == 46 || b[at] == 44 {
      at += 1
      var scale = 100_000
      let start = at
      while at < b.count, b[at] >= 48, b[at] <= 57 {
        micro += Int(b[at] - 48) * scale
        scale /= 10
        at += 1
      }
      guard at > start else { return nil }
    }
    var offset = 0
    guard at < b.count else { return nil }
    if b[at] == 90 || b[at] == 122 {
      guard at + 1 == b.count else { return nil }
    } else {
      guard b[at] == 43 || b[at] == 45, at + 6 == b.count, b[at + 3] == 58, let h = number(at + 1, 2),
        let m = number(at + 4, 2), h < 24, m < 60
      else { return nil }
      offset = (h * 3600 + m * 60) * (b[at] == 45 ? -1 : 1)
    }
    let civil = CivilTime(
      year: year, month: month, day: day, hour: hour, minute: minute, second: second, microsecond: micro)
    guard civil.isValid else { return nil }
    self = civil.instant(offset: offset)
  }
}

extension [UInt8] {
  /// See `Instant.rfc3339`.
  public mutating func append(rfc3339 instant: Instant, offset: Int = 0) {
    let t = CivilTime(instant, offset: offset)
    // A year before 0 or after 9999 cannot be written in RFC 3339; it is as it is.
    if (0...9999).contains(t.year) {
      append(twoDigits: t.year / 100)
      append(twoDigits: t.year % 100)
    } else {
      self += Array("\(t.year)".utf8)
    }
    append(UInt8(ascii: "-"), t.month)
    append(UInt8(ascii: "-"), t.day)
    append(UInt8(ascii: "T"), t.hour)
    append(UInt8(ascii: ":"), t.minute)
    append(UInt8(ascii: ":"), t.second)
    if t.microsecond != 0 {
      append(UInt8(ascii: "."), t.microsecond / 10_000)
      append(twoDigits: t.microsecond / 100 % 100)
      append(twoDigits: t.microsecond % 100)
    }
    if offset == 0 {
      append(UInt8(ascii: "Z"))
    } else {
      let minutes = abs(offset) / 60
      append(UInt8(ascii: offset < 0 ? "-" : "+"), minutes / 60)
      append(UInt8(ascii: ":"), minutes % 60)
    }
  }

  private mutating func append(_ sign: UInt8, _ number: Int) {
    append(sign)
    append(twoDigits: number)
  }

  private mutating func append(twoDigits number: Int) {
    append(UInt8(ascii: "0") + UInt8(number / 10 % 10))
    append(UInt8(ascii: "0") + UInt8(number % 10))
  }
}
