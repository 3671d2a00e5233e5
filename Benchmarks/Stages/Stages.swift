import AuditLog
import Detection
import Fail2banMatching
internal import Filters
import Foundation
import LogSources
import Matching
import Model
import Settings

/// What each step of a line's way costs, in nanoseconds per line of the log: every step is run alone on what the one before
/// it gave, and is the best of several runs.
///
///     swift run -c release Stages LOG [FILTER]
@main struct Stages {
  private static let runs = 5

  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 2 else {
      print("Stages LOG [FILTER]: nanoseconds per line, stage by stage; FILTER (sshd) is a name or a file")
      exit(2)
    }
    let path = arguments[1]
    let library = FilterLibrary(directories: ["filters"])
    let filter = try Filter(try library.load(arguments.count > 2 ? arguments[2] : "sshd"))
    try Stages(path, filter).measure()
  }

  private let log: PastLog
  private let filter: Filter
  private let lines: Int

  private init(_ path: String, _ filter: Filter) throws {
    log = try PastLog(path)
    self.filter = filter
    lines = Int(try log.read(as: 0, to: Nothing()).lines)
  }

  private func measure() throws {
    print("\(lines) lines; nanoseconds per line of the log")
    let read = try best { _ = try log.read(as: 0, to: Nothing()) }
    row("read and count", read)

    let sink = Matched(filter)
    let matched = try best {
      sink.reset()
      _ = try log.read(as: 0, to: sink)
    }
    row("prefilter, split, match, date", matched - read)
    print("  \(sink.set.counts.candidates) candidates, \(sink.batch.failures.count) failures")

    let batch = sink.batch
    let now = Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1e6))
    let windows = best {
      var table = WindowTable(limit: 5, findtime: .hours(24), seed: (1, 2))
      for failure in batch.failures { _ = table.add(failure.address.bits, at: failure.time, weight: 1) }
    }
    row("window", windows)
    let decided = best {
      var decider = Decider(jails: [Jail(name: "jail", maxretry: 5, findtime: .hours(24))], seed: (1, 2))
      for failure in batch.failures { decider.consider(failure, now: now) { _ in } }
    }
    row("decide (with its windows)", decided)
    row("store", try best { try store(batch) })
  }

  /// Commits in batches of 4,096, as a reader's chunks give them.
  private func store(_ all: FailureBatch) throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "bailiff-stages-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let store = try AuditStore(path: directory.appending(path: "bailiff.db").path)
    let patterns = filter.patternNames.map { PatternName(filter: filter.definition.name, name: $0, file: "") }
    let names = Names(jails: ["jail"], patterns: patterns, sources: ["log"])
    var rest = all.failures[...]
    while !rest.isEmpty {
      var batch = FailureBatch()
      for var failure in rest.prefix(4096) {
        failure.line = all.withBytes(failure.line) { batch.store($0) }
        failure.user = all.withBytes(failure.user) { batch.store($0) }
        batch.append(failure)
      }
      rest = rest.dropFirst(4096)
      try store.commit(batch, names: names)
    }
    store.close()
  }

  private func best(_ body: () throws -> Void) rethrows -> Double {
    var best = Double.infinity
    for _ in 0..<Self.runs {
      let start = ContinuousClock.now
      try body()
      let took = ContinuousClock.now - start
      best = min(best, Double(took.components.seconds) * 1e9 + Double(took.components.attoseconds) / 1e9)
    }
    return best / Double(max(1, lines))
  }

  private func row(_ name: String, _ nanoseconds: Double) {
    print(name.padding(toLength: 32, withPad: " ", startingAt: 0) + String(format: "%10.1f", nanoseconds))
  }
}

/// Takes lines and does nothing.
private final class Nothing: LineSink {
  func begin(_ source: SourceInfo) {}
  func consume(lines: borrowing Span<UInt8>, of origin: LineOrigin, from source: Int) {}
  func consume(message: borrowing Span<UInt8>, of entry: JournalEntry, from source: Int) {}
  func checkpoint(_ positions: [SourcePosition]) {}
  func report(_ event: SourceEvent) {}
}

/// Matches lines with one filter and keeps what matches.
private final class Matched: LineSink {
  private(set) var set: FilterSet
  private(set) var batch = FailureBatch()
  private let filter: Filter
  private var clock = LogClock(now: Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1e6)))
  private var history = LineHistory()

  init(_ filter: Filter) {
    self.filter = filter
    set = FilterSet([filter])
  }

  func reset() {
    set = FilterSet([filter])
    history = LineHistory()
    batch.removeAll()
  }

  func begin(_ source: SourceInfo) {}

  func consume(lines: borrowing Span<UInt8>, of origin: LineOrigin, from source: Int) {
    set.scan(lines, clock: &clock, history: history) { match, line, start in
      var failure = Failure(
        time: match.time, address: match.address, jail: 0, pattern: UInt32(match.pattern), source: 0)
      failure.line = batch.store(line)
      failure.user = batch.store(match.bytes(match.user, in: line).span)
      failure.offset = origin.offset(of: start)
      batch.append(failure)
    }
  }

  func consume(message: borrowing Span<UInt8>, of entry: JournalEntry, from source: Int) {}
  func checkpoint(_ positions: [SourcePosition]) {}
  func report(_ event: SourceEvent) {}
}
