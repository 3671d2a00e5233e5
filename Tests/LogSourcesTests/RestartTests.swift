import Foundation
import LogSources
import Model
import Synchronization
import TestSupport
import Testing

/// A sink that loses its process after a number of calls: what came after its last checkpoint is gone, as with SIGKILL
/// before a commit.
final class CrashingSink: LineSink, Sendable {
  struct State {
    var committed: [String] = []
    var pending: [String] = []
    var positions: [String: Position] = [:]
    var events: [SourceEvent] = []
    var callsLeft: Int
  }

  let state: Mutex<State>

  init(committed: [String], positions: [String: Position], events: [SourceEvent], calls: Int) {
    state = Mutex(State(committed: committed, positions: positions, events: events, callsLeft: calls))
  }

  private func call(_ body: (inout sending State) -> Void) {
    state.withLock { state in
      guard state.callsLeft > 0 else { return }
      state.callsLeft -= 1
      body(&state)
    }
  }

  func begin(_ source: SourceInfo) {}

  func consume(message: borrowing Span<UInt8>, of entry: JournalEntry, from source: Int) {
    // Safe: the pointer is used only inside the closure.
    let text = unsafe message.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    call { $0.pending.append(text) }
  }

  func report(_ event: SourceEvent) { call { $0.events.append(event) } }

  func consume(lines: borrowing Span<UInt8>, of origin: LineOrigin, from source: Int) {
    // Safe: the pointer is used only inside the closure.
    let text = unsafe lines.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    call { $0.pending += text.split(separator: "\n").map(String.init) }
  }

  func checkpoint(_ positions: [SourcePosition]) {
    call { state in
      state.committed += state.pending
      state.pending = []
      for position in positions { state.positions[position.source] = position.position }
    }
  }

  var isDead: Bool { state.withLock { $0.callsLeft <= 0 } }
}

@Suite struct RestartTests {
  let directory = TemporaryDirectory()

  @Test func goesOnAtTheStoredPosition() throws {
    try directory.write("1\n2\nha", to: "a.log")
    let spec = SourceSpec.files([directory("a.log")], start: .beginning)
    let first = try RunningReader([spec])
    first.wait(forLines: ["1", "2"])
    first.stop()
    try directory.append("lf\n3\n", to: "a.log")
    let second = try RunningReader([spec], positions: first.sink.positions)
    second.wait(forLines: ["half", "3"])
  }

  @Test func aFileRotatedMeanwhileIsReadToItsEndFirst() throws {
    try directory.write("1\n", to: "a.log")
    let spec = SourceSpec.files([directory("a.log")])
    let first = try RunningReader([spec])
    first.waitUntilReading()
    first.stop()
    try directory.append("2\n", to: "a.log")
    try directory.rename("a.log", "a.log-20261121")
    try directory.write("3\n", to: "a.log")
    let second = try RunningReader([spec], positions: first.sink.positions)
    second.wait(forLines: ["2", "3"])
    #expect(second.sink.events.allSatisfy { !$0.isLoss })
  }

  @Test func filesRotatedSeveralTimesMeanwhileAreReadInTheirOrder() throws {
    try directory.write("1\n", to: "a.log")
    let spec = SourceSpec.files([directory("a.log")])
    let first = try RunningReader([spec])
    first.waitUntilReading()
    first.stop()
    for i in 2..<6 {
      try directory.append("\(i)\n", to: "a.log")
      for old in stride(from: 4, to: 0, by: -1) where FileManager.default.fileExists(atPath: directory("a.log.\(old)"))
      {
        try directory.rename("a.log.\(old)", "a.log.\(old + 1)")
      }
      try directory.rename("a.log", "a.log.1")
    }
    try directory.write("6\n", to: "a.log")
    let second = try RunningReader([spec], positions: first.sink.positions)
    second.wait(forLines: ["2", "3", "4", "5", "6"])
    second.stop()
    let third = try RunningReader([spec], positions: second.sink.positions)
    try directory.append("7\n", to: "a.log")
    third.wait(forLines: ["7"])
  }

  @Test func aFileThatIsGoneIsReportedAsLoss() throws {
    try directory.write("1\n", to: "a.log")
    let spec = SourceSpec.files([directory("a.log")])
    let first = try RunningReader([spec])
    first.waitUntilReading()
    first.stop()
    try FileManager.default.removeItem(atPath: directory("a.log"))
    try directory.write("new\n", to: "b")
    try directory.rename("b", "a.log")
    let second = try RunningReader([spec], positions: first.sink.positions)
    second.wait(forLines: ["new"])
    #expect(second.sink.events.contains { $0.isLoss && $0.source == directory("a.log") })
  }

