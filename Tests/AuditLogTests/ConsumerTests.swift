import Foundation
import Model
import Synchronization
import Testing

@testable import AuditLog

/// Consumers of the log: everything in order, at least once, and nobody waits for them.
@Suite(.timeLimit(.minutes(3))) struct ConsumerTests {
  private func fill(_ store: AuditStore, _ rounds: Range<Int>) throws {
    for i in rounds {
      let time = start.adding(.minutes(Int64(i)))
      try store.commit(
        FailureBatch(
          (0..<3).map { Sample(time: time, address: "192.0.2.\((i * 3 + $0) % 250)", jail: i % 2 == 0 ? 0 : 1) }),
        names: names, decisions: [ban("192.0.2.\(i % 250)", at: time, jail: i % 2 == 0 ? "sshd" : "nginx")])
      try store.record(AuditEvent(time: time, action: .note, detail: "\(i)"))
      // What is in no segment, and what is.
      if i % 4 == 0 { try store.storeAdded() }
    }
  }

  private func name(_ row: AuditRow) -> String { "\(row.kind) \(row.number)" }

  @Test func aPositionFitsACommandLine() throws {
    let position = AuditPosition(store: 0xAB, failure: 12, decision: 0, event: .max)
    #expect(position.description == "000000ab-12-0-9223372036854775807")
    #expect(AuditPosition(position.description) == position)
    for text in [
      "", "1-2-3", "000000ab-1-2", "000000ab-1-2-x", "000000ab-1-2--3", "ab-1-2-3", "000000ag-1-2-3",
      "000000ab-1-2-3-4",
    ] {
      #expect(AuditPosition(text) == nil, "\(text)")
    }
  }

  /// However few rows are asked for at once, and from whichever row it goes on: the same rows in the same order.
  @Test func rowsComeInTheOrderOfStoring() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try fill(store, 0..<12)
    let reader = try scratch.reader()
    let beginning = try reader.beginning()
    func all(from position: AuditPosition, _ filter: AuditFilter, limit: Int) throws -> [AuditRow] {
      var rows: [AuditRow] = []
      var position = position
      while true {
        let delivery = try reader.rows(after: position, filter, limit: limit)
        #expect(delivery.rows.count <= limit)
        rows += delivery.rows
        position = delivery.end
        if !delivery.hasMore { break }
      }
      #expect(position == (try reader.end()))
      return rows
    }
    let expected = (0..<12).flatMap { i in
      (1...3).map { "failure \(i * 3 + $0)" } + ["ban \(i + 1)", "operator \(i + 1)"]
    }
    let rows = try all(from: beginning, AuditFilter(), limit: 1000)
    #expect(rows.map(name) == expected)
    for limit in [1, 2, 3, 7] { #expect(try all(from: beginning, AuditFilter(), limit: limit).map(name) == expected) }
    for (i, row) in rows.enumerated() {
      let rest = try all(from: try #require(row.position), AuditFilter(), limit: 4)
      #expect(rest.map(name) == Array(expected[(i + 1)...]))
    }
    var bans = AuditFilter()
    bans.kinds = [.ban]
    bans.jails = ["nginx"]
    #expect(try all(from: beginning, bans, limit: 2).map(\.number) == [2, 4, 6, 8, 10, 12])
    var failures = AuditFilter()
    failures.kinds = [.failure]
    failures.jails = ["sshd", "nginx"]
    #expect(try all(from: rows[20].position!, failures, limit: 5).map(\.number) == Array(14...36))
  }

  @Test func aPositionOfAnotherStoreIsRefused() throws {
    let (one, two) = (try Scratch(), try Scratch())
    try fill(try one.store(), 0..<2)
    try fill(try two.store(), 0..<2)
    let position = try one.reader().end()
    #expect { try two.reader().rows(after: position, AuditFilter()) } throws: { "\($0)".contains("of another store") }
  }

  /// A store with consumers, as the daemon has it.
  private final class Bench {
    let scratch: Scratch
    let store: AuditStore
    let consumers: Consumers

    init(_ scratch: Scratch) throws {
      self.scratch = scratch
      let store = try scratch.store()
      self.store = store
      consumers = Consumers(path: scratch.path, store: { store }, spawn: { Thread.detachNewThread($1) })
    }

    func stored() { consumers.stored(store.end, at: start) }

    func stop() throws {
      consumers.stop()
      if store.hasMovedPositions { try store.storePositions() }
      store.close()
    }
  }

  private func poll(_ what: String, _ body: () -> Bool) throws {
    let deadline = Date().addingTimeInterval(60)
    while !body() {
      try #require(Date() < deadline, "waited in vain for \(what)")
      usleep(2000)
    }
  }

  /// Part of the rows dealt with, errors, and a consumer that begins late: each row once where nothing crashes.
  @Test func eachRowOnceAlthoughItStumbles() throws {
    struct Busy: Error, CustomStringConvertible { var description: String { "busy" } }
    let bench = try Bench(try Scratch())
    try fill(bench.store, 0..<3)
    let seen = Mutex<(rows: [Int64], calls: Int)>(([], 0))
    let stumbling = DecisionConsumer(name: "stumbling", kinds: [.ban], start: .beginning, limit: 4) { rows in
      try seen.withLock { seen in
        seen.calls += 1
        if seen.calls == 2 { throw Busy() }
        guard seen.calls % 3 == 0, rows.count > 1 else {
          seen.rows += rows.map(\.number)
          return .done
        }
        seen.rows.append(rows[0].number)
        return .later(.milliseconds(3), handled: 1)
      }
    }
    let late = Mutex<[Int64]>([])
    let fromNow = DecisionConsumer(name: "late", kinds: [.ban]) { rows in
      late.withLock { $0 += rows.map(\.number) }
      return .done
    }
    try bench.consumers.start([stumbling, fromNow])
    try poll("the first three") { seen.withLock { $0.rows.count } == 3 }
    for round in 3..<40 {
      try fill(bench.store, round..<round + 1)
      bench.stored()
    }
    try poll("all") { seen.withLock { $0.rows.count } >= 40 }
    try poll("the late one") { late.withLock { $0.count } >= 37 }
    try bench.stop()
    #expect(seen.withLock { $0.rows } == Array(1...40))
    #expect(late.withLock { $0 } == Array(4...40))
  }

  /// One that hangs or is down has everything later; the others are told meanwhile, and so is `status`.
  @Test func nobodyWaitsForOneThatHangs() throws {
    let bench = try Bench(try Scratch())
    let gate = DispatchSemaphore(value: 0)
    let hanging = Mutex(0)
    let quick = Mutex(0)
    let consumers = [
      DecisionConsumer(name: "hanging", kinds: [.ban]) { rows in
        gate.wait()
        gate.signal()
        hanging.withLock { $0 += rows.count }
        return .done
      },
      DecisionConsumer(name: "quick", kinds: [.ban]) { rows in
        quick.withLock { $0 += rows.count }
        return .done
      },
    ]
    try bench.consumers.start(consumers)
    for round in 0..<200 {
      try fill(bench.store, round..<round + 1)
      bench.stored()
    }
    try poll("the quick one") { quick.withLock { $0 } == 200 }
    #expect(hanging.withLock { $0 } == 0)
    let status = bench.consumers.status
    #expect(status.map(\.name) == ["hanging", "quick"])
    #expect(status.map(\.behind) == [200, 0])
    #expect(status.map(\.behindSince) == [start, nil])
    gate.signal()
    try poll("the other one") { hanging.withLock { $0 } == 200 }
    try poll("status") { bench.consumers.status[0].behind == 0 }
    try bench.stop()
  }

  /// After a restart each goes on where it was; what was told and not acknowledged comes again.
  @Test func positionsOutlastTheProcess() throws {
    let scratch = try Scratch()
    let told = Mutex<[Int64]>([])
    func consumer(upTo last: Int64) -> DecisionConsumer {
      DecisionConsumer(name: "mail", kinds: [.ban], limit: 1) { rows in
        guard rows[0].number <= last else { return .later(.seconds(600)) }
        told.withLock { $0.append(rows[0].number) }
        return .done
      }
    }
    var bench = try Bench(scratch)
    try bench.consumers.start([consumer(upTo: 5)])
    try fill(bench.store, 0..<10)
    bench.stored()
    try poll("five") { told.withLock { $0.count } == 5 }
    try poll("its answer") { bench.consumers.status[0].delivered == 5 }
    try bench.stop()
    bench = try Bench(scratch)
    try fill(bench.store, 10..<12)
    try bench.consumers.start([consumer(upTo: .max)])
    try poll("all") { told.withLock { $0.count } == 12 }
    #expect(told.withLock { $0 } == Array(1...12))
    // A reload: the same consumer with other settings goes on as well.
    try bench.consumers.start([consumer(upTo: .max)])
    try fill(bench.store, 12..<13)
    bench.stored()
    try poll("one more") { told.withLock { $0.count } == 13 }
    try bench.stop()
  }

  /// A new store in place of a damaged one: all of it is told, from its beginning.
  @Test func anotherStoreIsToldFromItsBeginning() throws {
    let scratch = try Scratch()
    let first = try scratch.store()
    try fill(first, 0..<3)
    let told = Mutex<[Int64]>([])
    let runner = ConsumerRunner(
      DecisionConsumer(name: "x", kinds: [.ban], start: .end) { rows in
        told.withLock { $0 += rows.map(\.number) }
        return .done
      }, path: scratch.path)
    // As in another process, which looks for itself.
    Thread.detachNewThread { runner.run(poll: .milliseconds(5)) }
    try poll("its start") { runner.position != nil }
    try fill(first, 3..<4)
    try poll("the fourth ban") { told.withLock { $0 } == [4] }
    first.close()
    _ = try AuditStore.setAside(path: scratch.path, at: start)
    let second = try scratch.store()
    try fill(second, 0..<2)
    try poll("the new store's bans") { told.withLock { $0 } == [4, 1, 2] }
    #expect(runner.stop())
  }

  /// SIGKILL at any instant: the file that the consumer writes has every ban, in order, some of them again after a kill.
  @Test func atLeastOnceAcrossKills() throws {
    let scratch = try Scratch()
    let output = scratch.directory + "/told"
    var told = 0
    for round in 0..<10 {
      let process = try StoreWriter.start(scratch.path, output)
      let before = told
      try poll("more bans") {
        told = (try? String(contentsOfFile: output, encoding: .utf8))?.split(separator: "\n").count ?? 0
        return told > before + 5
      }
      usleep(UInt32(round * 1700 % 9000))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(process.terminationReason == .uncaughtSignal, "the writer failed by itself")
    }
    let bench = try Bench(scratch)
    try bench.consumers.start([StoreWriter.consumer(output)])
    let last = bench.store.end.decision
    try poll("the rest") { bench.consumers.status[0].behind == 0 }
    try bench.stop()
    var next: Int64 = 1
    var again = 0
    for line in try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n") {
      let number = try #require(Int64(line))
      try #require(number <= next, "\(next) is missing")
      if number < next { again += 1 } else { next += 1 }
    }
    #expect(next == last + 1)
    print("10 kills, \(last) bans told, \(again) of them twice, none missing")
  }
}

/// The program that commits until it is killed.
enum StoreWriter {
  static func start(_ arguments: String...) throws -> Process {
    let process = Process()
    process.executableURL = URL(
      fileURLWithPath: (try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    )
    .deletingLastPathComponent().appending(path: "storewriter")
    process.arguments = arguments
    try process.run()
    return process
  }

  /// As `storewriter` has it.
  static func consumer(_ path: String) -> DecisionConsumer {
    DecisionConsumer(name: "told", kinds: [.ban], start: .beginning, limit: 3) { rows in
      // Safe: the path and the text are read during the calls only.
      let text = rows.map { "\($0.number)\n" }.joined()
      let file = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
      defer { close(file) }
      return unsafe write(file, text, text.utf8.count) == text.utf8.count ? .done : .later(.milliseconds(10))
    }
  }
}
