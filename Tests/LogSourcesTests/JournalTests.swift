import Foundation
import LogSources
import Model
import Synchronization
import TestSupport
import Testing

/// A journal directory that systemd-journal-remote writes, so that entries have any field, trusted ones too.
final class JournalDirectory {
  let directory = TemporaryDirectory()
  private var count = 0
  private var start = 1_763_700_000_000_000
  private var parts = 0

  var path: String { directory("journal") }

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  /// Entries are received now from here on; those before were long ago.
  func now() { start = Int(Date().timeIntervalSince1970 * 1e6) }

  /// An entry in the export format (https://systemd.io/JOURNAL_EXPORT_FORMATS): text fields as lines, others with their
  /// length.
  func entry(_ fields: [(String, [UInt8])]) -> [UInt8] {
    count += 1
    let time = start + count * 1000
    var bytes = Array("__REALTIME_TIMESTAMP=\(time)\n__MONOTONIC_TIMESTAMP=\(count * 1000)\n".utf8)
    bytes += Array("_BOOT_ID=5f1c5d9b5b3c4d0c8d3b1f1f2e3d4c5b\n".utf8)
    for (name, value) in fields {
      if value.contains(10) || value.contains(where: { $0 < 32 }) {
        bytes += Array("\(name)\n".utf8)
        bytes += (0..<8).map { UInt8(truncatingIfNeeded: value.count >> ($0 * 8)) }
        bytes += value + [10]
      } else {
        bytes += Array("\(name)=".utf8) + value + [10]
      }
    }
    return bytes + [10]
  }

  func entry(_ message: String, unit: String = "ssh.service", _ more: [(String, String)] = []) -> [UInt8] {
    entry(([("MESSAGE", message), ("_SYSTEMD_UNIT", unit)] + more).map { ($0.0, Array($0.1.utf8)) })
  }

  /// Writes them into a journal file of their own.
  func write(_ entries: [[UInt8]]) throws {
    parts += 1
    let export = directory("part-\(parts).export")
    try Data(entries.flatMap { $0 }).write(to: URL(fileURLWithPath: export))
    try shell(
      "/lib/systemd/systemd-journal-remote -o \(path)/part-\(parts).journal --split-mode=none \(export) 2>/dev/null")
  }
}

@Suite struct JournalTests {
  let journal: JournalDirectory

  init() throws { journal = try JournalDirectory() }

  private func spec(_ matches: [String], _ start: SourceSpec.Start = .beginning) -> SourceSpec {
    .journal(matches: matches, directory: journal.path, start: start)
  }

