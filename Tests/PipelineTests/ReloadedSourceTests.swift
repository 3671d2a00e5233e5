import AuditLog
import Foundation
import LogSources
import Model
import System
import TestSupport
import Testing

@testable import Pipeline

/// What a source has counted and what its filters know of it lives through a reload: columns once did not add up, and
/// fail2ban's sessions were forgotten.
@Suite(.timeLimit(.minutes(3))) struct ReloadedSourceTests {
  private func counts(_ daemon: Daemon) -> [Int] {
    guard let source = daemon.sources.first else { return [] }
    return [Int(source.status.lines), source.matched, source.unmatched, source.ignored]
  }

  @Test func countersAddUpAfterReloadsAndRotations() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 100)
    try bench.append([])
    let daemon = try bench.daemon()
    daemon.start()
    try bench.append((0..<4).map { Bench.failure("192.0.2.1", user: "a\($0)") } + ["a line of no interest"])
    try await poll("five lines") { counts(daemon) == [5, 4, 1, 0] }
    _ = try await daemon.reload(uid: 0)
    #expect(counts(daemon) == [5, 4, 1, 0])
    try bench.append([Bench.failure("192.0.2.1", user: "b")])
    try await poll("six lines") { counts(daemon) == [6, 5, 1, 0] }
    try FileManager.default.moveItem(atPath: bench.log, toPath: bench.log + ".1")
    try bench.append([Bench.failure("192.0.2.1", user: "c")])
    try bench.configure(maxretry: 50)
    _ = try await daemon.reload(uid: 0)
    try await poll("seven lines") { counts(daemon) == [7, 6, 1, 0] }
    #expect(daemon.sources[0].status.rotations == 1)
    await stop(daemon)
  }

  /// OpenSSH tells the address of a connection in one line and what became of it in another.
  @Test func sessionsGoOn() async throws {
    let bench = try Bench()
    try bench.configure(
      """
      ssh:
        filter: /etc/fail2ban/filter.d/sshd.conf
        options: {mode: aggressive}
        logpath: [\(bench.log)]
        maxretry: 5
      """)
    try bench.append([])
    let daemon = try bench.daemon()
    daemon.start()
    let stamp = SystemClock.now().rfc3339()
    try bench.append(["\(stamp) web sshd[77]: Connection from 192.0.2.11 port 4711 on 192.0.2.2 port 22"])
    try await poll("the first line") { daemon.sources.first?.status.lines == 1 }
    // The jail's limit changes, its filter does not; another jail joins the log.
    try bench.configure(
      """
      ssh:
        filter: /etc/fail2ban/filter.d/sshd.conf
        options: {mode: aggressive}
        logpath: [\(bench.log)]
        maxretry: 4
      native: {filter: sshd, logpath: [\(bench.log)]}
      """)
    _ = try await daemon.reload(uid: 0)
    try bench.append([
      "\(stamp) web sshd[77]: Disconnecting: Too many authentication failures for root [preauth]"
    ])
    try await poll("one failure") {
      try bench.rows(.failure).contains { $0.jail == "ssh" && $0.id == "192.0.2.11" }
    }
    await stop(daemon)
  }
}
