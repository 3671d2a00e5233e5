import Foundation
import TestSupport
import Testing

/// Reports that the daemon makes in the background, keeps and sends.
@Suite(.timeLimit(.minutes(5))) struct KeptReportTests {
  private final class Server {
    let directory: TestDirectory
    let config: String
    let mails: String
    private(set) var daemon: RunningDaemon

    /// - Parameter reports: the settings of that name.
    init(_ reports: String) async throws {
      directory = try TestDirectory("reports")
      mails = directory("mails")
      let sendmail = try directory.write("sendmail", "#!/bin/sh\ncat >> \(mails)\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: sendmail)
      let stamp = ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: -30 * 3600))
      let line = "\(stamp) web sshd[812]: Failed password for invalid user <b>root from 203.0.113.7 port 4711 ssh2\n"
      try directory.write("auth.log", String(repeating: line, count: 3))
      config = try directory.write(
        "bailiff.yaml",
        """
        state: \(directory("state"))
        socket: \(directory("socket"))
        firewall: {backend: dry-run}
        outputs:
          mails: {type: mail, to: boss@example.org, from: bailiff@example.org, sendmail: \(sendmail), kinds: [alert]}
        reports: \(reports)
        jails:
          sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))], maxretry: 3, bantime: 1h}
        """)
      daemon = try RunningDaemon(config, isDryRun: false)
      try await isUp()
    }

    deinit { daemon.kill() }

    func isUp() async throws {
      try await poll("it answers") { try await bailiff("report", "list").status == 0 }
    }

    func restart() async throws {
      daemon.kill()
      daemon = try RunningDaemon(config, isDryRun: false)
      try await isUp()
    }

    func bailiff(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", config])
    }

    func reports() async throws -> [[String: Any]] { try await bailiff("report", "list", "--json").objects }

    var files: [String] {
      (try? FileManager.default.contentsOfDirectory(atPath: directory("state/reports")))?.sorted() ?? []
    }
  }

  private static let canPrint = FileManager.default.isExecutableFile(atPath: "/usr/bin/weasyprint")

  @Test func oneIsMadeFetchedAndRemoved() async throws {
    let server = try await Server("{keep: 1y}")
    try await poll("the failures are stored") {
      try await server.bailiff("audit", "--json").output.contains("203.0.113.7")
    }
    #expect(try await server.bailiff("report", "list").output.contains("no reports"))
    let made = try await server.bailiff("report", "make", "--since", "3d", "--wait", "--json")
    #expect(made.status == 0, "\(made)")
    let report = try #require(made.objects.first)
    let id = try #require(report["id"] as? String)
    #expect(report["state"] as? String == "ready" && (report["by"] as? String)?.hasPrefix("root") == true, "\(report)")

    let page = try await server.bailiff("report", "get", id, "--output", "-").output
    for part in [
      "<h2>Summary</h2>", "<h2>Findings</h2>", "<h2>Failures</h2>", "<h2>Bans</h2>", "<h2>Who was let in</h2>",
      "<h2>What operators did</h2>", "<h2>What else happened</h2>", "<h2>Posture: ", "<h2>The record</h2>",
      "3 failures of 1 address", "203.0.113.7", "&lt;b&gt;root",
    ] { #expect(page.contains(part), "\(part)") }
    let checkpoint = try #require(page.firstMatch(of: /class="code">([^<]+)</).map { String($0.1) })
    #expect(try await server.bailiff("audit", "verify", "--checkpoint", checkpoint).status == 0)

    let pdf = server.directory("report.pdf")
    let printed = try await server.bailiff("report", "get", id, "--output", pdf)
    if Self.canPrint {
      #expect(printed.status == 0, "\(printed)")
      #expect(FileManager.default.contents(atPath: pdf)?.prefix(5) == Data("%PDF-".utf8))
    } else {
      #expect(printed.status == 1 && printed.error.contains("WeasyPrint is not installed"), "\(printed)")
    }
    for file in server.files {
      let attributes = try FileManager.default.attributesOfItem(atPath: server.directory("state/reports/\(file)"))
      #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
    }
    #expect(try await server.bailiff("audit", "--kind", "operator").output.contains("report make"))
    for bad in ["../../bailiff.yaml", "nothing"] {
      let answer = try await server.bailiff("report", "get", bad, "--output", "-")
      #expect(answer.status == 1 && answer.error.contains("there is no report"), "\(answer)")
    }
    #expect(try await server.bailiff("report", "make", "--since", "1d", "--until", "2d").status == 2)
    #expect(try await server.bailiff("report", "remove", id).status == 0)
    #expect(server.files.isEmpty, "\(server.files)")
  }

  /// The mail holds the page that can be fetched, and comes once however often the daemon starts.
  @Test func theScheduledOneIsMailedOnce() async throws {
    let server = try await Server("{schedule: daily, output: mails}")
    try await poll("the mail") {
      (try? String(contentsOfFile: server.mails, encoding: .utf8))?.contains("--\n") == true
    }
    try await poll("it is noted") { try await server.reports().first?["sent"] is String }
    try await server.restart()
    let reports = try await server.reports()
    #expect(reports.count == 1 && reports[0]["schedule"] as? String == "daily", "\(reports)")
    let id = try #require(reports.first?["id"] as? String)
    // From midnight to midnight of a zone that is UTC here.
    let midnight = try #require(reports.first?["until"] as? String)
    #expect(midnight.hasSuffix("T00:00:00Z") && (reports[0]["since"] as? String)?.hasSuffix("T00:00:00Z") == true)

    let mail = try String(contentsOfFile: server.mails, encoding: .utf8)
    #expect(mail.components(separatedBy: "Subject: ").count == 2)
    #expect(mail.contains("To: boss@example.org\n") && mail.contains("report of "))
    #expect(mail.contains("filename=\"bailiff-") && mail.contains(".html\""))
    let coded = try #require(mail.firstMatch(of: /Content-Disposition: attachment[^\n]*\n\n([A-Za-z0-9+\/=\n]+)\n--/))
    let page = try #require(Data(base64Encoded: String(coded.1), options: .ignoreUnknownCharacters))
    #expect(
      try await server.bailiff("report", "get", id, "--output", "-").output == String(decoding: page, as: UTF8.self))
  }

  @Test func whatIsTooOldIsRemoved() async throws {
    let server = try await Server("{keep: 30d}")
    #expect(try await server.bailiff("report", "make", "--since", "3d", "--wait").status == 0)
    let kept = server.files
    let entry = try String(
      contentsOfFile: server.directory("state/reports/\(kept.first { $0.hasSuffix(".json") }!)"), encoding: .utf8)
    let made = try #require(entry.firstMatch(of: /"made":"([^"]+)"/).map { String($0.1) })
    let id = try #require(entry.firstMatch(of: /"id":"([^"]+)"/).map { String($0.1) })
    try server.directory.write(
      "state/reports/20200101-000000-abcd.json",
      entry.replacing(made, with: "2020-01-01T00:00:00Z").replacing(id, with: "20200101-000000-abcd"))
    try server.directory.write("state/reports/20200101-000000-abcd.html", "old")
    #expect(try await server.reports().count == 2)
    try await server.restart()
    try await poll("the old one is gone") { server.files == kept }
  }
}
