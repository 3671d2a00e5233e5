import Foundation
import TestSupport
import Testing

/// `bailiff stop`, with a kernel's firewall of its own.
@Suite(.timeLimit(.minutes(2))) struct StopTests {
  @Test func bansStayUnlessToldOtherwise() async throws {
    let scratch = try TestDirectory()
    let network = try TestNetwork("ip link set lo up")
    let log = try scratch.write("auth.log", "")
    let config = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      firewall: {backend: ipset}
      jails:
        stdin-free: {filter: \(try scratch.write("own.yaml", Self.filter)), backend: files, logpath: [\(log)]}

      """)
    func bailiff(_ arguments: String...) async throws -> Finished {
      try await Command.run(network.enter + [Binary.path] + arguments + ["--config", config])
    }
    func start() async throws -> RunningDaemon {
      let daemon = try RunningDaemon(config, in: network.enter, isDryRun: false)
      try await poll("the daemon") { try await bailiff("status").status != 3 }
      return daemon
    }

    var daemon = try await start()
    defer { daemon.kill() }
    for id in ["203.0.113.7", "2001:db8:7::/64"] { #expect(try await bailiff("ban", id, "--for", "1h").status == 0) }
    #expect(try network.banned().count == 2)
    let stopped = try await bailiff("stop")
    #expect(stopped.status == 0 && stopped.output.contains("bans stay in force"), "\(stopped)")
    try await poll("its end") { !daemon.isRunning }
    #expect(try network.banned().count == 2, "the kernel goes on dropping")
    #expect(try await bailiff("stop").status == 3)

    daemon = try await start()
    #expect(try await bailiff("bans", "--json").objects.count == 2)
    let lifted = try await bailiff("stop", "--unban")
    #expect(lifted.status == 0 && lifted.output.contains("every ban is lifted"), "\(lifted)")
    try await poll("its end") { !daemon.isRunning }
    #expect(try network.banned() == [])
    let unbans = try await bailiff("audit", "--kind", "unban", "--json")
    #expect(unbans.output.contains("stop --unban"), "\(unbans)")

    daemon = try await start()
    #expect(try await bailiff("bans", "--json").objects.isEmpty)
    #expect(try network.banned() == [])
  }

  private static let filter = """
    service: own
    patterns:
      - {name: knock, match: '^knock from <host>$'}
    samples:
      - {line: 'knock from 192.0.2.1', expect: {pattern: knock, host: 192.0.2.1}}

    """
}
