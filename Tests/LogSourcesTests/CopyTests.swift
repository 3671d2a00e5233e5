import Foundation
import LogSources
import Testing

/// A file that joins by a wildcard and is a copy of one that is followed: its lines were once counted twice.
@Suite struct CopyTests {
  let directory = TemporaryDirectory()

  private func lines(_ numbers: Range<Int>) -> [String] {
    numbers.map { "Nov 28 07:00:00 web sshd[\($0)]: Failed password for root from 192.0.2.1 port 1 ssh2" }
  }

  private func text(_ numbers: Range<Int>) -> String { lines(numbers).map { $0 + "\n" }.joined() }

  private func pattern() -> SourceSpec { .files([directory("a.log*")]) }

  /// Waits until nothing comes any more.
  private func settle(_ run: RunningReader, _ count: Int, sourceLocation: SourceLocation = #_sourceLocation) {
    run.wait("\(count) lines", sourceLocation: sourceLocation) { run.sink.texts.count >= count }
    usleep(300_000)
    #expect(run.sink.texts.count == count, sourceLocation: sourceLocation)
  }

  @Test(arguments: ["a.log.1", "a.log-20261128", "a.log.bak"])
  func whatCopytruncateCopiesIsNotReadAgain(copy: String) throws {
    try directory.write("", to: "a.log")
    let run = try RunningReader([pattern()])
    run.waitUntilReading()
    try directory.append(text(0..<3), to: "a.log")
    run.wait(forLines: lines(0..<3))
    try shell("cd \(directory.path); cp a.log \(copy); sleep 0.1; : > a.log")
    run.wait("the truncation") { run.reader.status().contains { $0.truncations == 1 } }
    try directory.append(text(3..<5), to: "a.log")
    settle(run, 5)
    // Once more, with the older copy renamed.
    try shell("cd \(directory.path); mv \(copy) a.log.2; cp a.log \(copy); : > a.log")
    try directory.append(text(5..<6), to: "a.log")
    settle(run, 6)
    #expect(run.sink.texts == lines(0..<6))
  }

  /// logrotate's `copy`: the log goes on, and the next copy takes the name of the last one.
  @Test func theNextCopyIsNotReadAgain() throws {
    try directory.write("", to: "a.log")
    let run = try RunningReader([pattern()])
    run.waitUntilReading()
    try directory.append(text(0..<3), to: "a.log")
    run.wait(forLines: lines(0..<3))
    for (number, more) in [(3, 3..<5), (5, 5..<6), (6, 6..<9)] {
      try shell(
        "cd \(directory.path); for i in 2 1; do [ ! -e a.log.$i ] || mv a.log.$i a.log.$((i+1)); done; cp a.log a.log.1"
      )
      usleep(300_000)
      #expect(run.sink.texts.count == number)
      try directory.append(text(more), to: "a.log")
      settle(run, more.upperBound)
    }
    #expect(run.sink.texts == lines(0..<9))
  }

  /// What came between the last look and the copy is read from the copy, once.
  @Test func whatOnlyTheCopyHoldsIsReadFromIt() throws {
    try directory.write("", to: "a.log")
    let held = lines(2..<3)[0]
    let sink = RecordingSink(holdingAt: held)
    let run = try RunningReader([pattern()], sink: sink)
    run.waitUntilReading()
    try directory.append(text(0..<3), to: "a.log")
    run.wait("the reader is held") { sink.texts.contains(held) }
    try directory.append(text(3..<6), to: "a.log")
    try shell("cd \(directory.path); cp a.log a.log-20261128; : > a.log")
    try directory.append(text(6..<8), to: "a.log")
    sink.gate.signal()
    settle(run, 8)
    #expect(sink.texts == lines(0..<8))
  }

  /// A backup of a log that goes on.
  @Test func aCopyOfALogThatGoesOnIsNotReadAgain() throws {
    try directory.write("", to: "a.log")
    let run = try RunningReader([.files([directory("*.log")])])
    run.waitUntilReading()
    try directory.append(text(0..<100), to: "a.log")
    run.wait(forLines: lines(0..<100))
    try shell("cd \(directory.path); cp a.log backup.log")
    try directory.append(text(100..<101), to: "a.log")
    settle(run, 101)
    // It becomes a log of its own.
    try directory.append(text(200..<202), to: "backup.log")
    settle(run, 103)
    #expect(Array(run.sink.texts.suffix(2)) == lines(200..<202))
  }

  /// Two logs with the same lines, as syslog writes them, for different readers: each has all of them.
  @Test func logsThatAreNamedApartAreReadApart() throws {
    try directory.write("", to: "a.log")
    let specs = ["a.log", "b.log"].map { SourceSpec.files([directory($0)], start: .beginning) }
    let run = try RunningReader(specs)
    run.waitUntilReading()
    try directory.append(text(0..<20), to: "a.log")
    run.wait(forLines: lines(0..<20))
    try directory.write(text(0..<20), to: "new")
    try directory.rename("new", "b.log")
    settle(run, 40)
  }

  /// Logs may begin alike: a banner, a header.
  @Test func aLogThatBeginsAsAnotherIsReadWhole() throws {
    let banner = String(repeating: "# a banner that every log of this service begins with\n", count: 10)
    try directory.write("", to: "a.log")
    let run = try RunningReader([.files([directory("*.log")])])
    run.waitUntilReading()
    try directory.append(banner + text(0..<5), to: "a.log")
    run.wait("the first log") { run.sink.texts.count == 15 }
    try directory.write(banner + text(5..<15), to: "new")
    try directory.rename("new", "b.log")
    settle(run, 35)
  }

  @Test func aCopyIsNotReadAgainAfterARestart() throws {
    try directory.write("", to: "a.log")
    let first = try RunningReader([pattern()])
    first.waitUntilReading()
    try directory.append(text(0..<3), to: "a.log")
    first.wait(forLines: lines(0..<3))
    first.stop()
    try shell("cd \(directory.path); cp a.log a.log.1; : > a.log")
    try directory.append(text(3..<5), to: "a.log")
    let second = try RunningReader([pattern()], positions: first.sink.positions)
    settle(second, 2)
    second.stop()
    try directory.append(text(5..<6), to: "a.log")
    let third = try RunningReader([pattern()], positions: second.sink.positions + first.sink.positions)
    third.stop()
  }
}
