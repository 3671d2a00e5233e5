import Foundation
import TestSupport
import Testing

/// A settings file that is broken does not disarm the commands.
@Suite(.timeLimit(.minutes(3))) struct BrokenSettingsTests {
  @Test(arguments: [
    // No YAML at all, an unknown key, a value that is none.
    "jails: {sshd: [", "no_such_key: 1\n", "on_full: perhaps\n",
  ])
  func bansCanStillBeLifted(_ broken: String) async throws {
    let scratch = try TestDirectory("broken")
    try scratch.write("a.log", "")
    let places = "state: \(scratch.path)/state\nsocket: \"\(scratch.path)/s\"  # ours\n"
    let config = try scratch.write(
      "bailiff.yaml",
      places + "firewall: {backend: dry-run}\njails:\n"
        + "  sshd: {filter: sshd, logpath: [\(scratch.path)/a.log], backend: files}\n")
    let daemon = try RunningDaemon(config)
    func run(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", config])
    }
    try await poll("the daemon answers") { try await run("status").status == 0 }
    for id in ["192.0.2.7", "192.0.2.8"] { #expect(try await run("ban", id).status == 0) }

    try scratch.write("bailiff.yaml", places + broken)
    let bans = try await run("bans", "--json")
    #expect(bans.status == 0, "\(bans)")
    #expect(try bans.objects.count == 2, "\(bans)")
    #expect(bans.error.contains("the settings are broken; going on with socket \(scratch.path)/s"), "\(bans)")
    #expect(try await run("status", "--json").objects.count == 1)
    #expect(try await run("explain", "192.0.2.7").status == 0)
    #expect(try await !run("audit", "--json").objects.isEmpty)
    #expect(try await run("unban", "192.0.2.7").status == 0)
    #expect(try await run("bans", "--json").objects.count == 1)
    // What it would do to a file that is not there is another matter.
    #expect(try await Binary.run("bans", "--config", scratch.path + "/none.yaml").status == 2)
    #expect(daemon.terminate() == 0)
  }
}
