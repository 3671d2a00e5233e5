import Model
import Testing

@testable import Matching

/// A clock that remembers the last minute reads stamps as one that remembers nothing.
struct StampMinuteTests {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "Jun", "Nov", "Dec"]

  /// Read twice by one clock, once by a new one.
  private func expectTheSame(
    _ stamps: [String], now: Instant, zone: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let zone = try #require(ZoneOffsets(name: zone))
    var clock = LogClock(now: now, zone: zone)
    for stamp in stamps {
      for _ in 0..<2 {
        var fresh = LogClock(now: now, zone: zone)
        let line = Array("\(stamp) web sshd[1]: x".utf8)
        let expected = Stamp.syslog(line.span, at: 0, clock: &fresh)
        let found = Stamp.syslog(line.span, at: 0, clock: &clock)
        #expect(
          found?.end == expected?.end && found?.time == expected?.time, "\(stamp)", sourceLocation: sourceLocation)
      }
    }
  }

  @Test(arguments: ["UTC", "Europe/Zurich", "Asia/Kathmandu"]) func minutesThatComeAndGo(zone: String) throws {
    let now = Instant(rfc3339: "2026-11-26T12:00:30Z")!
    var stamps: [String] = []
    for _ in 0..<3000 {
      let day = Int.random(in: 1...31)
      let time = [Int.random(in: 0...24), Int.random(in: 0...60), Int.random(in: 0...61)].map {
        ($0 < 10 ? "0" : "") + "\($0)"
      }
      let minute =
        "\(Self.months.randomElement()!) \(day < 10 ? " " : "")\(day) \(time[0]):\(time[1]):"
      for _ in 0..<2 { stamps.append(minute + time[2]) }
      stamps += [minute + "07", minute + "59", minute + "60", minute + "07.5", minute + "08,25", minute + "7x", minute]
    }
    try expectTheSame(stamps, now: now, zone: zone)
  }

  /// Where a second decides which year it is, and where clocks are changed.
  @Test func edges() throws {
    let seconds = (0..<60).map { ($0 < 10 ? "0" : "") + "\($0)" }
    // More than a day ahead of now is last year's, from the middle of a minute on.
    try expectTheSame(
      (seconds + seconds.reversed()).map { "Nov 27 12:00:" + $0 }, now: Instant(rfc3339: "2026-11-26T12:00:30Z")!,
      zone: "UTC")
    for minute in ["00:59", "01:59", "02:00", "02:59", "03:00"] {
      try expectTheSame(
        seconds.map { "Oct 25 \(minute):" + $0 } + seconds.map { "Mar 29 \(minute):" + $0 },
        now: Instant(rfc3339: "2026-11-26T12:00:30Z")!, zone: "Europe/Zurich")
    }
    // A leap second before the clocks are changed once decided about its whole quarter: seen once in eight runs by chance.
    try expectTheSame(
      ["Mar 29 02:59:60", "Mar 29 02:59:07", "Oct 25 02:59:60", "Oct 25 02:59:07"],
      now: Instant(rfc3339: "2026-11-26T12:00:30Z")!, zone: "Europe/Zurich")
    try expectTheSame(
      ["Feb 29 10:00:00", "Feb 29 10:00:01"], now: Instant(rfc3339: "2025-02-28T12:00:00Z")!, zone: "UTC")
  }

  /// What is there depends on when it is read.
  @Test func anotherNowIsAnotherYear() throws {
    var clock = LogClock(now: Instant(rfc3339: "2026-11-26T12:00:00Z")!, zone: try #require(ZoneOffsets(name: "UTC")))
    let line = Array("Nov 26 11:00:00 web sshd[1]: x".utf8)
    #expect(Stamp.syslog(line.span, at: 0, clock: &clock)?.time == Instant(rfc3339: "2026-11-26T11:00:00Z"))
    clock.now = Instant(rfc3339: "2026-11-20T12:00:00Z")!
    #expect(Stamp.syslog(line.span, at: 0, clock: &clock)?.time == Instant(rfc3339: "2025-11-26T11:00:00Z"))
  }
}
