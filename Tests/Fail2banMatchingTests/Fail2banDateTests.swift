import Fail2banMatching
import Filters
import Model
import Testing

@testable import Fail2banMatching
@testable import Matching

/// Dates where we are right and fail2ban is not, or where the clock decides. That all else is as fail2ban has it is shown
/// against its own detector, in Fail2banTests.
struct Fail2banDateTests {
  private func time(
    _ line: String, _ datepattern: String? = nil, zone: String? = nil, now: String = "2024-03-05T12:00:00Z"
  ) throws -> String? {
    let filter = try Fail2banFilter(
      Fail2banRules(failregex: ["<HOST>"], datepattern: datepattern, logtimezone: zone), name: "", file: "")
    var dates = Fail2banDates(filter.templates, zone: filter.zone)
    var clock = LogClock(
      now: try #require(Instant(rfc3339: now)), zone: try #require(ZoneOffsets(name: "Europe/Berlin")))
    var scratch = MatchScratch()
    let text = Array(line.utf8)
    guard let found = dates.find(text.span, isASCII: false, now: clock.now, &scratch) else { return nil }
    return dates.read(found, text.span, &clock, scratch)?.rfc3339() ?? "unreadable"
  }

  @Test func aMissingYearIsThisOneOrTheLast() throws {
    #expect(try time("Mar  6 12:59:59 x") == "2024-03-06T11:59:59Z")
    #expect(try time("Mar  6 13:00:01 x") == "2023-03-06T12:00:01Z")
    #expect(try time("Dec 31 23:59:59 x", now: "2024-01-01T00:00:10Z") == "2023-12-31T22:59:59Z")
    // The last of February, read in a year that has none: fail2ban finds no date at all.
    #expect(try time("Feb 29 10:00:00 x", now: "2025-01-02T00:00:00Z") == "2024-02-29T09:00:00Z")
    #expect(try time("Feb 29 10:00:00 x", now: "2023-01-02T00:00:00Z") == "unreadable")
  }

  @Test func aMissingDayIsTodayOrYesterday() throws {
    #expect(try time("12:59:59 x") == "2024-03-05T11:59:59Z")
    #expect(try time("13:00:01 x") == "2024-03-04T12:00:01Z")
    #expect(try time("23:00:00 x", now: "2024-03-01T01:00:00Z") == "2024-02-29T22:00:00Z")
  }

  @Test func theLogsZone() throws {
    #expect(try time("2024-03-05 10:00:00", zone: "UTC+0200") == "2024-03-05T08:00:00Z")
    #expect(try time("2024-07-05 10:00:00", zone: "CET") == "2024-07-05T09:00:00Z")
    #expect(try time("2024-07-05 10:00:00", zone: "America/New_York") == "2024-07-05T14:00:00Z")
    #expect(try time("2024-07-05 10:00:00+01:00", zone: "America/New_York") == "2024-07-05T09:00:00Z")
    // "Now" is compared in the zone that the stamp is in.
    #expect(try time("06:59:59 x", zone: "-0500") == "2024-03-05T11:59:59Z")
    #expect(try time("07:00:01 x", zone: "-0500") == "2024-03-04T12:00:01Z")
  }

  @Test func clocksThatAreChanged() throws {
    // The hour that spring leaves out, and the one that autumn repeats.
    #expect(try time("2024-03-31 02:30:00") == "2024-03-31T01:30:00Z")
    #expect(try time("2024-10-27 02:30:00") == "2024-10-27T00:30:00Z")
  }

  @Test func aLeapSecondIsNoError() throws {
    #expect(try time("2016-12-31T23:59:60Z") == "2017-01-01T00:00:00Z")
    #expect(try time("2016-12-31T23:59:61Z") == "unreadable")
  }

  @Test func defaultBringsTheTemplates() throws {
    #expect(try time("x 2024-03-05 10:00:00", "^%H:%M\n{DEFAULT}") == "2024-03-05T09:00:00Z")
  }

  @Test func noneLeavesTheLineWhole() throws {
    let bench = try Fail2banBench("^2024-03-05 10:00:00 <ADDR>$", datepattern: "{NONE}")
    bench.failure(Array("2024-03-05 10:00:00 192.0.2.1".utf8)) { #expect(!$0.isDated) }
    #expect(bench.matcher.counts.failures == 1)
  }

  /// Whatever is in a line, arithmetic does not trap.
  @Test func numbersOfAnySize() throws {
    for text in [
      "99999999999", "9999999999.999999", "[99999999999] x", "@4fffffffffffffffffffffff", "2024-99-99 99:99:99",
    ] {
      _ = try time(text)
    }
    #expect(try time("99999999999", "LEPOCH") == "5138-11-16T09:46:39Z")
    #expect(try time("9999-12-31 23:59:59", "%Y-%m-%d %H:%M:%S") == "9999-12-31T22:59:59Z")
    #expect(try time("0000-01-01 00:00:00", "%Y-%m-%d %H:%M:%S") != nil)
    #expect(try time("@4000000065e6aa8c00000000") == "2024-03-05T05:15:56Z")
  }

  /// The minute that a stamp named is remembered; what is read does not change by that.
  @Test func aStampsMinuteIsRemembered() throws {
    let bench = try Fail2banBench("^ web failed <ADDR>$")
    let once = try Fail2banBench("^ web failed <ADDR>$")
    for second in [0, 59, 5, 30] {
      for minute in ["Mar  4 12:00", "Mar  5 13:00", "Mar  5 10:59"] {
        let line = Array("\(minute):\(second < 10 ? "0" : "")\(second) web failed 192.0.2.1".utf8)
        var times: [Instant] = []
        for bench in [bench, bench, once] { bench.failure(line) { times.append($0.time) } }
        #expect(times.count == 3 && Set(times).count == 1)
        #expect(times.first.map { CivilTime($0).second } == second)
      }
    }
  }
}
