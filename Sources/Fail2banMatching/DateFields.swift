internal import Matching
internal import Model

/// The zone of stamps that name none.
enum DefaultZone: Sendable {
  /// The log clock's, which is this machine's unless it was told otherwise.
  case clock
  case fixed(Int)
  case named(ZoneOffsets)
}

/// What a date template's groups said, and the moment that it means: what is missing is taken from the reference clock.
struct DateFields {
  private var year: Int?
  private var month: Int?
  private var day: Int?
  private var hour = 0
  private var isTwelveHour = false
  private var isAfternoon = false
  private var minute = 0
  private(set) var second = 0
  /// Monday is 0.
  private var weekday: Int?
  private var dayOfYear: Int?
  private var week: (number: Int, startsOnMonday: Bool)?
  private var offset: Int?

  init() {}

  init(year: Int?, month: Int, day: Int, hour: Int, minute: Int, second: Int, offset: Int? = nil) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
    self.offset = offset
  }

  /// Takes one directive's text; false when it says nothing that exists.
  mutating func take(_ directive: UInt8, _ text: borrowing Span<UInt8>) -> Bool {
    switch directive {
    case UInt8(ascii: "b"), UInt8(ascii: "B"):
      month = Self.month(text)
      return month != nil
    case UInt8(ascii: "a"), UInt8(ascii: "A"):
      weekday = Self.weekday(text)
      return weekday != nil
    case UInt8(ascii: "z"), UInt8(ascii: "Z"):
      offset = ZoneName.offset(text)
      return offset != nil
    case UInt8(ascii: "p"):
      isAfternoon = text.count > 0 && text[0] | 0x20 == UInt8(ascii: "p")
      return true
    default: break
    }
    guard let number = Self.number(text) else { return !"YymdHIMSjwUW".utf8.contains(directive) }
    switch directive {
    case UInt8(ascii: "Y"): year = number
    // Two digits are a year of this century.
    case UInt8(ascii: "y"): year = number <= 2000 ? number + 2000 : number
    case UInt8(ascii: "m"): month = number
    case UInt8(ascii: "d"): day = number
    case UInt8(ascii: "H"): hour = number
    case UInt8(ascii: "I"):
      hour = number
      isTwelveHour = true
    case UInt8(ascii: "M"): minute = number
    case UInt8(ascii: "S"): second = number
    case UInt8(ascii: "j"): dayOfYear = number
    case UInt8(ascii: "w"): weekday = (number + 6) % 7
    case UInt8(ascii: "U"): week = (number, false)
    case UInt8(ascii: "W"): week = (number, true)
    // Fractions are not kept: fail2ban counts in whole seconds.
    default: break
    }
    return true
  }

  /// Nil when there is no such date.
  mutating func instant(_ clock: inout LogClock, _ zone: inout DefaultZone) -> Instant? {
    if isTwelveHour { hour = hour % 12 + (isAfternoon ? 12 : 0) }
    let assumesYear = year == nil
    let year = self.year ?? thisYear(&clock, zone)
    if month == nil || day == nil {
      if dayOfYear == nil, let week, let weekday { dayOfYear = Self.dayOfYear(year, week, weekday) }
      if let dayOfYear {
        let date = CivilTime(
          Instant(seconds: Int64(CivilTime.days(year: year, month: 1, day: 1) + dayOfYear - 1) * 86_400))
        return moment(date.year, date.month, date.day, &clock, &zone)
      }
    }
    if month == nil, day == nil {
      let today = today(clock, zone)
      guard let found = moment(year, today.month, today.day, &clock, &zone) else { return nil }
      guard found > clock.now else { return found }
      // Later than now: it was yesterday.
      let date = CivilTime(
        Instant(seconds: Int64(CivilTime.days(year: year, month: today.month, day: today.day) - 1) * 86_400))
      return moment(date.year, date.month, date.day, &clock, &zone)
    }
    guard let month, let day else { return nil }
    let found = moment(year, month, day, &clock, &zone)
    // More than a day ahead, or a 29 February that this year has not: it was last year.
    if assumesYear, found.map({ $0 > clock.now.adding(.hours(24)) }) ?? true {
      return moment(year - 1, month, day, &clock, &zone)
    }
    return found
  }

  private func today(_ clock: LogClock, _ zone: DefaultZone) -> CivilTime {
    CivilTime(clock.now, offset: seconds(at: clock.now, clock, zone))
  }

  private func thisYear(_ clock: inout LogClock, _ zone: DefaultZone) -> Int {
    // The clock remembers it.
    if offset == nil, case .clock = zone { return clock.year() }
    return today(clock, zone).year
  }

  private func seconds(at now: Instant, _ clock: LogClock, _ zone: DefaultZone) -> Int {
    if let offset { return offset }
    return switch zone {
    case .clock: clock.zone.seconds(at: now)
    case .fixed(let offset): offset
    case .named(let zone): zone.seconds(at: now)
    }
  }

  private func moment(
    _ year: Int, _ month: Int, _ day: Int, _ clock: inout LogClock, _ zone: inout DefaultZone
  ) -> Instant? {
    let civil = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    guard civil.isValid else { return nil }
    if let offset { return civil.instant(offset: offset) }
    switch zone {
    case .clock: return civil.instant(offset: clock.zone.seconds(at: civil, now: clock.now))
    case .fixed(let offset): return civil.instant(offset: offset)
    case .named(var offsets):
      let instant = civil.instant(offset: offsets.seconds(at: civil, now: clock.now))
      zone = .named(offsets)
      return instant
    }
  }

  /// The day of the year of a weekday in a week: weeks begin on Monday or Sunday, days before the first are week 0
  /// (strptime(3), `%U` and `%W`).
  private static func dayOfYear(_ year: Int, _ week: (number: Int, startsOnMonday: Bool), _ weekday: Int) -> Int {
    // 1970-01-01 was a Thursday.
    let firstDay = (CivilTime.days(year: year, month: 1, day: 1) % 7 + 7 + 3) % 7
    let first = week.startsOnMonday ? firstDay : (firstDay + 1) % 7
    let wanted = week.startsOnMonday ? weekday : (weekday + 1) % 7
    if week.number == 0 { return 1 + wanted - first }
    return 1 + (7 - first) % 7 + 7 * (week.number - 1) + wanted
  }

  private static func number(_ text: borrowing Span<UInt8>) -> Int? {
    var value = 0
    var digits = 0
    for at in 0..<text.count {
      let byte = text[at]
      // "%d" and "%k" may begin with a space.
      if byte == UInt8(ascii: " "), digits == 0 { continue }
      guard byte >= 48, byte <= 57, digits < 9 else { return nil }
      value = value * 10 + Int(byte - 48)
      digits += 1
    }
    return digits > 0 ? value : nil
  }

  static func month(_ text: borrowing Span<UInt8>) -> Int? {
    switch letters(text) {
    case 0x6A616E: 1
    case 0x666562: 2
    case 0x6D6172: 3
    case 0x617072: 4
    case 0x6D6179: 5
    case 0x6A756E: 6
    case 0x6A756C: 7
    case 0x617567: 8
    case 0x736570: 9
    case 0x6F6374: 10
    case 0x6E6F76: 11
    case 0x646563: 12
    default: nil
    }
  }

  private static func weekday(_ text: borrowing Span<UInt8>) -> Int? {
    switch letters(text) {
    case 0x6D6F6E: 0
    case 0x747565: 1
    case 0x776564: 2
    case 0x746875: 3
    case 0x667269: 4
    case 0x736174: 5
    case 0x73756E: 6
    default: nil
    }
  }

  /// The first three letters, in lower case, as one number.
  private static func letters(_ text: borrowing Span<UInt8>) -> UInt32 {
    guard text.count >= 3 else { return 0 }
    return UInt32(text[0] | 0x20) << 16 | UInt32(text[1] | 0x20) << 8 | UInt32(text[2] | 0x20)
  }
}
