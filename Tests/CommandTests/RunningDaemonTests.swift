import Foundation
import TestSupport
import Testing

/// The commands against `bailiff run` itself, in a dry run.
@Suite(.timeLimit(.minutes(3))) struct RunningDaemonTests {
  /// A daemon that watches one log; it is ended with the test.
  final class Running {
    let scratch: TestDirectory
    let config: String
    let log: String
    private let process = Process()

    init() async throws {
      scratch = try TestDirectory()
      log = try scratch.write("auth.log", "")
      config = scratch.path + "/bailiff.yaml"
      try write(maxretry: "3")
      process.executableURL = URL(fileURLWithPath: Binary.path)
      process.arguments = ["run", "--quiet", "--config", config]
      process.environment = ["TZ": "UTC", "PATH": "/usr/bin:/bin"]
      process.standardError = FileHandle.nullDevice
      try process.run()
      for _ in 0..<300 {
        if try await run("status").status == 0 { return }
        try await Task.sleep(for: .milliseconds(100))
      }
      throw CocoaError(.executableLoad)
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var pid: Int32 { process.processIdentifier }

    func write(maxretry: String) throws {
      _ = try scratch.write(
        "bailiff.yaml",
        """
        state: \(scratch.path)/state
        socket: \(scratch.path)/s
        firewall: {backend: dry-run}
        jails:
          sshd: {filter: sshd, logpath: [\(log)], backend: files, maxretry: \(maxretry), bantime: 1h}
        """)
    }

    func run(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", config])
    }

    /// Three guesses, and the ban that must follow.
    func attack(_ address: String) async throws {
      let stamp = ISO8601DateFormatter().string(from: Date())
      let line = "\(stamp) web sshd[812]: Failed password for root from \(address) port 4711 ssh2\n"
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(String(repeating: line, count: 3).utf8))
      try handle.close()
      for _ in 0..<300 {
        if try await run("bans", "--json").output.contains("\"\(address)\"") { return }
        try await Task.sleep(for: .milliseconds(100))
      }
      Issue.record("no ban of \(address)")
    }
  }

  /// Another socket does not make it another daemon: a store has one writer.
  @Test func aSecondDaemonEndsAndNamesTheFirst() async throws {
    let running = try await Running()
    let settings = try String(contentsOfFile: running.config, encoding: .utf8)
    let second = try running.scratch.write(
      "second.yaml",
      settings.replacingOccurrences(of: "socket: \(running.scratch.path)/s", with: "socket: \(running.scratch.path)/s2")
    )
    for arguments in [["run", "--quiet"], ["replay", "--record", running.log]] {
      let finished = try await Binary.run(arguments + ["--config", second])
      #expect(finished.status == 1, "\(finished)")
      #expect(finished.error.contains("process \(running.pid) writes to it; stop that first"), "\(finished)")
      #expect(finished.error.split(separator: "\n").count == 1)
    }
    #expect(try await running.run("status").status == 0)
  }

  @Test func aBanIsSeenExplainedAndLifted() async throws {
    let daemon = try await Running()
    try await daemon.attack("192.0.2.7")
    let status = try #require(try await daemon.run("status", "--json").objects.first)
    let source = try #require((status["sources"] as? [[String: Any]])?.first)
    #expect(source["read"] as? Int == 3)
    #expect(source["matched"] as? Int == 3)
    #expect(try await daemon.run("explain", "192.0.2.7").output.hasPrefix("192.0.2.7 is banned: in sshd until "))
    #expect(try await daemon.run("unban", "192.0.2.7").status == 0)
    #expect(try await daemon.run("unban", "192.0.2.7").status == 1)
    let unban = try #require(try await daemon.run("audit", "--kind", "unban", "--json").objects.first)
    #expect(unban["uid"] as? Int == 0)
    #expect(unban["command"] as? String == "unban 192.0.2.7")
  }

  /// Comparing identities in a closure once brought the daemon down, when an operator confirmed a ban.
  @Test func aBanIsConfirmed() async throws {
    let daemon = try await Running()
    #expect(try await daemon.run("ban", "203.0.113.0/24", "--confirm", "60s").status == 0)
    #expect(try await daemon.run("confirm", "203.0.113.0/24").status == 0)
    #expect(try await daemon.run("confirm", "203.0.113.0/24").status == 1)
    #expect(try await daemon.run("bans", "--json").objects.count == 1)
  }

  @Test func aBanThatNobodyConfirmsLiftsItself() async throws {
    let daemon = try await Running()
    #expect(try await daemon.run("ban", "203.0.113.0/24", "--confirm", "1s").status == 0)
    for _ in 0..<300 {
      if try await daemon.run("bans", "--json").output.isEmpty { return }
      try await Task.sleep(for: .milliseconds(100))
    }
    Issue.record("the ban is still in force")
  }

  @Test func permanentBansAndWhatNeedsForce() async throws {
    let daemon = try await Running()
    let permanent = try await daemon.run("ban", "203.0.113.5", "--for", "permanent", "--json")
    #expect(try permanent.objects.first?["until"] is NSNull, "\(permanent)")
    #expect(try await daemon.run("bans", "--json").objects.first?["until"] is NSNull)
    for id in ["127.0.0.1", "10.0.0.0/8"] {
      let refused = try await daemon.run("ban", id)
      #expect(refused.status == 1)
      #expect(refused.error.contains("--force"))
      #expect(try await daemon.run("ban", id, "--force").status == 0)
    }
    let ownWayIn = try await Binary.run(
      ["ban", "203.0.113.77", "--config", daemon.config], environment: ["SSH_CONNECTION": "203.0.113.77 5 192.0.2.1 22"]
    )
    #expect(ownWayIn.status == 1)
    #expect(ownWayIn.error.contains("this session comes from 203.0.113.77"))
    #expect(try await daemon.run("ban", "203.0.113.6", "--jail", "none").status == 2)
    #expect(try await daemon.run("ban", "some-name").status == 2)
  }

  /// What a reload would do is told without doing it, and ends with 1 as diff(1) does.
  @Test func whatAReloadWouldChangeIsTold() async throws {
    let daemon = try await Running()
    let same = try await daemon.run("check", "--diff")
    #expect(same.status == 0)
    #expect(same.output == "the running daemon has these settings\n")
    try daemon.write(maxretry: "2")
    for _ in 0..<2 {
      let differs = try await daemon.run("check", "--diff")
      #expect(differs.status == 1)
      let lines = differs.output.replacing(daemon.config, with: "FILE").split(separator: "\n")
      #expect(
        lines == [
          "- jails.sshd.maxretry: 3  # FILE:5", "+ jails.sshd.maxretry: 2  # FILE:5", "  jail sshd: maxretry 3 → 2",
        ], "\(differs)")
    }
    let json = try await daemon.run("check", "--diff", "--json")
    let values = try #require(try json.objects.first?["values"] as? [[String: Any]])
    #expect(values.map { $0["key"] as? String } == ["jails.sshd.maxretry"])
    #expect((values.first?["after"] as? [String: Any])?["value"] as? String == "2")
    try daemon.write(maxretry: "many")
    #expect(try await daemon.run("check", "--diff").status == 2)
    try daemon.write(maxretry: "2")
    #expect(try await daemon.run("reload").output.contains("maxretry 3 → 2"), "it was only looked at before")
    #expect(try await daemon.run("check", "--diff").status == 0)
  }

  @Test func aWrongReloadChangesNothing() async throws {
    let daemon = try await Running()
    try daemon.write(maxretry: "many")
    let wrong = try await daemon.run("reload")
    #expect(wrong.status == 2)
    #expect(wrong.error.contains("bailiff.yaml:5:"))
    #expect(wrong.error.contains("maxretry"))
    try daemon.write(maxretry: "2")
    let right = try await daemon.run("reload")
    #expect(right.status == 0)
    #expect(right.output == "reloaded\n  jail sshd: maxretry 3 → 2\n")
  }
}