  @Test func deliversWhatMatchesWithItsFields() throws {
    try journal.write([
      journal.entry("Failed password", [("SYSLOG_IDENTIFIER", "sshd"), ("_PID", "812"), ("_HOSTNAME", "web")]),
      journal.entry("other", unit: "cron.service"),
      journal.entry("from both", unit: "nginx.service", [("_COMM", "nginx")]),
      journal.entry("not both", unit: "nginx.service", [("_COMM", "bash")]),
    ])
    final class Fields: LineSink, Sendable {
      let seen = Mutex<[String]>([])
      func begin(_ source: SourceInfo) {}
      func consume(lines: borrowing Span<UInt8>, of origin: LineOrigin, from source: Int) {}
      func checkpoint(_ positions: [SourcePosition]) {}
      func report(_ event: SourceEvent) {}
      func consume(message: borrowing Span<UInt8>, of entry: JournalEntry, from source: Int) {
        // The message must survive asking for other fields.
        let fields = [entry.text(.identifier), entry.text(.pid), entry.text(.hostname), entry.text(.comm)]
        // Safe: the pointer is used only inside the closure.
        let text = unsafe message.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
        let line = "\(text) \(fields.map { $0 ?? "-" }.joined(separator: " ")) \(entry.realtime.microseconds)"
        seen.withLock { $0.append(line) }
      }
    }
    let sink = Fields()
    let counts = try PastJournal(
      matches: ["_SYSTEMD_UNIT=ssh.service", "_SYSTEMD_UNIT=nginx.service _COMM=nginx"], directory: journal.path
    ).read(as: 0, to: sink)
    #expect(counts.lines == 2)
    #expect(
      sink.seen.withLock { $0 } == [
        "Failed password sshd 812 web - 1763700000001000", "from both - - - nginx 1763700000003000",
      ])
  }

  @Test func messagesOfAnyBytesAndAnyLength() throws {
    let long = [UInt8](repeating: 65, count: 100_000)
    let exact = [UInt8](repeating: 66, count: LineLimit.bytes)
    let binary: [UInt8] = [0, 10, 255, 13, 10, 1]
    try journal.write([
      journal.entry([("MESSAGE", long)]), journal.entry([("MESSAGE", exact)]), journal.entry([("MESSAGE", binary)]),
      journal.entry([("OTHER", [65])]), journal.entry([("MESSAGE", [])]),
    ])
    let run = try RunningReader([spec([])])
    run.wait("four messages") { run.sink.texts.count >= 4 }
    let lines = run.sink.record.withLock { $0.lines }
    #expect(lines == [Array(long.prefix(LineLimit.bytes)), exact, binary, []])
    run.wait("status") { run.reader.status()[0].lines == 5 }
    #expect(run.reader.status()[0].tooLong == 1)
  }

  @Test func newFilesJoinAndTheCursorIsWhereReadingGoesOn() throws {
    try journal.write((0..<10).map { journal.entry("\($0)") })
    let first = try RunningReader([spec(["_SYSTEMD_UNIT=ssh.service"])])
    first.wait(forLines: (0..<10).map(String.init))
    try journal.write((10..<20).map { journal.entry("\($0)") })
    first.wait(forLines: (0..<20).map(String.init))
    first.stop()
    try journal.write((20..<30).map { journal.entry("\($0)") })
    let second = try RunningReader([spec(["_SYSTEMD_UNIT=ssh.service"])], positions: first.sink.positions)
    second.wait(forLines: (20..<30).map(String.init))
    #expect(second.sink.events.allSatisfy { !$0.isLoss })
  }

  /// A service that writes files is read from the journal only while it has none.
  @Test func theJournalInsteadOfFilesThatAreNotThereYet() throws {
    let path = journal.directory("own.log")
    try journal.write([journal.entry("before")])
    let specs = [
      SourceSpec.files([path]),
      .journal(matches: [], directory: journal.path, insteadOf: [path], start: .beginning),
    ]
    let run = try RunningReader(specs)
    run.wait(forLines: ["before"])
    try journal.directory.write("1\n", to: "own.log")
    run.wait(forLines: ["before", "1"])
    run.wait("the journal is left") { run.reader.status().allSatisfy { $0.info.kind == .file } }
    try journal.write([journal.entry("also in the journal")])
    try journal.directory.append("2\n", to: "own.log")
    run.wait(forLines: ["before", "1", "2"])
    run.stop()
    // The file is there from the start now.
    let again = try RunningReader(specs, positions: run.sink.positions)
    try journal.directory.append("3\n", to: "own.log")
    again.wait(forLines: ["3"])
  }

  @Test func startsAtTheEnd() throws {
    try journal.write([journal.entry("old")])
    let first = try RunningReader([spec([], .end)])
    first.waitUntilReading()
    first.stop()
    #expect(first.sink.texts.isEmpty && first.sink.positions.count == 1)
    try journal.write([journal.entry("new")])
    let second = try RunningReader([spec([], .end)], positions: first.sink.positions)
    second.wait(forLines: ["new"])
  }

  /// As with files: what was received after the reload was asked for is read, however late the reader comes to it.
  @Test func aReloadThatWaitsBeginsWhereItWasAskedFor() throws {
    try journal.write([journal.entry("old")])
    let file = journal.directory("a.log")
    try journal.directory.write("a1\n", to: "a.log")
    let files = SourceSpec.files([file], start: .beginning)
    let sink = RecordingSink(holdingAt: "a1")
    let run = try RunningReader([files], sink: sink)
    run.wait("the sink holds the reader") { sink.texts == ["a1"] }
    run.reader.reload(sources: [files, spec([], .end)])
    journal.now()
    try journal.write([journal.entry("new")])
    sink.gate.signal()
    run.wait(forLines: ["a1", "new"])
  }

  @Test func anEmptyJournalsEndIsItsBeginning() throws {
    let first = try RunningReader([spec([], .end)])
    first.waitUntilReading()
    first.stop()
    try journal.write([journal.entry("new")])
    let second = try RunningReader([spec([], .end)], positions: first.sink.positions)
    second.wait(forLines: ["new"])
  }

  @Test func aCursorThatIsGoneIsReportedAndReadingGoesOn() throws {
    try journal.write([journal.entry("1"), journal.entry("2")])
    let first = try RunningReader([spec([])])
    first.wait(forLines: ["1", "2"])
    first.stop()
    try journal.write([journal.entry("3")])
    try journal.write([journal.entry("4")])
    try shell("rm \(journal.path)/part-1.journal \(journal.path)/part-2.journal")
    let second = try RunningReader([spec([])], positions: first.sink.positions)
    second.wait(forLines: ["4"])
    #expect(second.sink.events.contains { $0.isLoss })
    second.stop()
    let third = try RunningReader([spec([])], positions: second.sink.positions)
    third.waitUntilReading()
    usleep(50_000)
    third.stop()
    #expect(third.sink.texts.isEmpty && third.sink.events.allSatisfy { !$0.isLoss })
  }

  @Test func aMissingJournalIsWaitedFor() throws {
    let path = journal.directory("later")
    let run = try RunningReader([.journal(matches: [], directory: path, start: .beginning)])
    run.wait("a source that waits") {
      if case .waiting? = run.reader.status().first?.state { true } else { false }
    }
    try journal.write([journal.entry("1")])
    try shell("mv \(journal.path) \(path)")
    run.wait(forLines: ["1"])
  }

  @Test func matchesAreTakenApart() throws {
    try journal.write([
      journal.entry("a", unit: "a b.service"), journal.entry("c", unit: "c.service"), journal.entry("d", unit: "d"),
    ])
    let run = try RunningReader([spec(["_SYSTEMD_UNIT=\"a b.service\" + _SYSTEMD_UNIT=c.service"])])
    run.wait(forLines: ["a", "c"])
  }

  @Test func aBadMatchIsReported() throws {
    try journal.write([journal.entry("a")])
    let run = try RunningReader([spec(["no equals sign"])])
    run.wait("a source that failed") {
      if case .failed(let text)? = run.reader.status().first?.state {
        text.contains("match no in the journal")
      } else {
        false
      }
    }
  }

  /// journald drops what a service logs too fast, and says so once it goes on.
  @Test func whatJournaldDroppedIsSaid() throws {
    let notice = [
      ("_TRANSPORT", "driver"), ("MESSAGE_ID", "a596d6fe7bfa4994828e72309e95d61e"),
      ("SYSLOG_IDENTIFIER", "systemd-journald"),
    ]
    let forged = [("_TRANSPORT", "journal"), notice[1], notice[2]]
    let service = "systemd-journald.service"
    try journal.write([
      journal.entry("1"), journal.entry("Suppressed 99 messages from cron.service", unit: service, notice),
      journal.entry("Suppressed 1234 messages from ssh.service", unit: service, notice),
      journal.entry("Suppressed 5 messages from ssh.service", unit: "evil.service", forged), journal.entry("2"),
    ])
    let run = try RunningReader([spec(["_SYSTEMD_UNIT=ssh.service"])])
    run.wait(forLines: ["1", "2"])
    run.stop()
    let said = run.sink.events.filter(\.isLoss)
    #expect(said.map(\.kind) == [.rateLimited("Suppressed 1234 messages from ssh.service")])
    #expect(said.first?.description.contains("LogRateLimitIntervalSec=0") == true)
    #expect(run.reader.status()[0].losses == 1)
    // It is at the end of the journal, and is not told again after a restart.
    try journal.write([journal.entry("Suppressed 2 messages from ssh.service", unit: service, notice)])
    let second = try RunningReader([spec(["_SYSTEMD_UNIT=ssh.service"])], positions: run.sink.positions)
    second.wait("the notice") { second.sink.events.contains { $0.isLoss } }
    second.stop()
    let third = try RunningReader([spec(["_SYSTEMD_UNIT=ssh.service"])], positions: second.sink.positions)
    third.waitUntilReading()
    try journal.write([journal.entry("3")])
    third.wait(forLines: ["3"])
    #expect(third.sink.events.allSatisfy { !$0.isLoss })
  }

  @Test func restartsAtAnyEntryGiveEveryEntryOnce() throws {
    for part in 0..<5 { try journal.write((0..<1000).map { journal.entry("\(part * 1000 + $0)") }) }
    var committed: [String] = []
    var positions: [String: Position] = [:]
    var random = Numbers(state: 5)
    while committed.count < 5000 {
      let sink = CrashingSink(
        committed: committed, positions: positions, events: [], calls: Int(random.next() % 6000) + 1)
      let reader = try LogReader(
        sources: [spec(["_SYSTEMD_UNIT=ssh.service"])],
        positions: positions.map { SourcePosition(source: $0.key, position: $0.value) })
      let done = DispatchSemaphore(value: 0)
      Thread.detachNewThread {
        try? reader.run(sink)
        done.signal()
      }
      let end = Date() + 10
      while !sink.isDead, sink.state.withLock({ $0.committed.count < 5000 }), Date() < end { usleep(500) }
      reader.stop()
      done.wait()
      (committed, positions) = sink.state.withLock { ($0.committed, $0.positions) }
    }
    #expect(committed == (0..<5000).map(String.init))
  }
}
