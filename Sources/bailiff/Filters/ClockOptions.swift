import ArgumentParser
import Matching
import Model
import System

/// What decides how the stamps of lines are read.
struct ClockOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What is now, for stamps without a year and lines without a stamp (RFC 3339).", valueName: "time"),
    transform: parseMoment)
  var now: Instant?
  @Option(help: ArgumentHelp("The zone of stamps that name none, such as Europe/Berlin.", valueName: "zone"))
  var timezone: String?

  func clock() throws -> LogClock {
    guard let zone = ZoneOffsets(name: timezone) else {
      throw CommandFailure(.usage, "there is no time zone `\(timezone ?? "")`; write UTC or Europe/Berlin")
    }
    return LogClock(now: now ?? SystemClock.now(), zone: zone)
  }
}

/// RFC 3339, with a zone.
func parseMoment(_ text: String) throws -> Instant {
  guard let instant = Instant(rfc3339: text) else {
    throw ValidationError("write a time with its zone, such as 2026-11-21T05:24:01Z")
  }
  return instant
}
