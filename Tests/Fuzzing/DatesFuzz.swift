import Fail2banMatching
import Filters
import Model

@testable import Matching

/// Stamps never trap and end inside their line; fail2ban's date patterns, whatever they are, are refused or work.
enum DatesFuzz {
  private static let zone = ZoneOffsets(name: "Europe/Berlin")!
  private static let filter: Filter? = try? Filter(definition(nil))

  private static func definition(_ datepattern: String?) -> FilterDefinition {
    FilterDefinition(
      name: "fuzz", file: "fuzz.conf",
      rules: .fail2ban(Fail2banRules(failregex: ["<HOST>"], datepattern: datepattern)))
  }

  /// The first line is a date pattern, the others are lines of a log.
  static func run(_ input: [UInt8]) {
    let lines = input.split(separator: 10, maxSplits: 1, omittingEmptySubsequences: false)
    let rest = lines.count > 1 ? Array(lines[1]) : input
    native(input)
    for line in rest.split(separator: 10) { native(Array(line)) }
    if let filter { scan(filter, rest) }
    if lines.count > 1, lines[0].count < 200, let pattern = String(validating: lines[0], as: UTF8.self),
      let filter = try? Filter(definition(pattern))
    {
      scan(filter, rest)
    }
  }

  private static func native(_ line: [UInt8]) {
    var clock = LogClock(now: Instant(seconds: 1_795_000_000), zone: zone)
    var end = 0
    if Stamp.parse(line.span, at: 0, clock: &clock, end: &end) != nil {
      require(end > 0 && end <= line.count, "a stamp ends at \(end) of \(line.count)")
    }
    var fresh = LogClock(now: clock.now, zone: zone)
    if let stamp = Stamp.syslog(line.span, at: 0, clock: &fresh) {
      require(stamp.end <= line.count, "a stamp ends behind its line")
      // Now the clock knows the minute.
      let again = Stamp.syslog(line.span, at: 0, clock: &fresh)
      require(again?.end == stamp.end && again?.time == stamp.time, "a stamp is read otherwise the second time")
    }
    _ = Stamp.find(in: line.span, clock: &clock)
    if let header = SyslogHeader.parse(line.span, clock: &clock) {
      require(
        header.stamp.upperBound <= header.program.lowerBound && header.program.upperBound <= header.message
          && header.message <= line.count, "parts of the header overlap")
    }
  }

  private static func scan(_ filter: Filter, _ lines: [UInt8]) {
    let set = FilterSet([filter])
    var clock = LogClock(now: Instant(seconds: 1_795_000_000), zone: zone)
    set.scan(lines.span, clock: &clock, history: LineHistory()) { match, line, offset in
      require(offset + line.count <= lines.count, "a line lies outside")
      // What is done with a time later must not trap either.
      _ = match.time.rfc3339()
    }
  }
}
