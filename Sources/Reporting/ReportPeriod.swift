internal import Model
internal import Settings
internal import System

extension ReportSettings.Schedule {
  /// The last whole day, week (from Monday on) or month that is over at `now`, between midnights of `zone`.
  func period(before now: Instant, zone: TimeZoneRules = .local) -> (since: Instant, until: Instant) {
    let today = CivilTime(now, offset: zone.offset(at: now))
    let day = CivilTime.days(year: today.year, month: today.month, day: today.day)
    switch self {
    case .daily: return (Self.midnight(day - 1, zone), Self.midnight(day, zone))
    case .weekly:
      // 1970-01-01 was a Thursday.
      let monday = day - (day + 3) % 7
      return (Self.midnight(monday - 7, zone), Self.midnight(monday, zone))
    case .monthly:
      let first = day - (today.day - 1)
      let before = CivilTime(Instant(seconds: Int64(first - 1) * 86_400))
      return (Self.midnight(first - before.day, zone), Self.midnight(first, zone))
    }
  }

  /// When a day begins, counted from 1970-01-01. Where clocks jump over midnight it is the first moment behind it.
  private static func midnight(_ day: Int, _ zone: TimeZoneRules) -> Instant {
    let asUTC = Int64(day) * 86_400
    let guess = Instant(seconds: asUTC - Int64(zone.offset(at: Instant(seconds: asUTC))))
    return Instant(seconds: asUTC - Int64(zone.offset(at: guess)))
  }
}
