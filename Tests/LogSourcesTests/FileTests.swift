import Foundation
import LogSources
import Model
import Synchronization
import TestSupport
import Testing

@Suite struct FileTests {
  let directory = TemporaryDirectory()

  @Test func readsWhatIsThereAndWhatComes() throws {
    try directory.write("one\ntwo\r\nhalf", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)])
    run.wait(forLines: ["one", "two\r"])
    try directory.append(" line\nthree\n", to: "a.log")
    run.wait(forLines: ["one", "two\r", "half line", "three"])
    run.wait("status") { run.reader.status().first?.lines == 4 }
    let status = try #require(run.reader.status().first)
    #expect(status.bytes == 25 && status.lag == 0 && status.tooLong == 0)
    guard case .file(_, offset: 25) = status.position else {
      Issue.record("position: \(String(describing: status.position))")
      return
    }
  }

  @Test func startsAtTheEndWithTheLineThatHasNotEnded() throws {
    try directory.write("old\nhalf", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")])])
    run.waitUntilReading()
    try directory.append(" line\nnew\n", to: "a.log")
    run.wait(forLines: ["half line", "new"])
  }

  @Test func startsAfterALineOverTheLimitThatHasNotEnded() throws {
    try directory.write("old\n" + String(repeating: "x", count: 200_000), to: "a.log")
    let run = try RunningReader([.files([directory("a.log")])])
    run.waitUntilReading()
    try directory.append(" rest\nnew\n", to: "a.log")
    run.wait(forLines: ["new"])
  }

  @Test func aFileThatAppearsLaterIsReadFromItsBeginning() throws {
    let run = try RunningReader([.files([directory("a.log"), directory("b*.log")])])
    let waiting = ["there is no such file (yet)", "no file matches (yet)"].map { SourceStatus.State.waiting($0) }
    run.wait("two waiting sources") {
      let states = run.reader.status().map(\.state)
      return states.count == 2 && waiting.allSatisfy(states.contains)
    }
    try directory.write("a1\n", to: "a.log")
    run.wait(forLines: ["a1"])
    try directory.write("b1\n", to: "b1.log")
    run.wait(forLines: ["a1", "b1"])
    try directory.write("c\n", to: "c.log")
    try directory.write("b2\n", to: "b2.log")
    run.wait(forLines: ["a1", "b1", "b2"])
    #expect(
      Set(run.reader.status().map(\.info.name)) == [directory("a.log"), directory("b1.log"), directory("b2.log")])
  }

  @Test func aDirectoryThatAppearsLater() throws {
    let run = try RunningReader([.files([directory("x/y/*.log")])])
    run.wait("a source that waits") { run.reader.status().count == 1 }
    try FileManager.default.createDirectory(atPath: directory("x/y"), withIntermediateDirectories: true)
    try directory.write("1\n", to: "x/y/a.log")
    run.wait(forLines: ["1"])
  }

  @Test func renameAndCreate() throws {
    try directory.write("1\n", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)])
    run.wait(forLines: ["1"])
    let old = try LogWriter(directory("a.log"))
    try directory.rename("a.log", "a.log.1")
    try old.write("2\n")
    try directory.write("3\n", to: "a.log")
    run.wait(forLines: ["1", "2", "3"])
    try old.write("4\n")
    run.wait(forLines: ["1", "2", "3", "4"])
    #expect(run.reader.status().count == 1)
    #expect(run.reader.status()[0].rotations == 1 && run.reader.status()[0].losses == 0)
  }

  @Test func aRotatedFileThatAGlobNamesTooIsNotReadAgain() throws {
    try directory.write("1\n", to: "a.log")
    let run = try RunningReader([.files([directory("a.log*")], start: .beginning)])
    run.wait(forLines: ["1"])
    try directory.rename("a.log", "a.log.1")
    try directory.write("2\n", to: "a.log")
    run.wait(forLines: ["1", "2"])
    try directory.rename("a.log.1", "a.log.2")
    try directory.rename("a.log", "a.log.1")
    try directory.write("3\n", to: "a.log")
    try directory.append("4\n", to: "a.log.2")
    run.wait("four lines") { run.sink.texts.count >= 4 }
    usleep(50_000)
    #expect(run.sink.texts.sorted() == ["1", "2", "3", "4"])
  }

  @Test func copyAndTruncate() throws {
    try directory.write("first line\n", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)])
    run.wait(forLines: ["first line"])
    try shell("cp \(directory("a.log")) \(directory("a.log.1")); : > \(directory("a.log"))")
    run.wait("the truncation") { run.reader.status()[0].truncations == 1 }
    try directory.append("second\n", to: "a.log")
    run.wait(forLines: ["first line", "second"])
    #expect(run.sink.events.contains { $0.isLoss })
  }

  @Test func aTruncatedFileThatIsLongerAlreadyIsRecognised() throws {
    try directory.write("first line\n", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)])
    run.wait(forLines: ["first line"])
    try directory.overwrite("another line, longer than the first\n", in: "a.log")
    run.wait(forLines: ["first line", "another line, longer than the first"])
    #expect(run.reader.status()[0].truncations == 1)
  }

  @Test func aWriterThatDoesNotAppendLeavesAHoleWhenItsFileIsTruncated() throws {
    try directory.write("", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)])
    run.waitUntilReading()
    let handle = try #require(FileHandle(forWritingAtPath: directory("a.log")))
    let long = String(repeating: "x", count: 50_000)
    try handle.write(contentsOf: Data((long + "\n" + long + "\n").utf8))
    run.wait(forLines: [long, long])
    try shell(": > \(directory("a.log"))")
    run.wait("the truncation") { run.reader.status()[0].truncations == 1 }
    try handle.write(contentsOf: Data("after the hole\n".utf8))
    run.wait(forLines: [long, long, "after the hole"])
    #expect(run.reader.status()[0].tooLong == 0)
  }

  @Test func aDeletedFileIsReadToItsEndAndItsSuccessorWhole() throws {
    try directory.write("1\n", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)])
    run.wait(forLines: ["1"])
    let old = try LogWriter(directory("a.log"))
    try FileManager.default.removeItem(atPath: directory("a.log"))
    try old.write("2\n")
    run.wait(forLines: ["1", "2"])
    try directory.write("3\n", to: "a.log")
    run.wait(forLines: ["1", "2", "3"])
  }

  @Test func aSymbolicLinkThatIsPointedElsewhere() throws {
    try directory.write("1\n", to: "one")
    try directory.write("2\n", to: "two")
    try shell("ln -s one \(directory("a.log"))")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)])
    run.wait(forLines: ["1"])
    try shell("ln -s two \(directory("new")); mv -T \(directory("new")) \(directory("a.log"))")
    run.wait(forLines: ["1", "2"])
  }

  @Test func whatIsNoFileIsRefusedAndStopsNothingElse() throws {
    try shell("mkdir \(directory("folder.log")); mkfifo \(directory("fifo.log"))")
    try directory.write("1\n", to: "a.log")
    let run = try RunningReader([.files([directory("*.log")], start: .beginning)])
    run.wait(forLines: ["1"])
    let states = Dictionary(
      uniqueKeysWithValues: run.reader.status().map { (($0.info.name as NSString).lastPathComponent, $0.state) })
    #expect(
      states["folder.log"] == .failed("\(directory("folder.log")) is a directory, not a file; name a regular file"))
    #expect(states["fifo.log"] == .failed("\(directory("fifo.log")) is a named pipe, not a file; name a regular file"))
    #expect(states["a.log"] == .reading)
  }

  @Test func oneFileUnderTwoSpecsIsReadOnce() throws {
    try directory.write("1\n", to: "a.log")
    let run = try RunningReader([
      .files([directory("a.log")], start: .beginning), .files([directory("b.log")]),
      .files([directory("*.log")], start: .beginning),
    ])
    run.wait(forLines: ["1"])
    #expect(run.reader.status().first { $0.info.name == directory("a.log") }?.info.specs == [0, 2])
  }

  @Test func hostileBytes() throws {
    var bytes: [UInt8] = []
    var lines: [[UInt8]] = []
    var random = Numbers(state: 99)
    for _ in 0..<3000 {
      let line = (0..<Int(random.next() % 300)).map { _ in UInt8(truncatingIfNeeded: random.next() >> 32) }.map {
        $0 == 10 ? 0 : $0
      }
      lines.append(line)
      bytes += line + [10]
    }
    try directory.write("", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)])
    // In pieces that end anywhere.
    var at = 0
    while at < bytes.count {
      let end = min(bytes.count, at + Int(random.next() % 5000))
      try directory.append(Data(bytes[at..<end]), to: "a.log")
      at = end
    }
    run.wait("all lines") { run.sink.texts.count >= lines.count }
    #expect(run.sink.record.withLock { $0.lines } == lines)
  }

  @Test func aLongLineThatGrowsInPieces() throws {
    try directory.write("before\n", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)])
    run.wait(forLines: ["before"])
    let piece = String(repeating: "z", count: 30_000)
    for _ in 0..<20 {
      try directory.append(piece, to: "a.log")
      usleep(500)
    }
    try directory.append("\nafter\n", to: "a.log")
    run.wait(forLines: ["before", String(repeating: "z", count: LineLimit.bytes), "after"])
    run.wait("status") { run.reader.status()[0].bytes == 600_014 }
    #expect(run.reader.status()[0].tooLong == 1 && run.reader.status()[0].lines == 3)
  }

  @Test func reloadKeepsWhatStaysAndJoinsWhatIsNew() throws {
    try directory.write("a1\n", to: "a.log")
    try directory.write("b1\n", to: "b.log")
    let a = SourceSpec.files([directory("a.log")], start: .beginning)
    let b = SourceSpec.files([directory("b.log")], start: .beginning)
    let run = try RunningReader([a])
    run.wait(forLines: ["a1"])
    run.reader.reload(sources: [b, a])
    run.wait(forLines: ["a1", "b1"])
    try directory.append("a2\n", to: "a.log")
    run.wait(forLines: ["a1", "b1", "a2"])
    #expect(run.reader.status().map(\.info.specs) == [[1], [0]])
    run.reader.reload(sources: [b])
    run.wait("a source less") { run.reader.status().count == 1 }
    try directory.append("a3\n", to: "a.log")
    try directory.append("b2\n", to: "b.log")
    run.wait(forLines: ["a1", "b1", "a2", "b2"])
    run.reader.reload(sources: [a, b])
    run.wait(forLines: ["a1", "b1", "a2", "b2", "a3"])
  }

  /// The reader waits for its sink (a full disk) while settings are reloaded: what is written until it comes to them is read.
  @Test func aReloadThatWaitsBeginsWhereItWasAskedFor() throws {
    try directory.write("a1\n", to: "a.log")
    try directory.write("old\n", to: "b.log")
    let sink = RecordingSink(holdingAt: "a1")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)], sink: sink)
    run.wait("the sink holds the reader") { sink.texts == ["a1"] }
    let a = SourceSpec.files([directory("a.log")], start: .beginning)
    run.reader.reload(sources: [a, .files([directory("b.log"), directory("c*.log")])])
    try directory.append("b1\n", to: "b.log")
    try directory.write("c1\n", to: "c1.log")
    run.reader.reload(sources: [a, .files([directory("b.log"), directory("c*.log")])])
    try directory.append("b2\n", to: "b.log")
    sink.gate.signal()
    run.wait("all that came since") { sink.texts.count >= 4 }
    #expect(sink.texts.sorted() == ["a1", "b1", "b2", "c1"])
  }
}
