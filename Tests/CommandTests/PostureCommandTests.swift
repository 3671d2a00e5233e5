import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct PostureCommandTests {
  @Test func whatIsWrongIsNamedAndCanBeAccepted() async throws {
    let scratch = try TestDirectory("posture")
    try scratch.write("a.log", "")
    let config = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      firewall: {backend: dry-run}
      retention: {failures: 2d}
      jails:
        sshd: {filter: sshd, logpath: [\(scratch.path)/a.log], backend: files}
      """)
    func posture(_ arguments: String...) async throws -> (finished: Finished, reply: [String: Any]) {
      let finished = try await Binary.run(["posture", "--json", "--config", config] + arguments)
      return (finished, try #require(try finished.objects.first, "\(finished)"))
    }
    func check(_ name: String, _ reply: [String: Any]) throws -> [String: Any] {
      let checks = try #require(reply["checks"] as? [[String: Any]])
      return try #require(checks.first { $0["check"] as? String == name })
    }

    let down = try await posture()
    #expect(down.finished.status == 0)
    #expect(try check("daemon_well", down.reply)["state"] as? String == "failed")
    #expect(try check("enforcing", down.reply)["state"] as? String == "not_applicable")

    let daemon = try RunningDaemon(config)
    try await poll("the daemon answers") { try await Binary.run("status", "--config", config).status == 0 }
    let up = try await posture()
    #expect(try check("daemon_well", up.reply)["state"] as? String == "ok")
    let enforcing = try check("enforcing", up.reply)
    #expect(enforcing["state"] as? String == "failed")
    #expect((enforcing["remedy"] as? String)?.contains("backend: auto") == true)
    #expect((try check("retention", up.reply)["evidence"] as? String)?.contains("kept for 2d") == true)
    let score = try #require(up.reply["score"] as? Int)
    #expect((1..<100).contains(score))

    // Accepted with a reason and an end, it weighs as if it were met.
    let accepted = try await posture("--accept", "enforcing", "--reason", "a trial", "--for", "1d").reply
    let risk = try check("enforcing", accepted)
    #expect(risk["state"] as? String == "accepted" && risk["reason"] as? String == "a trial")
    #expect((risk["until"] as? String)?.hasSuffix("Z") == true)
    #expect(try #require(accepted["score"] as? Int) > score)
    // The day's score was kept.
    #expect((accepted["history"] as? [Any])?.count == 1)

    #expect(try await posture("--at-least", "100").finished.status == 4)
    #expect(try await Binary.run("posture", "--accept", "nothing", "--reason", "x").status == 2)
    let api = try await Shell.run("curl -sS --unix-socket \(scratch.path)/s http://bailiff/api/v1/posture")
    #expect(api.text.contains(#""check":"enforcing","state":"accepted""#), "\(api.text)")
    #expect(daemon.terminate() == 0)
  }
}
