internal import Matching
public import Model
internal import Settings

/// A moment in the past as people write it: `24h` (ago), `2026-11-21`, `2026-11-21 05:24` (this machine's zone), RFC 3339,
/// `today`, `yesterday`, `now`.
public enum PastTime {
  /// - Throws: `RequestError`, which says what would be right, since a mistake here is a likely one.
  public static func parse(_ text: String, option: String, now: Instant) throws(RequestError) -> Instant {
    switch text {
    case "now": return now
    case "today": return startOfDay(now)
    case "yesterday": return startOfDay(startOfDay(now).subtracting(.hours(12)))
    default: break
    }
    if let instant = Instant(rfc3339: text) { return instant }
    if let civil = civil(text) {
      var zone = ZoneOffsets()
      return civil.instant(offset: zone.seconds(at: civil))
    }
    if let span = try? TimeSpan(parsing: text), span.microseconds >= 0 { return now.subtracting(span) }
    throw RequestError(
      .invalid,
      "\(option) `\(text)` is no time; write 24h, today, 2026-11-21, \"2026-11-21 05:24\" or 2026-11-21T05:24:01Z")
  }

  private static func startOfDay(_ instant: Instant) -> Instant {
    var zone = ZoneOffsets()
    var civil = CivilTime(instant, offset: zone.seconds(at: instant))
    civil = CivilTime(year: civil.year, month: civil.month, day: civil.day)
    return civil.instant(offset: zone.seconds(at: civil))
  }

  /// `2026-11-21`, with ` hh:mm` or ` hh:mm:ss` behind it.
  private static func civil(_ text: String) -> CivilTime? {
    let shape = String(text.map { $0.isASCII && $0.isNumber ? "0" : $0 == "T" ? " " : $0 })
    guard ["0000-00-00", "0000-00-00 00:00", "0000-00-00 00:00:00"].contains(shape) else { return nil }
    let numbers = text.split { !$0.isNumber }.compactMap { Int($0) } + [0, 0, 0]
    let civil = CivilTime(
      year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers[3], minute: numbers[4], second: numbers[5])
    return civil.isValid ? civil : nil
  }
}