  @Test func whatWasCompressedMeanwhileIsReadFromThere() throws {
    try directory.write("what was read before\n", to: "a.log")
    let spec = SourceSpec.files([directory("a.log")])
    let first = try RunningReader([spec])
    first.waitUntilReading()
    first.stop()
    try directory.append("2\n3\n", to: "a.log")
    try shell("cd \(directory.path); gzip < a.log > a.log.3.gz; touch -d '2026-11-21 01:00' a.log.3.gz")
    try shell("cd \(directory.path); echo 4 | xz > a.log.2.xz; touch -d '2026-11-21 02:00' a.log.2.xz")
    try shell("cd \(directory.path); echo 5 > a.log.1; touch -d '2026-11-21 03:00' a.log.1")
    // Older than what was read; must not be.
    try shell("cd \(directory.path); echo 0 | gzip > a.log.4.gz; touch -d '2026-11-21 00:00' a.log.4.gz")
    try shell("cd \(directory.path); rm a.log; echo 6 > a.log")
    let second = try RunningReader([spec], positions: first.sink.positions)
    second.wait(forLines: ["2", "3", "4", "5", "6"])
    #expect(second.sink.events.allSatisfy { !$0.isLoss })
    second.stop()
    let third = try RunningReader([spec], positions: second.sink.positions)
    try directory.append("7\n", to: "a.log")
    third.wait(forLines: ["7"])
  }

  /// Whether something was written to a rotated file after the last look cannot be told any more when it is gone: it once
  /// went unsaid.
  @Test func aRotatedFileThatIsGoneIsSaidOnce() throws {
    try directory.write("1\n", to: "a.log")
    let spec = SourceSpec.files([directory("a.log")], start: .beginning)
    let first = try RunningReader([spec])
    first.wait(forLines: ["1"])
    try directory.rename("a.log", "a.log.1")
    try directory.write("2\n", to: "a.log")
    first.wait(forLines: ["1", "2"])
    first.stop()
    try directory.append("late\n", to: "a.log.1")
    try FileManager.default.removeItem(atPath: directory("a.log.1"))
    try directory.append("3\n", to: "a.log")
    let second = try RunningReader([spec], positions: first.sink.positions)
    second.wait(forLines: ["3"])
    second.stop()
    let said = second.sink.events.filter(\.isLoss)
    #expect(said.count == 1 && said[0].description.contains("a rotated file that was read up to byte 2 is gone"))
    var positions = Dictionary(first.sink.positions.map { ($0.source, $0) }) { $1 }
    for position in second.sink.positions { positions[position.source] = position }
    let third = try RunningReader([spec], positions: Array(positions.values))
    try directory.append("4\n", to: "a.log")
    third.wait(forLines: ["4"])
    #expect(third.sink.events.allSatisfy { !$0.isLoss })
  }

  /// A daemon that still held the old file wrote to it after it was read to its end; nobody watched, and it was compressed.
  @Test func whatCameLateIntoAFileThatWasCompressedIsRead() throws {
    try directory.write("what was read before\n", to: "a.log")
    let spec = SourceSpec.files([directory("a.log")])
    let first = try RunningReader([spec])
    first.waitUntilReading()
    try directory.rename("a.log", "a.log.1")
    try directory.write("2\n", to: "a.log")
    first.wait(forLines: ["2"])
    first.stop()
    try directory.append("late\n", to: "a.log.1")
    try shell("cd \(directory.path); mv a.log.1 a.log.2; gzip a.log.2; mv a.log a.log.1; echo 3 > a.log")
    let second = try RunningReader([spec], positions: first.sink.positions)
    second.wait(forLines: ["late", "3"])
    #expect(second.sink.events.allSatisfy { !$0.isLoss })
    second.stop()
    let third = try RunningReader([spec], positions: second.sink.positions)
    try directory.append("4\n", to: "a.log")
    third.wait(forLines: ["4"])
  }

  @Test func aFileThatJoinedAPatternMeanwhileIsReadFromItsBeginning() throws {
    try directory.write("1\n", to: "a.log")
    let spec = SourceSpec.files([directory("*.log")])
    let first = try RunningReader([spec])
    first.waitUntilReading()
    first.stop()
    try directory.write("2\n", to: "b.log")
    let second = try RunningReader([spec], positions: first.sink.positions)
    second.wait(forLines: ["2"])
  }

  enum Rotation: CaseIterable { case rename, copyTruncate }

