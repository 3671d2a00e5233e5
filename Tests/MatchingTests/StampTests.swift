import Model
import Testing

@testable import Matching

/// Stamps as programs write them, at a line's start and in fields of their own.
@Suite struct StampTests {
  private static func clock() -> LogClock {
    LogClock(now: Instant(rfc3339: "2026-12-28T12:00:00Z")!, zone: ZoneOffsets(name: "UTC")!)
  }

  @Test(arguments: [
    "28.11.2026 04:35:01", "11/28/2026 4:35:01 AM", "28/11/2026 04:35:01", "2026.11.28 04:35:01", "20261128 04:35:01",
    "28-11-2026 04:35:01", "28-Nov-2026 04:35:01.000", "28 Nov 2026 04:35:01.000", "28/Nov/2026:04:35:01.000",
    "28/Nov/2026:05:35:01 +0100", "Sat, 28 Nov 2026 04:35:01 GMT", "1795840501", "1795840501.000", "1795840501000",
    "@400000006b0a59ff00000000", "Sat 28 Nov 2026 04:35:01 AM UTC", "Sat Nov 28 04:35:01 2026", "Nov 28 04:35:01.000",
    "2026-11-28 04:35:01", "2026-11-28T04:35:01Z", "2026-11-28_04:35:01", "2026-11-28 04:35:01 UTC",
    "2026/11/28 04:35:01", "11/28/2026, 4:35:01 AM", "20261128T04:35:01",
    "2026-11-28  4:35:01",
  ])
  func known(_ stamp: String) {
    let expected = Instant(rfc3339: "2026-11-28T04:35:01Z")
    for line in ["\(stamp) text", "[\(stamp)] text"] {
      var clock = Self.clock()
      #expect(Stamp.find(in: Array(line.utf8).span, clock: &clock) == expected, "\(line)")
    }
    for text in [stamp, "[\(stamp)]"] {
      var clock = Self.clock()
      #expect(Stamp.whole(Array(text.utf8).span, clock: &clock) == expected, "\(text)")
    }
    for line in ["time=\"\(stamp)\" x=y", "{\"a\":1,\"t\":{\"$date\":\"\(stamp)\"}}", "{\"StartUTC\":\"\(stamp)\"}"] {
      var clock = Self.clock()
      #expect(Stamp.find(in: Array(line.utf8).span, clock: &clock) == expected, "\(line)")
    }
  }

  @Test(arguments: ["(W) 2026-11-28T04:35:01 - text", "(N) 2026-11-28T04:35:01"])
  func behindALevel(_ line: String) {
    var clock = Self.clock()
    #expect(Stamp.find(in: Array(line.utf8).span, clock: &clock) == Instant(rfc3339: "2026-11-28T04:35:01Z"))
  }

  @Test(arguments: [
    "(w) 2026-11-28T04:35:01 - x", "(WW) 2026-11-28T04:35:01 - x", "2026-11-28  14:35:01 x", "2026-11-28 _4:35:01 x",
    "2026-11-28T 4:35:01 x", "2026-11-28  4:35", "(W) 2026-11",
    "04:35:01 text and more text", "10/11/2026 04:35:01 x", "32.11.2026 04:35:01 x", "28.13.2026 04:35:01 x",
    "28.11-2026 04:35:01 x", "@40000000 text and more text", "@9000000065671d3500000000 x", "28 11 2026 04:35:01 x",
    "Sat, 28", "28/Nov/", "2026.11", "28-Nov-2026 04:35", "192.0.2.7 - - text and more",
  ])
  func none(_ line: String) {
    var clock = Self.clock()
    #expect(Stamp.find(in: Array(line.utf8).span, clock: &clock) == nil)
  }

  /// A stamp without year and zone is about now, where it can be: the hour that autumn repeats, and the turn of the year.
  @Test(arguments: [
    ("2026-10-25T00:30:30Z", "Europe/Berlin", "Oct 25 02:30:00", "2026-10-25T00:30:00Z"),
    ("2026-10-25T01:30:30Z", "Europe/Berlin", "Oct 25 02:30:00", "2026-10-25T01:30:00Z"),
    ("2026-10-25T01:00:10Z", "Europe/Berlin", "Oct 25 02:59:59", "2026-10-25T00:59:59Z"),
    ("2026-10-25T09:00:00Z", "Europe/Berlin", "Oct 25 02:30:00", "2026-10-25T00:30:00Z"),
    ("2027-01-01T00:00:01Z", "UTC", "Dec 31 23:59:59", "2026-12-31T23:59:59Z"),
    ("2026-12-31T23:59:59Z", "UTC", "Jan  1 00:00:01", "2027-01-01T00:00:01Z"),
    ("2027-01-01T12:00:00Z", "UTC", "Jan  1 00:00:01", "2027-01-01T00:00:01Z"),
  ])
  func isAboutNow(_ now: String, _ zone: String, _ stamp: String, _ expected: String) throws {
    var clock = LogClock(now: Instant(rfc3339: now)!, zone: try #require(ZoneOffsets(name: zone)))
    let line = "\(stamp) web sshd[1]: text"
    #expect(Stamp.find(in: Array(line.utf8).span, clock: &clock) == Instant(rfc3339: expected), "\(now)")
  }

  /// The hour that comes twice says nothing of the hours around it.
  @Test func theSecondTimeIsForgotten() throws {
    let now = Instant(rfc3339: "2026-10-25T01:30:30Z")!
    var clock = LogClock(now: now, zone: try #require(ZoneOffsets(name: "Europe/Berlin")))
    for (stamp, expected) in [
      ("Oct 25 03:10:00", "2026-10-25T02:10:00Z"), ("Oct 25 02:30:00", "2026-10-25T01:30:00Z"),
      ("Oct 25 03:12:00", "2026-10-25T02:12:00Z"),
    ] {
      let line = Array("\(stamp) web sshd[1]: text".utf8)
      #expect(Stamp.find(in: line.span, clock: &clock) == Instant(rfc3339: expected), "\(stamp)")
    }
  }
}
