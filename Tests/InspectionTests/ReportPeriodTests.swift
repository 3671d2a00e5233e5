import Model
import Settings
import System
import Testing

@testable import Reporting

/// When scheduled reports begin and end.
@Suite struct ReportPeriodTests {
  @Test(arguments: [
    // A Sunday, in winter.
    (ReportSettings.Schedule.daily, "2026-11-29T09:00:00Z", "2026-11-27T23:00:00Z", "2026-11-28T23:00:00Z"),
    (.weekly, "2026-11-29T09:00:00Z", "2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z"),
    (.monthly, "2026-11-29T09:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"),
    // The first moment of a Monday, and the last one of its Sunday.
    (.weekly, "2026-11-29T23:00:00Z", "2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z"),
    (.weekly, "2026-11-29T22:59:59Z", "2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z"),
    // The day on which clocks were put back has 25 hours, the one on which they were put forward 23.
    (.daily, "2026-10-26T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
    (.daily, "2026-03-30T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
    (.monthly, "2027-01-01T00:00:00Z", "2026-11-30T23:00:00Z", "2026-12-31T23:00:00Z"),
  ])
  func periodsEndAtMidnight(_ schedule: ReportSettings.Schedule, now: String, since: String, until: String) throws {
    let zone = try #require(TimeZoneRules(name: "Europe/Berlin"))
    let period = schedule.period(before: try #require(Instant(rfc3339: now)), zone: zone)
    #expect(period.since.rfc3339() == since && period.until.rfc3339() == until)
  }
}
