import AuditLog
import Foundation
import Model
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// New settings while lines are being written.
@Suite(.timeLimit(.minutes(3))) struct ReloadTests {
  @Test func noLineAndNoWindowIsLost() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 3)
    try bench.append([])
    let daemon = try bench.daemon()
    daemon.start()
    // Banned before, and two failures short of it.
    try bench.append((0..<3).map { Bench.failure("192.0.2.1", user: "a\($0)") })
    try bench.append((0..<2).map { Bench.failure("192.0.2.2", user: "b\($0)") })
    try await poll("the first failures") { try bench.rows(.failure).count == 5 }

    let isEnding = Mutex(false)
    let written = Mutex(0)
    let ended = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      while !isEnding.withLock({ $0 }) {
        let n = written.withLock {
          $0 += 1
          return $0
        }
        try? bench.append([Bench.failure("198.51.100.\(n % 250)", user: "w\(n)", port: n)])
        usleep(500)
      }
      ended.signal()
    }
    for round in 0..<8 {
      try bench.configure(maxretry: round % 2 == 0 ? 4 : 1000, bantime: round % 2 == 0 ? "2d" : "1d")
      let (changes, _) = try await daemon.reload(uid: 0)
      #expect(!changes.isEmpty)
      try await Task.sleep(for: .milliseconds(60))
    }
    isEnding.withLock { $0 = true }
    await withCheckedContinuation { done in
      Thread.detachNewThread {
        ended.wait()
        done.resume()
      }
    }
    let total = written.withLock { $0 } + 5
    try await poll("every failure") { try bench.rows(.failure).count >= total }
    let users = try bench.rows(.failure).map(\.user)
    #expect(users.count == total)
    #expect(Set(users).count == total)

    // The window of before: four with the two new ones; the last settings are maxretry 1000.
    try bench.configure(maxretry: 4)
    _ = try await daemon.reload(uid: 0)
    try bench.append((2..<4).map { Bench.failure("192.0.2.2", user: "b\($0)") })
    try await poll("the ban of a window that lived on") {
      try await daemon.bans(jail: "sshd").contains { $0.identity == Identity("192.0.2.2") }
    }
    let bans = try await daemon.bans(jail: "sshd")
    #expect(bans.first { $0.identity == Identity("192.0.2.2") }?.count == 4)
    #expect(bans.first { $0.identity == Identity("192.0.2.1") }?.count == 3, "a ban lives on")
    #expect(try bench.rows(.operator).count { $0.action == "reload" } == 9)
    print("reload: 9 reloads while \(total) lines were written: none lost, none doubled")
    await stop(daemon)
  }

  @Test func wrongSettingsChangeNothing() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 3)
    try bench.append([])
    let daemon = try bench.daemon()
    daemon.start()
    try bench.append([Bench.failure("192.0.2.1", user: "a")])
    for wrong in ["sshd: {filter: no-such-filter, logpath: [\(bench.log)]}", "sshd: {filter: sshd, maxretry: many}"] {
      try bench.configure(wrong)
      await #expect(throws: (any Error).self) { try await daemon.reload(uid: 0) }
    }
    try bench.append((1..<3).map { Bench.failure("192.0.2.1", user: "a\($0)") })
    try await poll("the ban by the old settings") { try await daemon.bans(jail: "sshd").count == 1 }
    #expect(try bench.rows(.operator).allSatisfy { $0.action != "reload" })
    await stop(daemon)
  }

  /// Two at once, as from an impatient operator: the second waits for the first, and both are answered.
  @Test func reloadsFollowOneAnother() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 3)
    try bench.append([])
    let daemon = try bench.daemon()
    daemon.start()
    try bench.configure(maxretry: 4)
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<8 { group.addTask { try await daemon.reload(uid: 0).changes.count } }
      var changes = 0
      for try await count in group { changes += count }
      #expect(changes == 1, "only the first had something to change")
    }
    await stop(daemon)
  }

  /// `status` once waited until the decider was done with a batch, a second in a flood.
  @Test func statusWaitsForNobody() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 3)
    try bench.append([])
    let daemon = try bench.daemon()
    daemon.start()
    let (entered, leave) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    daemon.loop.queue.postUrgent(
      .command(
        .look { _ in
          entered.signal()
          leave.wait()
        }))
    await withCheckedContinuation { done in
      Thread.detachNewThread {
        entered.wait()
        // The decider is at work; all of this is answered.
        #expect(daemon.health.firewallProblem == nil)
        #expect(daemon.jailReports.map(\.name).first == "sshd")
        _ = daemon.sources
        leave.signal()
        done.resume()
      }
    }
    await stop(daemon)
  }
}
