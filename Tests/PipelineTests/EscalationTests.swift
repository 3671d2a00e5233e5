import AuditLog
import LogSources
import Model
import Settings
import Synchronization
import System
import TestSupport
import Testing

@testable import Pipeline

/// Blocks are banned for what is in them, exactly: a daemon that was stopped in between decides what a replay decides.
@Suite(.timeLimit(.minutes(2))) struct EscalationTests {
  private struct Made: Hashable, Comparable, CustomStringConvertible {
    var time: Instant
    var id: String
    var cause: String
    var count: Int
    var number: Int

    static func < (a: Made, b: Made) -> Bool { (a.time, a.id) < (b.time, b.id) }
    var description: String { "\(time.rfc3339()) \(id) \(cause) \(count) \(number)" }
  }

  @Test func aRestartChangesNothing() async throws {
    let bench = try Bench()
    try bench.configure(
      """
      sshd: {filter: sshd, logpath: [\(bench.log)], maxretry: 2, findtime: 10m, bantime: 8m, bantime_increment: true, escalate: {after: 3, within: 40m}}
      """)
    var random = SplitMix(seed: 7)
    var time = SystemClock.now().subtracting(.hours(20))
    let lines = (0..<4000).map { _ -> String in
      time = time.adding(.seconds(Int64(random.next() % 30)))
      let block = random.next() % 3
      let address =
        block == 2 ? "2001:db8:5:\(random.next() % 9)::1" : "198.51.\(100 + block).\(random.next() % 12)"
      return "\(time.rfc3339()) web sshd[812]: Failed password for invalid user x from \(address) port 4711 ssh2"
    }
    var rest = lines[...]
    while !rest.isEmpty {
      let part = Array(rest.prefix(700))
      try bench.append(part)
      rest = rest.dropFirst(700)
      let daemon = try bench.daemon()
      daemon.start()
      try await poll("every line") { daemon.sources.contains { Int($0.status.lines) >= part.count } }
      await stop(daemon)
    }
    let live = try bench.rows(.ban).filter { $0.action == "ban" }.map {
      Made(time: $0.time, id: $0.id, cause: $0.cause, count: $0.count, number: $0.banNumber)
    }.sorted()
    let replayed = Mutex<[Made]>([])
    _ = try Replay(bench.settings()).run([bench.log]) { decision in
      guard decision.action == .ban else { return }
      replayed.withLock {
        $0.append(
          Made(
            time: decision.time, id: "\(decision.identity)", cause: "\(decision.cause)", count: decision.count,
            number: decision.number))
      }
    }
    let once = replayed.withLock { $0.sorted() }
    #expect(
      live == once,
      "\(zip(live, once).first { $0 != $1 }.map { "\($0.0) is not \($0.1)" } ?? "\(live.count) and \(once.count)")")
    let blocks = once.filter { $0.cause == "escalated" }
    #expect(blocks.count > 20 && blocks.contains { $0.number > 1 } && blocks.contains { $0.id.contains(":") })
    print("\(once.count) bans, \(blocks.count) of blocks, the same with five restarts")
  }

  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
      return z ^ z >> 31
    }
  }
}
