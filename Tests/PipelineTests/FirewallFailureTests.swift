import AuditLog
import Foundation
import LogSources
import Model
import System
import TestSupport
import Testing

@testable import Firewall
@testable import Pipeline

/// The daemon and the kernel's real firewall, in a network namespace.
@Suite(.serialized, .timeLimit(.minutes(4))) struct FirewallFailureTests {
  /// One netlink call fails, whichever it is: store and kernel agree in the end.
  @Test func theNthNetlinkCallFails() async throws {
    var n = 1
    while true {
      let faults = FaultInjector(failing: n, with: ENOBUFS)
      try await NetworkNamespace.run { try Self.live(faults) }
      guard faults.isSpent else { break }
      n += 1
      try #require(n < 200)
    }
    print("daemon: each of \(n - 1) netlink calls failed once, and store and kernel agreed afterwards")
    #expect(n > 10)
  }

  private static func live(_ faults: FaultInjector) throws {
    let bench = try Bench()
    try bench.configure(maxretry: 2)
    try bench.append([])
    let firewall = IPSetActuator(directories: ["/usr/sbin", "/sbin", "/usr/bin", "/bin"], faults: faults)
    let daemon: Daemon
    do {
      daemon = try bench.daemon(firewall)
    } catch {
      // It says so and does not start; systemd starts it again.
      daemon = try bench.daemon(firewall)
    }
    daemon.start()
    for address in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
      try bench.append((0..<2).map { failure(address, $0) })
      try pollBlocking("a ban") { try bench.rows(.ban).contains { $0.id.hasPrefix(address.prefix(8)) } }
    }
    let wanted = ["192.0.2.1", "192.0.2.2", "2001:db8::/64"]
    try pollBlocking("what the kernel is to hold") { try held() == wanted }
    daemon.stop()
    #expect(try bench.rows(.ban).map(\.id).sorted() == wanted)
    #expect(try bench.rows(.failure).count == 6)
  }

  /// What the kernel holds, asked without the calls that may fail.
  private static func held() throws -> [String] {
    try Programs().run("ipset", ["save"]).split(separator: "\n").filter { $0.hasPrefix("add ") }
      .map { String($0.split(separator: " ")[2]) }.sorted()
  }

  private static func failure(_ address: String, _ n: Int) -> String { Bench.failure(address, user: "u\(n)") }

  enum Damage: CaseIterable { case header, middle }

  /// The store is unreadable: it is kept for whoever can read it, and those who are banned stay banned.
  @Test(arguments: Damage.allCases) func aDamagedStoreIsSetAside(_ damage: Damage) async throws {
    try await NetworkNamespace.run {
      let bench = try Bench()
      try bench.configure(maxretry: 2)
      try bench.append([])
      let firewall = IPSetActuator()
      let first = try bench.daemon(firewall)
      first.start()
      try bench.append((0..<2).map { Self.failure("192.0.2.1", $0) } + [Self.failure("192.0.2.2", 9)])
      try pollBlocking("the failures and a ban") { try bench.rows(.failure).count == 3 && !bench.rows(.ban).isEmpty }
      first.stop()

      let handle = try #require(FileHandle(forUpdatingAtPath: bench.database))
      let size = try handle.seekToEnd()
      try handle.seek(toOffset: damage == .header ? 0 : 4096)
      try handle.write(contentsOf: Data(repeating: 0x5A, count: damage == .header ? 64 : Int(size) - 4096))
      try handle.close()

      let second = try bench.daemon(firewall, start: .end)
      second.start()
      #expect(try firewall.contents().map(\.subnet.description) == ["192.0.2.1"])
      try pollBlocking("the store set aside") { try bench.rows(.operator).contains { $0.action == "store-set-aside" } }
      let kept = try FileManager.default.contentsOfDirectory(atPath: bench.path + "/state")
      #expect(kept.contains { $0.hasPrefix("bailiff.db.damaged-") })
      // It goes on: who fails now is banned too.
      try pollBlocking("the log read again") { second.sources.first?.status.state == .reading }
      try bench.append((0..<2).map { Self.failure("192.0.2.3", $0) })
      try pollBlocking("both bans in the kernel") { try firewall.contents().count == 2 }
      second.stop()
      // And what was taken over is known after another start.
      let third = try bench.daemon(firewall)
      #expect(try firewall.contents().map(\.subnet.description).sorted() == ["192.0.2.1", "192.0.2.3"])
      third.start()
      third.stop()
    }
  }

  /// The store is overwritten under the running daemon: it once went on failing until the next start.
  @Test func aStoreDamagedWhileRunningIsReplaced() async throws {
    try await NetworkNamespace.run {
      let bench = try Bench()
      try bench.configure(maxretry: 2)
      try bench.append([])
      let firewall = IPSetActuator()
      let daemon = try bench.daemon(firewall)
      daemon.start()
      try bench.append((0..<2).map { Self.failure("192.0.2.1", $0) } + [Self.failure("192.0.2.2", 8)])
      try pollBlocking("the failures and a ban") { try bench.rows(.failure).count == 3 && !bench.rows(.ban).isEmpty }

      // Another writer makes SQLite forget what it has read, so that it reads what now is there.
      let other = try AuditStore(path: bench.database)
      try other.record(AuditEvent(time: SystemClock.now(), action: .note))
      for file in [bench.database, bench.database + "-wal"] {
        let handle = try #require(FileHandle(forUpdatingAtPath: file))
        let size = try handle.seekToEnd()
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: Data(repeating: 0x5A, count: Int(size)))
        try handle.close()
      }
      // Its window goes on in memory.
      try bench.append([Self.failure("192.0.2.2", 9)] + (0..<2).map { Self.failure("192.0.2.3", 10 + $0) })
      try pollBlocking("three bans in the kernel") { try firewall.contents().count == 3 }
      try pollBlocking("the new store to have everything") {
        let rows = (try? bench.rows(.operator, .ban, .failure)) ?? []
        return rows.contains { $0.action == "store-set-aside" } && rows.count { $0.kind == .ban } == 3
          && rows.count { $0.kind == .failure } == 3
      }
      #expect(daemon.health.storeProblem == nil)
      daemon.stop()
      let names = try FileManager.default.contentsOfDirectory(atPath: bench.path + "/state")
      #expect(names.contains { $0.hasPrefix("bailiff.db.damaged-") })
      #expect(try AuditStore.readOnly(path: bench.database).verify().isWhole)

      // Another start: the same bans, and no line read twice, though the first were never stored here.
      let second = try bench.daemon(firewall)
      #expect(try firewall.contents().map(\.subnet.description).sorted() == ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
      second.start()
      try bench.append([Self.failure("192.0.2.4", 20)])
      try pollBlocking("the next failure") { try bench.rows(.failure).contains { $0.id == "192.0.2.4" } }
      #expect(try bench.rows(.failure).count == 4)
      #expect(try bench.rows(.ban).map(\.id).sorted() == ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
      second.stop()
    }
  }
}
