import Foundation
import TestSupport
import Testing

/// One of fail2ban's files that is wrong takes its own jail away and no other one's.
@Suite(.timeLimit(.minutes(5))) struct BadFail2banFilterTests {
  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../fixtures/fail2ban/bad").standardized.path

  @Test func theOtherJailsRun() async throws {
    let scratch = try TestDirectory()
    let log = try scratch.write("auth.log", "")
    let refused = try scratch.write(
      "refused.conf", "[Definition]\nfailregex = ^one <HOST>$\n            ^two ((<HOST>$\n")
    let bad = ["loop", "undefined", "unknown-tag"].map { "\(Self.fixtures)/\($0).conf" } + [refused]
    let jails = bad.enumerated().map { "  bad\($0): {filter: \($1), backend: files, logpath: [\(log)]}\n" }
    let config = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      firewall: {backend: dry-run}
      jails:
      \(jails.joined())
        good: {filter: /etc/fail2ban/filter.d/sshd.conf, backend: files, logpath: [\(log)], maxretry: 2}
      """)
    let checked = try await Binary.run("check", "--config", config)
    #expect(checked.status == 2)
    let reasons = [
      "loop-b.conf:2: [INCLUDES] after: the includes run in a loop",
      "undefined.conf:4: [Definition] failregex: `%(_missing)s` is not defined",
      "unknown-tag.conf:3: [Definition] failregex: there is neither a tag nor an option `<NOSUCH>`",
      "refused.conf: [Definition] failregex 2: missing closing parenthesis",
    ]
    for reason in reasons { #expect((checked.error + checked.output).contains(reason), "\(checked.error)") }

    let (daemon, said) = (Process(), scratch.path + "/said")
    _ = FileManager.default.createFile(atPath: said, contents: nil)
    daemon.executableURL = URL(fileURLWithPath: Binary.path)
    daemon.arguments = ["run", "--config", config]
    daemon.environment = ["TZ": "UTC", "PATH": "/usr/bin:/bin"]
    daemon.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: said))
    try daemon.run()
    defer { kill(daemon.processIdentifier, SIGKILL) }
    // Four jails are missing: a person is needed, and told of each.
    try await poll("the daemon") { try await Binary.run("status", "--config", config).status == 4 }
    let status = try #require(try await Binary.run("status", "--json", "--config", config).objects.first)
    let dropped = (status["warnings"] as? [[String: Any]] ?? []).filter { $0["code"] as? String == "jail_dropped" }
    #expect(dropped.compactMap { $0["subject"] as? String }.sorted() == ["bad0", "bad1", "bad2", "bad3"])
    let stamp = ISO8601DateFormatter().string(from: Date())
    let lines = (1...2).map { "\(stamp) web sshd[\($0)]: Failed password for root from 192.0.2.7 port 4711 ssh2\n" }
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    try handle.write(contentsOf: Data(lines.joined().utf8))
    try handle.close()
    try await poll("a ban") {
      try await Binary.run("bans", "--json", "--config", config).objects.map { "\($0["jail"] ?? "")" } == ["good"]
    }
    let text = try String(contentsOfFile: said, encoding: .utf8)
    for reason in reasons { #expect(text.contains(reason), "\(text)") }
  }
}
