import Foundation
import TestSupport
import Testing

/// What one daemon has, no second one takes.
@Suite(.timeLimit(.minutes(2))) struct SecondDaemonTests {
  private func write(_ scratch: TestDirectory, _ name: String) throws -> String {
    try scratch.write(
      "\(name).yaml",
      """
      state: \(scratch.path)/\(name)
      socket: \(scratch.path)/\(name).s
      firewall: {backend: ipset}
      jails:
        sshd: {filter: sshd, backend: files, logpath: [\(try scratch.write("\(name).log", ""))]}

      """)
  }

  /// Stores and sockets differ, the firewall's names do not: each would take the other's bans for left-overs.
  @Test func twoDoNotShareAFirewall() async throws {
    let scratch = try TestDirectory("second")
    let network = try TestNetwork("ip link set lo up")
    let (first, second) = (try write(scratch, "first"), try write(scratch, "second"))
    func run(_ arguments: String...) async throws -> Finished {
      try await Command.run(network.enter + ["/usr/bin/timeout", "30", Binary.path] + arguments)
    }
    let daemon = try RunningDaemon(first, in: network.enter, isDryRun: false)
    defer { daemon.kill() }
    try await poll("the daemon") { try await run("status", "--config", first).status != 3 }
    #expect(try await run("ban", "203.0.113.7", "--config", first).status == 0)

    let refused = try await run("run", "--config", second)
    #expect(refused.status == 1, "\(refused)")
    let said = refused.error.split(separator: "\n")
    #expect(said.count == 1 && said[0].contains("carries out bans in this network namespace already"), "\(refused)")
    #expect(said.first?.contains("--config \(first)") == true, "\(refused)")
    #expect(try network.banned() == ["203.0.113.7"])

    // A dry run may watch beside it, and whoever comes after its end may have all.
    let watching = try RunningDaemon(second, in: network.enter)
    try await poll("the dry run") { try await run("status", "--config", second).status != 3 }
    #expect(watching.terminate() == 0)
    daemon.kill()
    let next = try RunningDaemon(second, in: network.enter, isDryRun: false)
    try await poll("the next") { try await run("status", "--config", second).status != 3 }
    #expect(next.terminate() == 0)
  }

  @Test func aGroupIsAdmittedByAReload() async throws {
    let scratch = try TestDirectory("group")
    func write(_ group: String) throws -> String {
      try scratch.write(
        "bailiff.yaml",
        "state: \(scratch.path)/state\nsocket: \(scratch.path)/s\nfirewall: {backend: dry-run}\n\(group)\n"
          + "jails: {sshd: {filter: sshd, backend: files, logpath: [\(scratch.path)/a.log]}}\n")
    }
    _ = try scratch.write("a.log", "")
    let config = try write("")
    let daemon = try RunningDaemon(config)
    defer { daemon.kill() }
    func run(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", config])
    }
    func group() throws -> String? {
      try FileManager.default.attributesOfItem(atPath: scratch("s"))[.groupOwnerAccountName] as? String
    }
    try await poll("the daemon") { try await run("status").status == 0 }
    let before = try group()

    _ = try write("group: nogroup")
    let added = try await run("reload")
    #expect(added.status == 0 && added.output.contains("group"), "\(added)")
    #expect(try group() == "nogroup")

    _ = try write("group: no-such-group")
    let wrong = try await run("reload")
    #expect(wrong.status == 2 && wrong.error.contains("there is no group `no-such-group`"), "\(wrong)")
    #expect(try group() == "nogroup")

    _ = try write("")
    #expect(try await run("reload").output.contains("group"))
    #expect(try group() == before)
    #expect(daemon.terminate() == 0)
  }
}