  /// A daemon writes, its log is rotated, the reader loses its process at any call: every line is committed once.
  @Test(arguments: Rotation.allCases, [1, 2, 3] as [UInt64])
  func everyLineExactlyOnce(rotation: Rotation, seed: UInt64) throws {
    let lines = 4000
    let isWritten = Mutex(false)
    let (path, directory) = (directory("a.log"), directory)
    try directory.write("", to: "a.log")
    // Known before it is first rotated: what was rotated away before anybody looked is nobody's loss.
    let first = try RunningReader([.files([path], start: .beginning)])
    first.waitUntilReading()
    first.stop()
    var positions = Dictionary(first.sink.positions.map { ($0.source, $0.position) }) { $1 }
    try #require(!positions.isEmpty)
    let writing = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      var random = Numbers(state: seed)
      do {
        var files = [try LogWriter(path)]
        var rotations = 0
        for i in 0..<lines {
          let line = "\(i) " + String(repeating: "x", count: Int(random.next() % 120)) + "\n"
          // Sometimes in two pieces, and sometimes still into the file that was renamed away.
          let file = files.count > 1 && random.next() % 4 != 0 ? files[0] : files[files.count - 1]
          let cut = line.utf8.count / 2
          if random.next() % 3 == 0 {
            try file.write(String(line.prefix(cut)))
            if random.next() % 4 == 0 { usleep(300) }
            try file.write(String(line.dropFirst(cut)))
          } else {
            try file.write(line)
          }
          if random.next() % 8 == 0 { usleep(UInt32(random.next() % 1500)) }
          if files.count > 1, random.next() % 20 == 0 { files.removeFirst() }
          guard random.next() % 150 == 0 else { continue }
          // Nothing is ever thrown away, so nothing may be lost.
          for i in stride(from: rotations, to: 0, by: -1) {
            if FileManager.default.fileExists(atPath: directory("a.log.\(i)")) {
              try directory.rename("a.log.\(i)", "a.log.\(i + 1)")
            }
          }
          rotations += 1
          switch rotation {
          case .rename:
            try directory.rename("a.log", "a.log.1")
            files.append(try LogWriter(path))
          case .copyTruncate:
            try shell("cd \(directory.path); cp a.log a.log.1; : > a.log")
          }
        }
      } catch { Issue.record("the writer failed: \(error)") }
      isWritten.withLock { $0 = true }
      writing.signal()
    }
    var random = Numbers(state: seed &+ 1000)
    var committed: [String] = []
    var events: [SourceEvent] = []
    var crashes = 0
    while true {
      let isLast = isWritten.withLock { $0 }
      let sink = CrashingSink(
        committed: committed, positions: positions, events: events,
        calls: isLast ? .max : Int(random.next() % 60) + 1)
      let reader = try LogReader(
        sources: [.files([path], start: .beginning)],
        positions: positions.map { SourcePosition(source: $0.key, position: $0.value) })
      let done = DispatchSemaphore(value: 0)
      Thread.detachNewThread {
        try? reader.run(sink)
        done.signal()
      }
      let end = Date() + 20
      while !sink.isDead, Date() < end {
        if isLast, sink.state.withLock({ $0.committed.count >= lines }) { break }
        if !isLast, isWritten.withLock({ $0 }) { break }
        usleep(200)
      }
      if isLast { usleep(20_000) }
      reader.stop()
      done.wait()
      (committed, positions, events) = sink.state.withLock { ($0.committed, $0.positions, $0.events) }
      if isLast { break }
      crashes += 1
    }
    writing.wait()
    let numbers = committed.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
    var seen = [Int](repeating: 0, count: lines)
    for number in numbers { seen[number] += 1 }
    let lost = seen.indices.filter { seen[$0] == 0 }
    let doubled = seen.indices.filter { seen[$0] > 1 }
    // Nobody can exclude that a file is emptied in the instant between two looks (and a restart makes that instant long):
    // then the loss must have been said.
    let isSaid = rotation == .copyTruncate && events.contains { $0.isLoss }
    let missing = isSaid ? 0 : lost.count
    #expect(
      missing == 0,
      "\(lost.count) lost: \(lost.prefix(10)), \(crashes) crashes; \(events.suffix(8).map(\.description))")
    #expect(doubled.count == 0, "\(doubled.count) doubled: \(doubled.prefix(10)), \(crashes) crashes")
    print("\(rotation), seed \(seed): \(crashes) crashes, \(lost.count) lost, \(doubled.count) doubled of \(lines)")
  }
}
