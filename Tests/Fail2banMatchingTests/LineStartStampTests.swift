import Model
import TestSupport
import Testing

@testable import Fail2banMatching
@testable import Matching

/// What is read by hand must be what the template's regular expression finds: the same bytes, the same moment.
@Suite struct LineStartStampTests {
  private static let stamps = [
    "Nov 21 05:24:01", "Nov  5 05:24:01", "nov 05 23:59:59", "Feb 30 00:00:00", "Mar 00 00:00:00", "May 31 24:00:00",
    "Nov 21 05:24:60", "Nov 21 5:24:01", "Nov 21  5:24:01", "Mon Nov 21 05:24:01", "Nov 21 05:24:01 2026",
    "Nov 21 05:24:01.123", "Nov 21 2026 05:24:01", "2026-11-21T05:24:01", "2026-11-21 05:24:01", "2026-11-21  05:24:01",
    "2026-02-30T05:24:01Z", "2026-11-21T05:24:01.5+01:00", "2026-11-21T05:24:01.123456-11:30", "2026-11-21T05:24:01Z",
    "2026-11-21T05:24:01.1234567Z", "2026-11-21 05:24:01,123", "2026-11-21T05:24:01+0100", "2026-11-21T05:24:01+29:00",
    "2041-11-21T05:24:01Z", "2026/11/21 05:24:01", "2026-13-21T05:24:01Z", "2026-11-32T05:24:01Z",
    "1999-11-21T05:24:01Z",
    "2026-11-21 05:24:01 +0100", "2026-11-21 05:24:01 UTC", "2026-11-21 05:24:01.7",
  ]
  private static let rests = [
    " web sshd[1]: text", " 203.0.113.7 text", " 2026 text", " 1", " ", "", "  x", ": text", " Z", " GMT x", " Umbra",
    "x",
    "7", " \u{e9}t\u{e9}", "\t+01", " [x]", " _x", ".", " +", " 2", " 20",
  ]

  @Test(arguments: LineStartStamp.allCases)
  func itIsWhatTheTemplateFinds(_ stamp: LineStartStamp) throws {
    let template = try DateTemplate.make("{^LN-BEG}" + stamp.datepattern, weight: 100)
    #expect(template.stamp == stamp)
    #expect(try DateTemplate.make(stamp.datepattern).stamp == nil)
    var random = Numbers(state: 7)
    var scratch = MatchScratch()
    var read = 0
    for round in 0..<40_000 {
      var line = Array((Self.stamps.randomElement(using: &random)! + Self.rests.randomElement(using: &random)!).utf8)
      // Some as they are, the others with a byte or two changed, added or taken away.
      for _ in 0..<round % 3 where !line.isEmpty {
        let at = Int.random(in: 0..<line.count, using: &random)
        let byte = Array("0123456789 :-+.TZ/[Jans".utf8).randomElement(using: &random)!
        switch Int.random(in: 0..<3, using: &random) {
        case 0: line[at] = byte
        case 1: line.insert(byte, at: at)
        default: line.remove(at: at)
        }
      }
      var ours = DateFields()
      guard let end = stamp.read(line.span, into: &ours) else { continue }
      read += 1
      let text = String(decoding: line, as: UTF8.self)
      guard scratch.match(template.pattern, line.span) == .matched, case .fields(let groups) = template.reading else {
        Issue.record("\(stamp) only by hand: \(text)")
        continue
      }
      let (whole, cut) = (scratch.group(0), scratch.group(1))
      #expect(whole == 0..<end && cut == 0..<end, "\(stamp): \(text)")
      var theirs = DateFields()
      for (directive, group) in groups {
        guard let range = scratch.group(group) else { continue }
        let isTaken = theirs.take(directive, line.span.extracting(range))
        #expect(isTaken, "\(stamp): \(text)")
      }
      let mine = moment(&ours)
      let other = moment(&theirs)
      #expect(mine == other, "\(stamp): \(text)")
    }
    #expect(read > 1000)
    print("\(stamp): \(read) lines read by hand")
  }

  private func moment(_ fields: inout DateFields) -> Instant? {
    var clock = LogClock(now: Instant(seconds: 1_795_000_000), zone: ZoneOffsets(name: "Europe/Berlin")!)
    var zone = DefaultZone.clock
    return fields.instant(&clock, &zone)
  }

  /// What nearly all lines look like is not left to the template.
  @Test func theUsualLinesAreReadByHand() {
    func end(_ stamp: LineStartStamp, _ line: String) -> Int? {
      let bytes = Array(line.utf8)
      var fields = DateFields()
      return stamp.read(bytes.span, into: &fields)
    }
    #expect(end(.syslog, "Nov 21 05:24:01 web sshd[1]: x") == 15)
    #expect(end(.syslog, "Nov  1 05:24:01 web sshd[1]: x") == 15)
    #expect(end(.iso8601, "2026-11-21T05:24:01.123456+01:00 web x") == 32)
    #expect(end(.iso8601, "2026-11-21T05:24:01Z web x") == 20)
    #expect(end(.iso8601, "2026-11-21 05:24:01 web x") == 19)
  }
}
