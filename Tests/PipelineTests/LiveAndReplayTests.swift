import AuditLog
import Foundation
import LogSources
import Model
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// A past log gives the decisions of the live run.
@Suite(.timeLimit(.minutes(3))) struct LiveAndReplayTests {
  private struct Line: Decodable { var line: String }

  struct Made: Hashable, Comparable, CustomStringConvertible {
    var jail: String
    var id: String
    var time: Instant
    var count: Int
    var until: Instant?

    static func < (a: Made, b: Made) -> Bool { (a.jail, a.time, a.id) < (b.jail, b.time, b.id) }
    var description: String { "\(jail) \(id) \(time.rfc3339()) \(count)" }
  }

  @Test func recordedLinesGiveTheSameDecisions() async throws {
    let bench = try Bench()
    let fixtures = Bench.root + "/fixtures/truth"
    let filters = try FileManager.default.contentsOfDirectory(atPath: Bench.root + "/filters")
      .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    // A journal's entries are read from a journal only.
    let files = try FileManager.default.contentsOfDirectory(atPath: fixtures)
      .filter { $0.hasSuffix(".jsonl") && !$0.contains(".journal.") }.sorted()
    var jails = ""
    var texts: [String: Data] = [:]
    for (number, file) in files.enumerated() {
      let lines = try Data(contentsOf: URL(filePath: "\(fixtures)/\(file)")).split(separator: UInt8(ascii: "\n"))
      var text = Data()
      for line in lines {
        guard let decoded = try? JSONDecoder().decode(Line.self, from: line) else { continue }
        text += Data(decoded.line.utf8) + Data("\n".utf8)
      }
      let path = "\(bench.path)/\(number).log"
      texts[path] = text
      // They are there when the daemon comes: lines that it sees being written are about now.
      try text.write(to: URL(filePath: path))
      for filter in filters {
        jails +=
          "j\(number)-\(filter): {filter: \(filter), logpath: [\(path)], maxretry: 2, findtime: 10m, bantime: 5m}\n"
      }
    }
    try bench.configure(jails)
    let daemon = try bench.daemon()
    daemon.start()
    let expected = texts.values.reduce(0) { $0 + $1.count { $0 == UInt8(ascii: "\n") } }
    try await poll("every line") { daemon.sources.reduce(0) { $0 + Int($1.status.lines) } == expected }
    // A tick or two, which end what is over by the clock.
    try await Task.sleep(for: .milliseconds(1500))
    await stop(daemon)
    let live = try bench.rows(.ban).filter { $0.cause == "limit" }.map {
      Made(jail: $0.jail, id: $0.id, time: $0.time, count: $0.count, until: $0.until)
    }

    let replayed = Mutex<[Made]>([])
    let replay = try Replay(bench.settings())
    let summary = try replay.run(texts.keys.sorted()) { decision in
      guard decision.action == .ban else { return }
      replayed.withLock {
        $0.append(
          Made(
            jail: decision.jail, id: decision.identity.description, time: decision.time, count: decision.count,
            until: decision.until))
      }
    }
    // Lines without a stamp happen when they are read.
    let began = daemon.started
    func dated(_ made: [Made]) -> [Made] { made.filter { $0.time < began }.sorted() }
    func undated(_ made: [Made]) -> [String] { made.filter { $0.time >= began }.map { "\($0.jail) \($0.id)" }.sorted() }
    let again = replayed.withLock { $0 }
    #expect(summary.lines == expected)
    #expect(dated(live) == dated(again))
    #expect(undated(live) == undated(again))
    #expect(dated(live).count > 40)
    print(
      "live and replay: \(expected) lines in \(files.count) logs, \(dated(live).count) bans the same, to the microsecond, and \(undated(live).count) of lines without a stamp"
    )
  }
}
