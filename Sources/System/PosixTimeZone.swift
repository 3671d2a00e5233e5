internal import Model

/// `CET-1CEST,M3.5.0,M10.5.0/3`: a zone's rule as `TZ` writes it (tzset(3), POSIX.1-2024 section 8.3), with the longer hours of
/// RFC 8536 section 3.3.1.
struct PosixTimeZone: Sendable, Equatable {
  typealias Kind = TimeZoneRules.Kind

  /// A day of each year, and the second of that day by the clock that is in force before it.
  struct Change: Sendable, Equatable {
    enum Day: Sendable, Equatable {
      /// 1 to 365; 29 February is never counted.
      case julian(Int)
      /// 0 to 365.
      case zeroBased(Int)
      /// The n-th weekday (0: Sunday) of a month, 5: the last one.
      case weekday(month: Int, week: Int, day: Int)
    }

    var day: Day
    var second: Int
  }

  var standard: Kind
  var summer: (kind: Kind, begins: Change, ends: Change)?

  static func == (a: PosixTimeZone, b: PosixTimeZone) -> Bool {
    a.standard == b.standard && a.summer?.kind == b.summer?.kind && a.summer?.begins == b.summer?.begins
      && a.summer?.ends == b.summer?.ends
  }

  /// Nil for what is no rule.
  init?(_ text: String) {
    var reader = Reader(rest: Array(text.utf8)[...])
    guard let name = reader.name(), let offset = reader.time() else { return nil }
    standard = Kind(offset: -offset, abbreviation: name)
    guard !reader.rest.isEmpty else { return }
    guard let summerName = reader.name() else { return nil }
    var summerOffset = -offset + 3600
    if let first = reader.rest.first, first != UInt8(ascii: ",") {
      guard let given = reader.time() else { return nil }
      summerOffset = -given
    }
    guard let begins = reader.change(), let ends = reader.change(), reader.rest.isEmpty else { return nil }
    summer = (Kind(offset: summerOffset, abbreviation: summerName), begins, ends)
  }

  func kind(at time: Int64) -> Kind {
    guard let summer else { return standard }
    let year = CivilTime(Instant(seconds: time), offset: standard.offset).year
    let begins = Self.moment(summer.begins, year, offset: standard.offset)
    let ends = Self.moment(summer.ends, year, offset: summer.kind.offset)
    // South of the equator summer lies around the turn of the year.
    let isSummer = begins < ends ? time >= begins && time < ends : time >= begins || time < ends
    return isSummer ? summer.kind : standard
  }

  private static func moment(_ change: Change, _ year: Int, offset: Int) -> Int64 {
    let newYear = CivilTime.days(year: year, month: 1, day: 1)
    let isLeap = CivilTime.length(ofMonth: 2, year: year) == 29
    let day: Int
    switch change.day {
    case .julian(let number): day = newYear + number - 1 + (isLeap && number > 59 ? 1 : 0)
    case .zeroBased(let number): day = newYear + number
    case .weekday(let month, let week, let weekday):
      let first = CivilTime.days(year: year, month: month, day: 1)
      // 1 January 1970 was a Thursday.
      let shift = (weekday - (first + 4) % 7 + 7) % 7
      let last = first + CivilTime.length(ofMonth: month, year: year) - 1
      let nth = first + shift + (week - 1) * 7
      day = nth > last ? nth - 7 : nth
    }
    return Int64(day) * 86_400 + Int64(change.second - offset)
  }
}

private struct Reader {
  var rest: ArraySlice<UInt8>

  mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: byte) else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// `CET` or `<+03>`.
  mutating func name() -> String? {
    let isQuoted = take("<")
    let name = rest.prefix { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"): isQuoted
      default: false
      }
    }
    rest = rest.dropFirst(name.count)
    guard name.count >= 3, !isQuoted || take(">") else { return nil }
    return String(decoding: name, as: UTF8.self)
  }

  mutating func number(_ range: ClosedRange<Int>) -> Int? {
    let digits = rest.prefix { $0 >= 48 && $0 <= 57 }
    rest = rest.dropFirst(digits.count)
    guard !digits.isEmpty, digits.count <= 3 else { return nil }
    let value = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
    return range.contains(value) ? value : nil
  }

  /// Seconds of `[+-]hh[:mm[:ss]]`.
  mutating func time() -> Int? {
    let sign = take("-") ? -1 : 1
    if sign == 1 { _ = take("+") }
    guard let hours = number(0...167) else { return nil }
    var seconds = hours * 3600
    for unit in [60, 1] where take(":") {
      guard let value = number(0...59) else { return nil }
      seconds += value * unit
    }
    return sign * seconds
  }

  /// `,M3.5.0/2`, `,J60`, `,59`.
  mutating func change() -> PosixTimeZone.Change? {
    guard take(",") else { return nil }
    let day: PosixTimeZone.Change.Day
    if take("M") {
      guard let month = number(1...12), take("."), let week = number(1...5), take("."), let weekday = number(0...6)
      else {
        return nil
      }
      day = .weekday(month: month, week: week, day: weekday)
    } else if take("J") {
      guard let number = number(1...365) else { return nil }
      day = .julian(number)
    } else {
      guard let number = number(0...365) else { return nil }
      day = .zeroBased(number)
    }
    guard take("/") else { return .init(day: day, second: 7200) }
    return time().map { .init(day: day, second: $0) }
  }
}
