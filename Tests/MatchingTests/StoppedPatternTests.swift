import Fail2banMatching
import Filters
import Model
import Testing

@testable import Matching

/// A line on which a pattern is stopped at its limit is lost for it, and nothing else is.
@Suite struct StoppedPatternTests {
  private static let bad = #"^(?:a|aa)*(?:a|aa)*(?:a|aa)*b <host>$"#

  /// Ten lines that stop a pattern, however far apart, do not switch it off for others (14.23).
  @Test func othersAreSeen() throws {
    let filter = try FieldConditionTests.filter(.text, [:], [PatternDefinition(name: "bad", match: Self.bad)])
    let set = FilterSet([filter])
    var stopped = 0
    set.onGiveUp = { _, _ in stopped += 1 }
    var clock = LogClock(now: Instant(rfc3339: "2026-11-28T12:00:00Z")!, zone: ZoneOffsets(name: "UTC")!)
    let history = LineHistory()
    func finds(_ line: String) -> Bool {
      var isFound = false
      set.scan(Array(line.utf8).span, clock: &clock, history: history) { _, _, _ in isFound = true }
      return isFound
    }
    // The prefilter wants a text: without one each line is a candidate.
    let long = String(repeating: "a", count: 3000) + "b 192.0.2.x"
    for _ in 1...30 { #expect(!finds(long)) }
    // On long lines not for a while, which bounds what they cost; on others always.
    #expect(stopped == 10)
    #expect(finds("aab 192.0.2.7"))
    clock.now = clock.now.adding(.minutes(1))
    #expect(!finds(long))
    #expect(stopped == 11)
  }

  /// A sound pattern's work grows with the line, and so does what it may take.
  @Test func longLines() throws {
    let pattern = try Pattern("^(?:b|c|d|e|f|g|h|i|j|k|l|a)*+z", options: .withoutJIT)
    func outcome(_ size: Int, limit: UInt32 = MatchScratch.matchLimit) -> MatchScratch.Outcome {
      var scratch = MatchScratch(matchLimit: limit)
      return scratch.match(pattern, Array((String(repeating: "a", count: size) + "yz").utf8).span)
    }
    for size in [100, 1_000, 5_000, 30_000] { #expect(outcome(size) == .none) }
    // Thirteen steps a byte: without the growth the last of them would be too much.
    guard case .gaveUp = outcome(1_000, limit: 10_000) else {
      Issue.record("the limit of a short line does not hold")
      return
    }
  }
}
