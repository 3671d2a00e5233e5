public import Model

/// The clock of a log: what "now" is while it is read, and the zone of stamps that name none.
public struct LogClock: Sendable {
  /// The year that the zone's clocks show at `yearAsked`.
  private var shownYear = 0
  private var yearAsked: Instant?

  /// For stamps without a year, and for lines without any stamp.
  public var now: Instant
  public package(set) var zone: ZoneOffsets
  fileprivate var minute = StampMinute()

  public init(now: Instant, zone: ZoneOffsets = ZoneOffsets()) {
    self.now = now
    self.zone = zone
  }

  /// This year, where the log was written.
  package mutating func year() -> Int {
    if yearAsked != now {
      yearAsked = now
      shownYear = CivilTime(now, offset: zone.seconds(at: now)).year
    }
    return shownYear
  }
}

/// Time stamps as daemons write them, parsed by hand: `strptime` and `mktime` cost a hundred times as much.
enum Stamp {
  /// The stamp of a syslog line that begins at `start`: where it ends, and what it says, unless that is no time. Nil when
  /// there is none.
  static func syslog(
    _ line: borrowing Span<UInt8>, at start: Int, clock: inout LogClock
  ) -> (end: Int, time: Instant?)? {
    guard start + 15 <= line.count else { return nil }
    if let time = clock.minute.time(line, at: start, now: clock.now) { return (start + 15, time) }
    var fields = Fields()
    guard
      let end = isDigit(line[start])
        ? iso(line, start, &fields) ?? full(line, start, &fields) : rfc3164(line, start, &fields)
    else { return nil }
    let time = fields.instant(&clock)
    if let time, end == start + 15 {
      clock.minute.keep(line, at: start, second: fields.second, time: time, now: clock.now)
    }
    return (end, time)
  }

  /// The stamp that begins at `start`, in any of the formats; `end` is set behind it.
  static func parse(
    _ line: borrowing Span<UInt8>, at start: Int, clock: inout LogClock, end: inout Int
  ) -> Instant? {
    guard start + 10 <= line.count else { return nil }
    var fields = Fields()
    let first = line[start]
    let found: Int?
    if isDigit(first) {
      if line[start + 4] == UInt8(ascii: "-") || line[start + 4] == UInt8(ascii: "/") {
        found = iso(line, start, &fields)
      } else if isDigit(line[start + 2]), let time = epoch(line, start, end: &end) {
        return time
      } else {
        found = dayFirst(line, start, &fields) ?? yearFirst(line, start, &fields)
      }
    } else if first == UInt8(ascii: "@") {
      return tai64n(line, start, end: &end)
    } else {
      found = rfc3164(line, start, &fields) ?? asctime(line, start, &fields) ?? dayName(line, start, &fields)
    }
    guard let found, let instant = fields.instant(&clock) else { return nil }
    end = found
    return instant
  }

