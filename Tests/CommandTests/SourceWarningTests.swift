import Foundation
import TestSupport
import Testing

/// A source that is read and says nothing that its filter understands, or says it at the wrong time, is no "ok".
@Suite(.timeLimit(.minutes(3))) struct SourceWarningTests {
  private static func settings(_ scratch: TestDirectory, _ jails: String) throws -> String {
    try scratch.write(
      "bailiff.yaml",
      "state: @/state\nsocket: @/s\nfirewall: {backend: dry-run}\nignoreself: false\njails:\n\(jails)"
        .replacingOccurrences(of: "@", with: scratch.path))
  }

  private static func line(_ offset: TimeInterval = 0, _ port: Int = 4711) -> String {
    let stamp = ISO8601DateFormatter().string(from: Date().addingTimeInterval(offset))
    return "\(stamp) web sshd[9]: Failed password for root from 203.0.113.7 port \(port) ssh2\n"
  }

  /// The warnings as `code subject`, with their texts.
  private static func warnings(_ status: Finished) throws -> [String: String] {
    let warnings = try status.objects.first?["warnings"] as? [[String: Any]] ?? []
    return Dictionary(
      warnings.map { ("\($0["code"] ?? "") \($0["subject"] ?? "")", "\($0["text"] ?? "")") },
      uniquingKeysWith: { first, _ in first })
  }

  @Test func aLogThatNoFilterUnderstandsIsSaid() async throws {
    let scratch = try TestDirectory("sources")
    for name in ["json.log", "plain.log", "good.log"] { _ = try scratch.write(name, "") }
    let config = try Self.settings(
      scratch,
      """
        caddy: {filter: caddy, logpath: [@/json.log], backend: files}
        plain: {filter: sshd, logpath: [@/plain.log], backend: files}
        good: {filter: sshd, logpath: [@/good.log], backend: files}

      """)
    let daemon = try RunningDaemon(config)
    defer { daemon.kill() }
    func status() async throws -> Finished { try await Binary.run("status", "--json", "--config", config) }
    try await poll("the daemon") { try await status().status == 0 }
    let text = (0..<12).map { "worker \($0) has nothing to do\n" }.joined()
    for name in ["json.log", "plain.log"] { try TestDirectory.append(text, to: scratch(name)) }
    try TestDirectory.append(Self.line(), to: scratch("good.log"))
    let expected = Set(["json.log", "plain.log"].map { "source_not_understood \(scratch($0))" })
    try await poll("both warnings") { try await Self.warnings(status()).keys.sorted() == expected.sorted() }
    let found = try await Self.warnings(status())
    let caddy = try #require(found["source_not_understood \(scratch("json.log"))"])
    #expect(
      caddy.hasPrefix(
        "12 lines were read, and none is in the format that filter caddy reads; the first: `worker 0 has nothing to do`"
      ),
      "\(caddy)")
    #expect(found.values.contains { $0.contains("none says which program wrote it, as filter sshd needs") }, "\(found)")
    #expect(try await status().status == 4)

    // One line that it understands is enough.
    try TestDirectory.append(Self.line(), to: scratch("plain.log"))
    try await poll("one is left") {
      try await Array(Self.warnings(status()).keys) == ["source_not_understood \(scratch("json.log"))"]
    }
    #expect(daemon.terminate() == 0)
  }

  @Test func stampsThatAreOffAreSaidAndShown() async throws {
    let scratch = try TestDirectory("clock")
    let log = try scratch.write("a.log", "")
    let config = try Self.settings(scratch, "  sshd: {filter: sshd, logpath: [@/a.log], backend: files}\n")
    let daemon = try RunningDaemon(config)
    defer { daemon.kill() }
    func status() async throws -> Finished { try await Binary.run("status", "--json", "--config", config) }
    try await poll("the daemon") { try await status().status == 0 }
    try await poll("the end of the log") {
      ((try await status().objects.first?["sources"] as? [[String: Any]])?.first?["ok"] as? Bool) == true
    }
    try TestDirectory.append((0..<3).map { Self.line(-7200, $0 + 1) }.joined(), to: log)
    try await poll("the warning") { try await Self.warnings(status())["source_clock \(log)"] != nil }
    let text = try await Self.warnings(status())["source_clock \(log)"]
    #expect(
      text?.hasPrefix("its stamps are 2h behind, so its lines count as of their arrival") == true, "\(text ?? "")")
    let source = try await (status().objects.first?["sources"] as? [[String: Any]])?.first
    #expect((source?["clock_offset"] as? Double).map { abs($0 + 7200) < 60 } == true, "\(source ?? [:])")
    let table = try await Binary.run("status", "--config", config)
    #expect(table.output.contains("ok, stamps 2h behind"), "\(table.output)")
    #expect(daemon.terminate() == 0)
  }

  /// The service writes where the jail does not look.
  @Test func linesThatAreElsewhereAreSaid() async throws {
    let journal = try TestJournal()
    let scratch = journal.scratch
    for name in ["idle.log", "busy.log"] { _ = try scratch.write(name, "") }
    let config = try Self.settings(
      scratch,
      """
        file: {filter: sshd, backend: files, logpath: [@/idle.log], journalmatch: [SYSLOG_IDENTIFIER=sshd]}
        journal: {filter: sshd, backend: journal, logpath: [@/busy.log], journalmatch: [SYSLOG_IDENTIFIER=dropbear]}

      """)
    let daemon = try RunningDaemon(config, in: journal.enter)
    defer { daemon.kill() }
    func warnings() async throws -> [String: String] {
      try await Self.warnings(journal.bailiff("status", "--json", "--config", config))
    }
    try await poll("the daemon") { try await journal.bailiff("status", "--config", config).status != 3 }
    let service = try journal.service()
    try service.write(1)
    try TestDirectory.append(Self.line(), to: scratch("busy.log"))
    try await poll("both warnings") {
      try await warnings().keys.sorted() == ["source_elsewhere file", "source_elsewhere journal"]
    }
    let found = try await warnings()
    let file = try #require(found["source_elsewhere file"])
    #expect(
      file.contains("but from journal SYSLOG_IDENTIFIER=sshd, which is not read: set `backend: journal`"), "\(file)")
    let other = try #require(found["source_elsewhere journal"])
    #expect(other.contains("but from \(scratch("busy.log")), which is not read"), "\(other)")

    // As soon as the source that is read says something, it is the right one.
    try TestDirectory.append(Self.line(), to: scratch("idle.log"))
    try await poll("one is left") { try await Array(warnings().keys) == ["source_elsewhere journal"] }
    #expect(daemon.terminate() == 0)
  }
}
