import Foundation
import TestSupport
import Testing

/// One shape a reply: what `--json` prints from the store is what the daemon answers, byte for byte; and members of the
/// socket's group, who may not read the store, get it through the daemon.
@Suite(.timeLimit(.minutes(3))) struct SameBytesTests {
  private static let member = ["setpriv", "--reuid", "65534", "--regid", "4242", "--clear-groups"]

  private static let questions: [(command: [String], uri: String)] = [
    (["explain", "192.0.2.7"], "/api/v1/explain?id=192.0.2.7"),
    (["explain", "192.0.2.7", "--bans", "1"], "/api/v1/explain?id=192.0.2.7&bans=1"),
    (["audit"], "/api/v1/audit"),
    (["audit", "--kind", "failure", "--user", "root"], "/api/v1/audit?kind=failure&user=root"),
    (["audit", "--ip", "192.0.2.0/24", "--limit", "2"], "/api/v1/audit?ip=192.0.2.0%2F24&limit=2"),
    (["top"], "/api/v1/top"), (["top", "--by", "user", "--limit", "1"], "/api/v1/top?by=user&limit=1"),
    (["audit", "verify"], "/api/v1/audit/verify"),
    (["bans"], "/api/v1/bans"), (["bans", "--jail", "sshd"], "/api/v1/bans?jail=sshd"),
  ]

  private static let docs = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "docs/api.md").path

  /// All members' names, at any depth.
  private static func names(in value: Any) -> Set<String> {
    if let list = value as? [Any] { return list.reduce(into: []) { $0.formUnion(names(in: $1)) } }
    guard let object = value as? [String: Any] else { return [] }
    // Its names are data.
    return object.reduce(into: []) { found, member in
      found.insert(member.key)
      if member.key != "removed_through" { found.formUnion(names(in: member.value)) }
    }
  }

  private func settings(_ scratch: TestDirectory, group: Bool = true) throws -> String {
    let log = try scratch.write("auth.log", AuditCommandTests.log(end: Date()))
    return try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      \(group ? "group: \"4242\"" : "")
      firewall: {backend: dry-run}
      jails:
        sshd: {filter: sshd, logpath: [\(log)], backend: files, maxretry: 3, findtime: 10m, bantime: 1h}
      """)
  }

  /// Until the ban and the failures are indexed rows, so that no answer changes any more.
  private func settle(_ config: String) async throws {
    for _ in 0..<200 {
      let top = try await Binary.run("top", "--json", "--config", config)
      if top.status == 0, try top.objects.count == 2 { return try await Task.sleep(for: .seconds(1)) }
      try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("the failures did not come")
  }

  @Test func theStoreAndTheDaemonAnswerAlike() async throws {
    let scratch = try TestDirectory()
    let config = try settings(scratch)
    let daemon = try RunningDaemon(config)
    try await settle(config)
    for (command, uri) in Self.questions {
      let direct = try await Binary.run(command + ["--json", "--config", config])
      #expect(direct.status == 0 && !direct.output.isEmpty, "\(command): \(direct)")
      let api = try await Command.run([
        "/usr/bin/curl", "-sS", "--unix-socket", scratch.path + "/s", "http://bailiff\(uri)",
      ])
      #expect(api.output == direct.output, "\(command)")
      let member = try await Command.run(
        ["/usr/bin/env"] + Self.member + [Binary.path] + command + ["--json", "--config", config])
      #expect(member.status == 0 && member.output == direct.output, "\(command): \(member)")
    }
    // docs/api.md has every member.
    let docs = try String(contentsOfFile: Self.docs, encoding: .utf8)
    for (command, _) in Self.questions {
      let answer = try await Binary.run(command + ["--json", "--config", config])
      let objects = try answer.objects
      for object in objects {
        for name in Self.names(in: object) {
          #expect(docs.contains("`\(name)`"), "\(command): \(name) is not in docs/api.md")
        }
      }
    }
    // What people read, too.
    // Since a day that stands still: both answers say it.
    for command in [
      ["explain", "192.0.2.7"], ["audit"], ["top", "--since", "2026-01-01"], ["audit", "verify"],
      ["audit", "list", "--csv"],
    ] {
      let direct = try await Binary.run(command + ["--config", config])
      let member = try await Command.run(
        ["/usr/bin/env"] + Self.member + [Binary.path] + command + ["--config", config])
      #expect(member.status == 0 && member.output == direct.output, "\(command): \(member)")
    }
    let page = scratch.path + "/report.html"
    let report = try await Command.run(
      ["/usr/bin/env"] + Self.member + [Binary.path, "report", "--output", "-", "--config", config])
    #expect(report.status == 0 && report.output.contains("192.0.2.7"), "\(report.error) \(page)")
    #expect(daemon.terminate() == 0)
  }

  /// "no store yet" would send them looking for a daemon that does not run.
  @Test func whoMayReadNeitherIsToldSo() async throws {
    let scratch = try TestDirectory()
    let config = try settings(scratch, group: false)
    let daemon = try RunningDaemon(config)
    try await settle(config)
    for command in [["explain", "192.0.2.7"], ["audit"], ["top"], ["report", "--output", "-"]] {
      let stranger = try await Command.run(
        ["/usr/bin/env"] + Self.member + [Binary.path] + command + ["--config", config])
      #expect(stranger.status == 2, "\(stranger)")
      #expect(stranger.error.contains("/state/bailiff.db may not be read by this user"), "\(stranger)")
      #expect(stranger.error.contains("group"), "\(stranger)")
    }
    #expect(daemon.terminate() == 0)
  }

  @Test func questionsThatMakeNoSenseAreRefused() async throws {
    let scratch = try TestDirectory()
    let config = try settings(scratch)
    let daemon = try RunningDaemon(config)
    try await settle(config)
    for (uri, text) in [
      ("/api/v1/explain", "`id` is missing"), ("/api/v1/explain?id=192.0.2.7&bans=0", "`bans` is `0`"),
      ("/api/v1/top?by=colour", "`by` is colour"), ("/api/v1/audit?kind=x", "`kind` is x"),
      ("/api/v1/audit?since=tomorrow", "since `tomorrow` is no time"),
      ("/api/v1/audit?limit=many", "`limit` is `many`"),
      ("/api/v1/audit?before=x", "no cursor"), ("/api/v1/audit?ip=hostname", "no address or block"),
      ("/api/v1/audit/verify?checkpoint=x", "no checkpoint"), ("/api/v1/report?since=1h&until=2h", "swap them"),
    ] {
      let answer = try await Command.run([
        "/usr/bin/curl", "-sS", "-w", "%{http_code}", "--unix-socket", scratch.path + "/s", "http://bailiff\(uri)",
      ])
      #expect(answer.output.hasSuffix("\n400") && answer.output.contains(text), "\(uri): \(answer.output)")
    }
    #expect(daemon.terminate() == 0)
  }
}