  /// A text that is a time and nothing else, perhaps in brackets; what follows a time is not looked at.
  static func whole(_ text: borrowing Span<UInt8>, clock: inout LogClock) -> Instant? {
    var end = 0
    var start = text.count > 0 && text[0] == UInt8(ascii: "[") ? 1 : 0
    // MongoDB's extended JSON.
    if starts(text, 0, with: #"{"$date":"#) { start = skipSpaces(text, 9) }
    if start < text.count, text[start] == UInt8(ascii: "\"") { start += 1 }
    // `1.795845276e+09`, as some loggers write large numbers.
    if text.count > 4, text[1] == UInt8(ascii: "."), let micro = NumberText.floor(text, shiftedBy: 6), micro > 0 {
      return Instant(microseconds: Int64(micro))
    }
    return parse(text, at: start, clock: &clock, end: &end)
  }

  /// The stamp of a line that is no syslog line: at its start (perhaps in brackets), in the first brackets that hold a
  /// whole one (web servers' access logs), or under a JSON key that names a time.
  static func find(in line: borrowing Span<UInt8>, clock: inout LogClock) -> Instant? {
    guard line.count >= 10 else { return nil }
    var end = 0
    let bracketed = line[0] == UInt8(ascii: "[")
    let start = bracketed ? 1 : isLevel(line) ? 4 : 0
    if line[0] != UInt8(ascii: "{"), let time = parse(line, at: start, clock: &clock, end: &end) { return time }
    if line[0] == UInt8(ascii: "{") { return json(line, &clock) }
    for key in logfmtKeys where starts(line, 0, with: key) {
      let value = key.utf8CodeUnitCount + (line[key.utf8CodeUnitCount] == UInt8(ascii: "\"") ? 1 : 0)
      return parse(line, at: value, clock: &clock, end: &end)
    }
    if bracketed, let time = afterPID(line, &clock) { return time }
    // Client-made text (the user name) may precede the stamp and hold brackets; but it cannot hold the quote that
    // follows the real one, since access logs escape quotes.
    var at = 0
    while at + 28 < line.count {
      if line[at] == UInt8(ascii: "\"") { return nil }
      if line[at] == UInt8(ascii: "["), let time = parse(line, at: at + 1, clock: &clock, end: &end),
        starts(line, end, with: "] \"")
      {
        return time
      }
      at += 1
    }
    return nil
  }

  /// `(W) 2026-11-28T08:34:39 - `: a level of one letter in front of the stamp, as qBittorrent writes it.
  private static func isLevel(_ line: borrowing Span<UInt8>) -> Bool {
    line[0] == UInt8(ascii: "(") && line[1] &- UInt8(ascii: "A") < 26 && starts(line, 2, with: ") ")
  }

  /// `[6518] Nov 21 07:07:53 …`, as Dropbear writes on standard error.
  private static func afterPID(_ line: borrowing Span<UInt8>, _ clock: inout LogClock) -> Instant? {
    var at = 1
    while at < line.count, isDigit(line[at]), at < 12 { at += 1 }
    guard at > 1, starts(line, at, with: "] ") else { return nil }
    var end = 0
    return parse(line, at: at + 2, clock: &clock, end: &end)
  }

  private static let jsonKeys: [StaticString] = [
    "\"timestamp\":", "\"time\":", "\"@timestamp\":", "\"unix_timestamp\":", "\"ts\":", "\"time_iso8601\":",
    "\"time_local\":", "\"Time\":", "\"StartUTC\":", "\"date\":", "\"datetime\":", "\"t\":",
  ]

  private static let logfmtKeys: [StaticString] = ["time=", "ts=", "t=", "timestamp="]

  /// The first key that names a time, outside of strings' content: a quote inside a JSON string is escaped, so the keys'
  /// own quotes cannot be forged.
  private static func json(_ line: borrowing Span<UInt8>, _ clock: inout LogClock) -> Instant? {
    var at = 0
    let limit = min(line.count, 4096)
    while at < limit {
      if line[at] == UInt8(ascii: "\""), at == 0 || line[at - 1] != UInt8(ascii: "\\") {
        for key in jsonKeys where starts(line, at, with: key) {
          var value = skipSpaces(line, at + key.utf8CodeUnitCount)
          if starts(line, value, with: #"{"$date":"#) { value = skipSpaces(line, value + 9) }
          if value < line.count, line[value] == UInt8(ascii: "\"") { value += 1 }
          var end = 0
          if let time = parse(line, at: value, clock: &clock, end: &end) { return time }
        }
      }
      at += 1
    }
    return nil
  }

  // MARK: The formats

  struct Fields {
    var year: Int? = nil
    var month = 0
    var day = 0
    var hour = 0
    var minute = 0
    var second = 0
    var microsecond = 0
    /// Seconds east of UTC, where the stamp says.
    var offset: Int? = nil

    func instant(_ clock: inout LogClock) -> Instant? {
      var civil = CivilTime(
        year: year ?? 0, month: month, day: day, hour: hour, minute: minute, second: second, microsecond: microsecond)
      if year != nil {
        guard civil.isValid else { return nil }
        return civil.instant(offset: offset ?? clock.zone.seconds(at: civil, now: clock.now))
      }
      // No year: this one, unless that lies more than a day ahead; then the last one (a log read on New Year's Day). A clock
      // that is ahead may be in the next one already.
      let thisYear = clock.year()
      for back in (month == 1 && day <= 2 ? -1 : 0)...1 {
        civil.year = thisYear - back
        guard civil.isValid else { continue }
        let instant = civil.instant(offset: offset ?? clock.zone.seconds(at: civil, now: clock.now))
        if instant <= clock.now.adding(.hours(24)) { return instant }
      }
      return nil
    }
  }

  static func number(_ line: borrowing Span<UInt8>, _ at: Int, _ count: Int) -> Int? {
    guard at >= 0, at + count <= line.count else { return nil }
    var value = 0
    for i in at..<at + count {
      guard isDigit(line[i]) else { return nil }
      value = value * 10 + Int(line[i] - UInt8(ascii: "0"))
    }
    return value
  }

  /// `HH:MM:SS` and a fraction after `.` or `,`; returns the end.
  static func time(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int? {
    guard let hour = number(line, at, 2), let minute = number(line, at + 3, 2), let second = number(line, at + 6, 2),
      line[at + 2] == UInt8(ascii: ":"), line[at + 5] == UInt8(ascii: ":")
    else { return nil }
    f.hour = hour
    f.minute = minute
    f.second = second
    var end = at + 8
    if end + 1 < line.count, line[end] == UInt8(ascii: ".") || line[end] == UInt8(ascii: ","), isDigit(line[end + 1]) {
      end += 1
      var scale = 100_000
      while end < line.count, isDigit(line[end]) {
        f.microsecond += Int(line[end] - UInt8(ascii: "0")) * scale
        scale /= 10
        end += 1
      }
    }
    return end
  }

  /// `Z`, `+01:00`, `+0100`, perhaps after a space; returns the end, which is `at` where there is none.
  static func zone(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int {
    guard at < line.count else { return at }
    if line[at] == UInt8(ascii: "Z") {
      f.offset = 0
      return at + 1
    }
    if starts(line, at, with: " UTC") || starts(line, at, with: " GMT") {
      f.offset = 0
      return at + 4
    }
    let sign = line[at] == UInt8(ascii: " ") && at + 1 < line.count ? at + 1 : at
    guard line[sign] == UInt8(ascii: "+") || line[sign] == UInt8(ascii: "-"), let hours = number(line, sign + 1, 2)
    else { return at }
    let colon = sign + 3 < line.count && line[sign + 3] == UInt8(ascii: ":") ? 1 : 0
    guard let minutes = number(line, sign + 3 + colon, 2), hours < 24, minutes < 60 else { return at }
    f.offset = (hours * 3600 + minutes * 60) * (line[sign] == UInt8(ascii: "-") ? -1 : 1)
    return sign + 5 + colon
  }

  /// `2026-11-21T05:24:01.123+01:00`, `2026-11-21 05:24:01,123`, `2026/11/21 05:24:01`,
  /// `2026-11-21_05:24:01`, `2026-11-21  5:24:01` (MariaDB and MySQL 5: the hour without a zero behind two blanks).
  static func iso(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int? {
    guard let year = number(line, at, 4), let month = number(line, at + 5, 2), let day = number(line, at + 8, 2),
      at + 19 <= line.count
    else { return nil }
    let separator = line[at + 4]
    guard separator == UInt8(ascii: "-") || separator == UInt8(ascii: "/"), line[at + 7] == separator,
      line[at + 10] == UInt8(ascii: "T") || line[at + 10] == UInt8(ascii: " ") || line[at + 10] == UInt8(ascii: "_"),
      let end = starts(line, at + 10, with: "  ") ? shortTime(line, at + 12, &f) : time(line, at + 11, &f)
    else { return nil }
    f.year = year
    f.month = month
    f.day = day
    return zone(line, end, &f)
  }

  /// `21/Nov/2026:05:24:01 +0000` (the Common Log Format), with a fraction in ModSecurity's JSON.
  static func common(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int? {
    guard let day = number(line, at, 2), at + 20 <= line.count, let month = month(line, at + 3),
      line[at + 6] == UInt8(ascii: "/"), let year = number(line, at + 7, 4), line[at + 11] == UInt8(ascii: ":"),
      let end = time(line, at + 12, &f)
    else { return nil }
    f.year = year
    f.month = month
    f.day = day
    return zone(line, end, &f)
  }

  /// `2026 Nov 21 05:24:01` (syslog-ng's `ts-format(full)`), `11月 21 05:24:01`.
  private static func full(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int? {
    guard let year = number(line, at, 4), line[at + 4] == UInt8(ascii: " ") else { return localized(line, at, &f) }
    guard let end = rfc3164(line, at + 5, &f), f.year == nil else { return nil }
    f.year = year
    return end
  }

  /// `Nov 21 05:24:01`, `Nov  1 05:24:01`, also `Nov 21 2026 05:24:01`.
  static func rfc3164(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int? {
    guard at + 15 <= line.count else { return nil }
    guard let month = month(line, at), line[at + 3] == UInt8(ascii: " ") else { return localized(line, at, &f) }
    guard let day = line[at + 4] == UInt8(ascii: " ") ? number(line, at + 5, 1) : number(line, at + 4, 2),
      line[at + 6] == UInt8(ascii: " ")
    else { return nil }
    f.month = month
    f.day = day
    if let end = time(line, at + 7, &f) { return end }
    guard let year = number(line, at + 7, 4), at + 20 <= line.count, line[at + 11] == UInt8(ascii: " "),
      let end = time(line, at + 12, &f)
    else { return nil }
    f.year = year
    return end
  }

  /// `Sat Nov 21 05:24:01.123456 2026` (asctime(3); Apache's error log adds the fraction).
  private static func asctime(_ line: borrowing Span<UInt8>, _ at: Int, _ f: inout Fields) -> Int? {
    guard at + 24 <= line.count, line[at + 3] == UInt8(ascii: " "), let end = rfc3164(line, at + 4, &f),
      end < line.count, line[end] == UInt8(ascii: " "), let year = number(line, end + 1, 4)
    else { return nil }
    f.year = year
    return end + 5
  }

  /// Epoch seconds: ten digits and perhaps a fraction; milliseconds as thirteen, microseconds as sixteen, nanoseconds as
  /// nineteen.
  static func epoch(_ line: borrowing Span<UInt8>, _ at: Int, end: inout Int) -> Instant? {
    var digits = at
    while digits < line.count, isDigit(line[digits]), digits - at < 20 { digits += 1 }
    let count = digits - at
    guard count == 10 || count == 13 || count == 16 || count == 19, let value = number(line, at, min(count, 16)) else {
      return nil
    }
    end = digits
    switch count {
    case 13: return Instant(microseconds: Int64(value) * 1000)
    case 16, 19: return Instant(microseconds: Int64(value))
    default:
      var micro = Int64(value) * 1_000_000
      if digits + 1 < line.count, line[digits] == UInt8(ascii: "."), isDigit(line[digits + 1]) {
        var scale: Int64 = 100_000
        end = digits + 1
        while end < line.count, isDigit(line[end]) {
          micro += Int64(line[end] - UInt8(ascii: "0")) * scale
          scale /= 10
          end += 1
        }
      }
      return Instant(microseconds: micro)
    }
  }

  /// The month of an English abbreviation, 1 to 12.
  static func month(_ line: borrowing Span<UInt8>, _ at: Int) -> Int? {
    let key = UInt32(line[at]) << 16 | UInt32(line[at + 1]) << 8 | UInt32(line[at + 2])
    switch key {
    case 0x4A616E: return 1
    case 0x466562: return 2
    case 0x4D6172: return 3
    case 0x417072: return 4
    case 0x4D6179: return 5
    case 0x4A756E: return 6
    case 0x4A756C: return 7
    case 0x417567: return 8
    case 0x536570: return 9
    case 0x4F6374: return 10
    case 0x4E6F76: return 11
    case 0x446563: return 12
    default: return nil
    }
  }
}
