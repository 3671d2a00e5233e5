import ArgumentParser
import Matching
import Model
import Settings
import System

/// How long: `90`, `10m`, `1h30m`, `2 weeks`.
func parseSpan(_ text: String) throws -> TimeSpan {
  do { return try TimeSpan(parsing: text) } catch { throw ValidationError(printable(error.description)) }
}

/// How long a ban lasts: a positive time, or `permanent`.
enum BanLength: ExpressibleByArgument {
  case seconds(Int64)
  case permanent

  init?(argument: String) {
    if argument == "permanent" || argument == "forever" {
      self = .permanent
    } else if let span = try? TimeSpan(parsing: argument), span.seconds > 0 {
      self = .seconds(span.seconds)
    } else {
      return nil
    }
  }

  /// As the API has it: negative is permanently.
  var bantime: Int64 {
    switch self {
    case .seconds(let seconds): seconds
    case .permanent: -1
    }
  }
}

/// A moment in the past as people write it: `24h` (ago), `2026-11-21`, `2026-11-21 05:24` (this machine's zone), RFC 3339,
/// `today`, `yesterday`, `now`. One line says what would be right, since a mistake here is a likely one.
func parsePast(_ text: String, option: String) throws(CommandFailure) -> Instant {
  let now = LocalTime.now()
  switch text {
  case "now": return now
  case "today": return startOfDay(now)
  case "yesterday": return startOfDay(startOfDay(now).subtracting(.hours(12)))
  default: break
  }
  if let instant = Instant(rfc3339: text) { return instant }
  if let civil = parseCivil(text) {
    var zone = ZoneOffsets()
    return civil.instant(offset: zone.seconds(at: civil))
  }
  if let span = try? TimeSpan(parsing: text), span.microseconds >= 0 { return now.subtracting(span) }
  throw CommandFailure(
    .usage, "\(option) `\(text)` is no time; write 24h, today, 2026-11-21, \"2026-11-21 05:24\" or 2026-11-21T05:24:01Z"
  )
}

private func startOfDay(_ instant: Instant) -> Instant {
  var zone = ZoneOffsets()
  var civil = CivilTime(instant, offset: zone.seconds(at: instant))
  civil = CivilTime(year: civil.year, month: civil.month, day: civil.day)
  return civil.instant(offset: zone.seconds(at: civil))
}

/// `2026-11-21`, with ` hh:mm` or ` hh:mm:ss` behind it.
private func parseCivil(_ text: String) -> CivilTime? {
  guard
    let parts = text.wholeMatch(of: /(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?/)?.output,
    let year = Int(parts.1), let month = Int(parts.2), let day = Int(parts.3)
  else { return nil }
  let civil = CivilTime(
    year: year, month: month, day: day, hour: parts.4.flatMap { Int($0) } ?? 0,
    minute: parts.5.flatMap { Int($0) } ?? 0,
    second: parts.6.flatMap { Int($0) } ?? 0)
  return civil.isValid ? civil : nil
}
