import Foundation
import LogSources
import Model
import TestSupport
import Testing

/// After a restart filters see again what the run before has read of the time that they ask for.
@Suite(.timeLimit(.minutes(2))) struct PastLinesTests {
  let directory = TemporaryDirectory()

  private func spec(_ lookBack: TimeSpan) -> SourceSpec {
    var spec = SourceSpec.files([directory("a.log")], start: .beginning)
    spec.lookBack = lookBack
    return spec
  }

  /// A line a second, some without a time.
  private static func lines(_ range: Range<Int>, width: Int = 30) -> [String] {
    range.map { $0 % 7 == 3 ? "no time \($0)" : "\(1_000_000 + $0) " + String(repeating: "x", count: width) }
  }

  private func restart(_ lines: [String], lookBack: TimeSpan, more: [String]) throws -> RecordingSink {
    let last = try #require(lines.last)
    try directory.write(lines.map { $0 + "\n" }.joined(), to: "a.log")
    let first = try RunningReader([spec(lookBack)])
    first.wait("the last line") { first.sink.texts.last == last }
    first.stop()
    #expect(first.sink.pastTexts.isEmpty)
    let second = try RunningReader([spec(lookBack)], positions: first.sink.positions)
    try directory.append(more.map { $0 + "\n" }.joined(), to: "a.log")
    second.wait(forLines: more)
    second.stop()
    return second.sink
  }

  /// Of a log of megabytes only its end is read, from before the time that is asked for, and without a gap.
  @Test func onlyWhatIsAskedFor() throws {
    let lines = Self.lines(0..<40_000, width: 100)
    let past = try restart(lines, lookBack: .seconds(600), more: ["1040000 new"]).pastTexts
    #expect(past == Array(lines.suffix(past.count)))
    #expect(past.count > 600 && past.count < 5000, "\(past.count)")
  }

  @Test func aShortLogIsReadWhole() throws {
    let lines = Self.lines(0..<50)
    #expect(try restart(lines, lookBack: .hours(1), more: ["1000050 new"]).pastTexts == lines)
  }

  @Test func nothingIsReadAgainUnasked() throws {
    #expect(try restart(Self.lines(0..<50), lookBack: .zero, more: ["1000050 new"]).pastTexts.isEmpty)
  }

  /// A log that says no times cannot be asked when something was.
  @Test func linesWithoutTimes() throws {
    #expect(try restart(["a", "b"], lookBack: .hours(1), more: ["c"]).pastTexts.isEmpty)
  }

  /// Rotated meanwhile, and before.
  @Test func throughRotations() throws {
    let (old, middle, new) = (Self.lines(0..<20), Self.lines(20..<40), Self.lines(40..<60))
    try directory.write(old.map { $0 + "\n" }.joined(), to: "a.log")
    let first = try RunningReader([spec(.hours(1))])
    first.wait(forLines: old)
    try directory.rename("a.log", "a.log.2")
    try directory.write(middle.map { $0 + "\n" }.joined(), to: "a.log")
    first.wait(forLines: old + middle)
    first.stop()
    try directory.rename("a.log", "a.log.1")
    try directory.write(new.map { $0 + "\n" }.joined(), to: "a.log")
    let second = try RunningReader([spec(.hours(1))], positions: first.sink.positions)
    second.wait(forLines: new)
    second.stop()
    #expect(second.sink.pastTexts == old + middle)
  }

  @Test func entriesOfTheJournal() throws {
    let journal = try JournalDirectory()
    var spec = SourceSpec.journal(matches: ["_SYSTEMD_UNIT=ssh.service"], directory: journal.path, start: .beginning)
    spec.lookBack = TimeSpan(microseconds: 5000)
    try journal.write((0..<20).map { journal.entry("\($0)") })
    let first = try RunningReader([spec])
    first.wait(forLines: (0..<20).map(String.init))
    first.stop()
    try journal.write((20..<30).map { journal.entry("\($0)") })
    let second = try RunningReader([spec], positions: first.sink.positions)
    second.wait(forLines: (20..<30).map(String.init))
    second.stop()
    // An entry a millisecond.
    #expect(second.sink.pastTexts == (14..<20).map(String.init))
    #expect(second.sink.events.allSatisfy { !$0.isLoss })
  }
}
