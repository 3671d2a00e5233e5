import Foundation
import TestSupport
import Testing

/// What a dry run decided is never carried out, and counts for nothing afterwards.
@Suite(.timeLimit(.minutes(2))) struct GoingLiveTests {
  @Test func bansOfADryRunNeverBecomeReal() async throws {
    let scratch = try TestDirectory("live")
    let network = try TestNetwork("ip link set lo up")
    let log = try scratch.write("auth.log", "")
    let config = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      firewall: {backend: ipset}
      jails:
        sshd: {filter: sshd, backend: files, logpath: [\(log)], maxretry: 3, bantime: 1h, bantime_increment: {factor: 5}}

      """)
    func bailiff(_ arguments: String...) async throws -> Finished {
      try await Command.run(network.enter + [Binary.path] + arguments + ["--config", config])
    }
    func start(isDryRun: Bool) async throws -> RunningDaemon {
      let daemon = try RunningDaemon(config, in: network.enter, isDryRun: isDryRun)
      try await poll("the daemon") { try await bailiff("status").status != 3 }
      return daemon
    }
    func fail(_ address: String, _ count: Int) throws {
      let stamp = ISO8601DateFormatter().string(from: Date())
      let lines = (0..<count).map {
        "\(stamp) web sshd[\($0 + 9)]: Failed password for root from \(address) port \(4711 + $0) ssh2\n"
      }
      try TestDirectory.append(lines.joined(), to: log)
    }
    func bans() async throws -> [String] {
      try await bailiff("bans", "--json").objects.compactMap { $0["id"] as? String }
    }

    let dry = try await start(isDryRun: true)
    defer { dry.kill() }
    try fail("203.0.113.7", 3)
    try fail("203.0.113.8", 2)
    try await poll("a ban on paper") { try await bans() == ["203.0.113.7"] }
    try await poll("the other's failures") { try await bailiff("explain", "203.0.113.8").output.contains("2 of 3") }
    #expect(dry.terminate() == 0)
    #expect(try network.banned() == [])

    var live = try await start(isDryRun: false)
    defer { live.kill() }
    #expect(try await bans() == [])
    #expect(try network.banned() == [])
    let notes = try await bailiff("audit", "--kind", "operator", "--json")
    #expect(
      notes.output.contains(
        "the dry run before would have 1 ban in force: 203.0.113.7 (sshd); it begins without them"), "\(notes)")

    // Its windows are empty: a third failure is the first that counts.
    try fail("203.0.113.8", 1)
    try await poll("a failure") { try await bailiff("explain", "203.0.113.8").output.contains("1 of 3") }
    // Also after another start.
    #expect(live.terminate() == 0)
    live = try await start(isDryRun: false)
    try fail("203.0.113.8", 1)
    try await poll("a failure") { try await bailiff("explain", "203.0.113.8").output.contains("2 of 3") }
    #expect(try await bans() == [])

    // The first real ban is the first: it lasts an hour, not five.
    try fail("203.0.113.7", 3)
    try await poll("a real ban") { try network.banned() == ["203.0.113.7"] }
    let rows = try await bailiff("audit", "--kind", "ban", "--json").objects
    #expect(rows.map { $0["number"] as? Int } == [1, 1])
    #expect(rows.map { $0["dry_run"] as? Bool } == [nil, true])
    let ends = try await bailiff("audit", "--kind", "unban", "--json").objects
    #expect(ends.map { $0["dry_run"] as? Bool } == [true])
    #expect(try await bailiff("audit", "--kind", "ban").output.contains("by limit (dry run)"))

    let story = try await bailiff("explain", "203.0.113.7").output
    #expect(story.contains("the firewall had it"), "\(story)")
    #expect(story.contains("never given to the firewall: a dry run decided it"), "\(story)")
    #expect(story.contains("ended: the dry run was over"), "\(story)")
    #expect(try await bailiff("audit", "verify").status == 0)
    #expect(live.terminate() == 0)
  }
}
