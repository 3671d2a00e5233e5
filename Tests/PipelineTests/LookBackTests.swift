import AuditLog
import Detection
import Foundation
import LogSources
import Model
import System
import TestSupport
import Testing

@testable import Pipeline

/// What a filter must know of lines that were read before a restart: who opened a connection, and what was only counted.
@Suite(.timeLimit(.minutes(3))) struct LookBackTests {
  private func isRead(_ daemon: Daemon, _ offset: Int) -> Bool {
    guard let status = daemon.sources.first?.status, case .file(_, let read) = status.position else { return false }
    return status.lag == 0 && read == UInt64(offset)
  }

  private func size(_ bench: Bench) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: bench.log)[.size] as? Int ?? -1
  }

  private func settle(_ daemon: Daemon, _ bench: Bench) async throws {
    let size = try size(bench)
    if size == 0 { return }
    try await poll("the end of the log") { isRead(daemon, size) }
  }

  private func rotate(_ bench: Bench, _ number: Int) throws {
    try FileManager.default.moveItem(atPath: bench.log, toPath: bench.log + ".\(number)")
    try bench.append([])
  }

  private static func counting(_ bench: Bench) throws {
    try bench.configure(
      "sshd: {filter: sshd, logpath: [\(bench.log)], port: [ssh], limit: 30/1h, record: counts, bantime: 1d}")
  }

  /// Windows of a jail that stores nothing are full after a restart, and a ban has its last lines as evidence.
  @Test(arguments: [false, true]) func countsGoOn(isRotated: Bool) async throws {
    let bench = try Bench()
    try Self.counting(bench)
    try bench.append((0..<28).map { Bench.failure("192.0.2.1", user: "a\($0)", port: 1000 + $0) })
    try bench.append((0..<10).map { Bench.failure("192.0.2.2", user: "b\($0)", port: 2000 + $0) })
    var daemon = try bench.daemon()
    daemon.start()
    try await poll("what was counted") { daemon.sources.first?.matched == 38 }
    try await settle(daemon, bench)
    await stop(daemon)
    #expect(try bench.rows(.failure, .ban).isEmpty)
    if isRotated { try rotate(bench, 1) }

    daemon = try bench.daemon()
    daemon.start()
    try await settle(daemon, bench)
    try bench.append([
      Bench.failure("192.0.2.1", user: "c", port: 3001), Bench.failure("192.0.2.2", user: "c", port: 3002),
    ])
    try await settle(daemon, bench)
    // What is asked goes before what was read: the lines may be undecided yet.
    try await poll("what was counted after the restart") {
      await daemon.onLoop { loop in
        ["192.0.2.1", "192.0.2.2"].map {
          loop.detector.decider.failures(of: Identity($0), in: 0, at: SystemClock.now())
        }
      } == [29, 11]
    }
    #expect(daemon.sources.first?.matched == 2, "lines are counted once")
    try bench.append([Bench.failure("192.0.2.1", user: "d", port: 3003)])
    try await poll("the ban") { try await daemon.bans(jail: "sshd").count == 1 }
    await stop(daemon)
    let ban = try #require(bench.rows(.ban).first)
    #expect(ban.id == "192.0.2.1" && ban.count == 30)
    let shown = try bench.rows(.failure)
    #expect(shown.map(\.user).sorted() == ((10..<28).map { "a\($0)" } + ["c", "d"]).sorted())
    #expect(shown.allSatisfy { $0.id == "192.0.2.1" })

    // What the ban was for does not count again.
    daemon = try bench.daemon()
    daemon.start()
    try await settle(daemon, bench)
    let left = await daemon.onLoop { loop in
      ["192.0.2.1", "192.0.2.2"].map { loop.detector.decider.failures(of: Identity($0), in: 0, at: SystemClock.now()) }
    }
    #expect(left == [0, 11])
    await stop(daemon)
  }

  /// 10,000 connections whose lines are mixed, of which a tenth fail, across restarts, rotations and reloads (16.5).
  @Test func joinedAcrossRestarts() async throws {
    let bench = try Bench()
    try bench.configure(
      "ldap: {filter: openldap, logpath: [\(bench.log)], backend: files, maxretry: 1000, findtime: 1h}")
    let (lines, expected) = Self.connections(10_000)
    #expect(expected.count == 1000)
    let pieces = 8
    try bench.append([])
    var daemon = try bench.daemon()
    daemon.start()
    for piece in 0..<pieces {
      let part = lines[piece * lines.count / pieces..<(piece + 1) * lines.count / pieces]
      try bench.append(Array(part))
      try await settle(daemon, bench)
      switch piece {
      case 0, 3, 5:
        await stop(daemon)
        if piece == 3 { try rotate(bench, piece) }
        daemon = try bench.daemon()
        daemon.start()
        try await settle(daemon, bench)
      case 1, 4: try rotate(bench, piece)
      case 2:
        try bench.configure(
          "ldap: {filter: openldap, logpath: [\(bench.log)], backend: files, maxretry: 900, findtime: 1h}")
        _ = try await daemon.reload(uid: 0)
      default: break
      }
    }
    await stop(daemon)
    let found = try bench.rows(.failure)
    #expect(found.map(\.id).sorted() == expected.sorted())
  }

  /// Lines of slapd, and who failed.
  private static func connections(_ count: Int) -> (lines: [String], failed: [String]) {
    var random = Numbers(state: 5)
    var open: [(conn: Int, step: Int)] = []
    var next = 0
    var (lines, failed): ([String], [String]) = ([], [])
    let stamp = SystemClock.now().rfc3339()
    func line(_ conn: Int, _ text: String) { lines.append("\(stamp) ldap slapd[45]: conn=\(conn) \(text)") }
    while next < count || !open.isEmpty {
      if next < count, open.count < 50 {
        open.append((next, 0))
        next += 1
      }
      let index = Int.random(in: 0..<open.count, using: &random)
      let conn = open[index].conn
      let host = "198.51.\(conn / 250).\(conn % 250)"
      switch open[index].step {
      case 0: line(conn, "fd=12 ACCEPT from IP=\(host):39246 (IP=0.0.0.0:389)")
      case 1: line(conn, "op=0 BIND dn=\"cn=u\(conn)\" method=128")
      case 2 where conn % 10 == 3:
        line(conn, "op=0 RESULT tag=97 err=49 text=")
        failed.append(host)
      case 2: line(conn, "op=0 RESULT tag=97 err=0 text=")
      default:
        line(conn, "fd=12 closed")
        open.remove(at: index)
        continue
      }
      open[index].step += 1
    }
    return (lines, failed)
  }
}
