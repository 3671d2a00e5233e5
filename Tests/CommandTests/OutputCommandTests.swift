import Foundation
import TestSupport
import Testing

/// `bailiff output`, and a daemon that tells a receiver, from the log's line to the request.
@Suite(.timeLimit(.minutes(5))) struct OutputCommandTests {
  private static func settings(_ directory: TestDirectory, _ outputs: String) throws -> String {
    let config = try directory.write(
      "bailiff.yaml",
      """
      state: \(directory.path)/state
      socket: \(directory.path)/socket
      firewall: {backend: dry-run}
      jails:
        sshd: {filter: sshd, logpath: [\(directory("auth.log"))], maxretry: 3, findtime: 10m, bantime: 1h}
      outputs:
      \(outputs)
      """)
    try TestDirectory.chmod(config, 0o600)
    return config
  }

  private static func failures(_ address: String) -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "UTC")
    format.dateFormat = "MMM dd HH:mm:ss"
    let stamp = format.string(from: Date())
    return (0..<3).map { "\(stamp) web sshd[81\($0)]: Failed password for root from \(address) port 4711 ssh2\n" }
      .joined()
  }

  @Test func aTestSaysWhatCameBack() async throws {
    let receiver = try Receiver("http_receiver.py")
    let directory = try TestDirectory("output")
    let token = try directory.write("token", "s3cret\n")
    try TestDirectory.chmod(token, 0o600)
    let config = try Self.settings(
      directory,
      """
        ops: {type: webhook, preset: gotify, url: "http://127.0.0.1:\(receiver.port)", token: {file: \(token)}, rate: 1/1d}
        run: {type: program, command: [/bin/false]}
        bad: {type: webhook}
      """)
    let first = try await Binary.run("output", "test", "ops", "--config", config)
    #expect(first.status == 0, "\(first.error)")
    #expect(first.output.hasPrefix("output ops (webhook): 200 {\"said\": \"ok\"}, in "))
    #expect((receiver.seen.first?["headers"] as? [String: String])?["x-gotify-key"] == "s3cret")
    try receiver.answer("401")
    let second = try await Binary.run("output", "test", "ops", "--config", config, "--json")
    #expect(second.status == 1)
    let object = try #require(try second.objects.first)
    #expect(object["delivered"] as? Bool == false && (object["answer"] as? String)?.hasPrefix("401") == true)
    let program = try await Binary.run("output", "test", "run", "--config", config)
    #expect(program.status == 1 && program.error.contains("false ended with 1"))
    let bad = try await Binary.run("output", "test", "bad", "--config", config)
    #expect(bad.status == 2 && bad.error.contains("output `bad` has no `url`"))
    let none = try await Binary.run("output", "test", "opps", "--config", config)
    #expect(none.status == 2 && none.error.contains("there are: ops, run"))
    // Neither `check --show` nor `settings` shows what is secret.
    for command in [["check", "--show"], ["output", "list"], ["output", "test", "ops"]] {
      let result = try await Binary.run(command + ["--config", config])
      #expect(!(result.output + result.error).contains("s3cret"), "\(command)")
    }
  }

  /// A receiver that is down, a daemon that is killed: what was decided arrives, once it can.
  @Test func nothingIsLostAcrossSIGKILL() async throws {
    let receiver = try Receiver("http_receiver.py")
    let (port, seen) = (receiver.port, receiver.directory)
    let directory = try TestDirectory("output")
    try directory.write("auth.log", "")
    let config = try Self.settings(
      directory, "  ops: {type: webhook, url: \"http://127.0.0.1:\(port)/\", kinds: [ban, unban, health]}")
    func told() -> [[String: Any]] {
      ((try? String(contentsOfFile: seen + "/seen", encoding: .utf8)) ?? "").split(separator: "\n").flatMap { line in
        let request = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        let body = (request?["body"] as? String).flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) }
        return ((body as? [String: Any])?["events"] as? [[String: Any]]) ?? []
      }
    }
    func isTold(_ address: String) -> Bool {
      told().contains { $0["id"] as? String == address && $0["action"] as? String == "ban" }
    }

    try FileManager.default.createDirectory(atPath: directory("state"), withIntermediateDirectories: true)
    try directory.write("state/version", "0.0.9\n")
    let first = try RunningDaemon(config, isDryRun: false)
    try directory.append(Self.failures("203.0.113.1"), to: "auth.log")
    try await poll("the first ban is told") { isTold("203.0.113.1") }
    receiver.stop()
    try directory.append(Self.failures("203.0.113.2"), to: "auth.log")
    try await poll("the second is decided") {
      try await Binary.run("bans", "--config", config).output.contains("203.0.113.2")
    }
    first.kill()

    let second = try Receiver("http_receiver.py", port: port, directory: seen)
    let daemon = try RunningDaemon(config, isDryRun: false)
    defer { daemon.kill() }
    try await poll("the second ban is told after all") { isTold("203.0.113.2") }
    try directory.append(Self.failures("203.0.113.3"), to: "auth.log")
    try await poll("and the third") { isTold("203.0.113.3") }
    let bans = told().filter { $0["action"] as? String == "ban" }.compactMap { $0["id"] as? String }
    var order: [String] = []
    for id in bans where !order.contains(id) { order.append(id) }
    #expect(order == ["203.0.113.1", "203.0.113.2", "203.0.113.3"])
    // The daemon's own life is news, too.
    #expect(told().contains { $0["action"] as? String == "start" })
    // An update, too: the first start had found what an earlier version had left behind, the second one its own.
    let updates = told().filter { $0["action"] as? String == "updated" }
    #expect(Set(updates.compactMap { $0["detail"] as? String }) == ["was 0.0.9"])
    let status = try #require(try await Binary.run("status", "--json", "--config", config).objects.first)
    let consumers = (status["consumers"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
    #expect(consumers.contains("output ops"))
    withExtendedLifetime(second) {}
  }

  @Test func aDryRunTellsNobody() async throws {
    let receiver = try Receiver("http_receiver.py")
    let directory = try TestDirectory("output")
    try directory.write("auth.log", Self.failures("192.0.2.1"))
    let config = try Self.settings(
      directory, "  ops: {type: webhook, url: \"http://127.0.0.1:\(receiver.port)/\", kinds: [ban, health]}")
    let daemon = try RunningDaemon(config)
    try await poll("the ban is decided") {
      try await Binary.run("bans", "--config", config).output.contains("192.0.2.1")
    }
    #expect(daemon.terminate() == 0)
    #expect(receiver.seen.isEmpty)
  }
}
