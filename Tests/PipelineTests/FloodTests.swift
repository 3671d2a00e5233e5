import AuditLog
import Foundation
import Model
import Synchronization
import System
import TestSupport
import Testing

@testable import Pipeline

/// As many failures as can be read, from more addresses than anybody has seen.
@Suite(.timeLimit(.minutes(5))) struct FloodTests {
  private static let failures = 300_000
  private static let addresses = 200_000
  /// Every tenth line is one client's that tries the same name again and again.
  private static let repeated = failures / 10

  @Test func aFlood() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 2)
    try Self.write(to: bench.log)
    let before = Self.resident()
    let daemon = try bench.daemon()
    let began = ContinuousClock.now
    daemon.start()

    // Asked as often as can be, as `status` asks.
    var slowest = Duration.zero
    var total = Duration.zero
    var asked = 0
    var peak = before
    var bansSeen: [Int] = []
    try await poll("the flood to be decided", seconds: 180) {
      let start = ContinuousClock.now
      let health = daemon.health
      let jails = daemon.jailReports
      _ = daemon.sources
      let took = ContinuousClock.now - start
      slowest = max(slowest, took)
      total += took
      asked += 1
      peak = max(peak, Self.resident())
      bansSeen.append(jails[0].bansInForce)
      #expect(health.storeProblem == nil)
      return jails[0].failures == Self.failures
    }
    let decided = ContinuousClock.now - began
    try await poll("the flood to be stored", seconds: 120) { daemon.health.committed == Self.failures }
    let stored = ContinuousClock.now - began
    peak = max(peak, Self.resident())
    let jail = try #require(daemon.jailReports.first)
    await stop(daemon)

    let expected = Self.expectedBans()
    #expect(jail.bansEver == expected)
    #expect(jail.bansInForce == expected)
    // Bans fell all the while, not at the end.
    #expect(Set(bansSeen).count > 3)
    let totals = try AuditStore.readOnly(path: bench.database).totals().values
    let rows = totals.reduce(0) { $0 + $1.rows }
    #expect(totals.reduce(0) { $0 + $1.failures } == Self.failures)
    #expect(rows < Self.failures - Self.repeated / 2, "equal failures of a second are few rows")
    #expect(totals.reduce(0) { $0 + $1.bans } == expected)
    #expect(total / asked < .seconds(1))
    // The store's cache, what is under way, and a window and a ban for each address.
    #expect(peak - before < 600 << 20)
    print(
      "flood: \(Self.failures) failures of \(Self.addresses) addresses decided in \(decided), stored in \(stored); "
        + "\(expected) bans; \(rows) rows; tracked \(jail.tracked), evicted \(jail.evicted); memory "
        + "\(before >> 20) → \(peak >> 20) MiB; status asked \(asked) times: \(total / asked), at most \(slowest)")
  }

  /// Which address the n-th line is of; nil: the client that comes again and again.
  private static func address(_ n: Int) -> Int? {
    n % 10 == 9 ? nil : (n - n / 10) % addresses
  }

  private static func expectedBans() -> Int {
    var seen: [Int: Int] = [:]
    for n in 0..<failures { if let address = address(n) { seen[address, default: 0] += 1 } }
    return seen.values.count { $0 >= 2 } + 1
  }

  private static func write(to path: String) throws {
    var text = Data()
    let stamp = SystemClock.now().rfc3339()
    for n in 0..<failures {
      let who: (address: String, user: String) =
        if let a = address(n) {
          ("10.\(a >> 16).\(a >> 8 & 255).\(a & 255)", "u\(n)")
        } else {
          ("192.0.2.1", "root")
        }
      text += Data(
        "\(stamp) web sshd[812]: Failed password for invalid user \(who.user) from \(who.address) port 4711 ssh2\n".utf8
      )
    }
    try text.write(to: URL(filePath: path))
  }

  /// Bytes of this process in memory (proc(5), statm).
  private static func resident() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4096
  }
}
