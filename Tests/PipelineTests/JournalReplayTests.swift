import Detection
import Filters
import Foundation
import Model
import Settings
import TestSupport
import Testing

@testable import Pipeline

/// `replay` of a journal's directory, as systemd-journal-remote writes it.
@Suite struct JournalReplayTests {
  private let directory: TestDirectory

  init() throws { directory = try TestDirectory("past") }

  private struct Entry {
    var message: String
    var identifier = "sshd"
    var comm = "sshd"
    var unit = "ssh.service"
    var uid = "0"
  }

  /// Writes entries a second apart (https://systemd.io/JOURNAL_EXPORT_FORMATS); returns the journal's directory.
  private func journal(_ entries: [Entry]) throws -> String {
    let journal = try directory.makeDirectory("journal")
    var text = ""
    for (number, entry) in entries.enumerated() {
      text += """
        __REALTIME_TIMESTAMP=\(1_795_000_000_000_000 + number * 1_000_000)
        __MONOTONIC_TIMESTAMP=\(1 + number * 1_000_000)
        _BOOT_ID=5f1c5d9b5b3c4d0c8d3b1f1f2e3d4c5b
        _HOSTNAME=web
        _PID=812
        _UID=\(entry.uid)
        _COMM=\(entry.comm)
        _SYSTEMD_UNIT=\(entry.unit)
        SYSLOG_IDENTIFIER=\(entry.identifier)
        MESSAGE=\(entry.message)


        """
    }
    let export = try directory.write("export", text)
    let remote = Process()
    remote.executableURL = URL(filePath: "/lib/systemd/systemd-journal-remote")
    remote.arguments = ["-o", journal + "/past.journal", "--split-mode=none", export]
    remote.standardError = FileHandle.nullDevice
    try remote.run()
    remote.waitUntilExit()
    try #require(remote.terminationStatus == 0)
    return journal
  }

  private func jail(_ name: String, program: String, journalmatch: [String]) -> JailSettings {
    let definition = FilterDefinition(
      name: name, file: "\(name).yaml",
      rules: .native(
        NativeRules(
          programs: [program],
          patterns: [
            PatternDefinition(name: "failed", match: "^Failed password for <user> from <host> port <port> ssh2$")
          ])))
    return JailSettings(
      name: name, definition: definition, logpath: ["/nonexistent/auth.log"], journalmatch: journalmatch,
      limits: Jail(name: name, maxretry: 3, findtime: .minutes(10), bantime: .minutes(10)))
  }

  private func failures(_ address: String) -> [Entry] {
    (0..<3).map { Entry(message: "Failed password for root from \(address) port 47\($0) ssh2") }
  }

  private func replay(_ jails: [JailSettings], _ journal: String) throws -> ([String], Replay.Summary) {
    var settings = Settings(file: "test")
    settings.ignoreself = false
    settings.jails = jails
    var decisions: [String] = []
    let summary = try Replay(settings).run([journal]) {
      decisions.append("\($0.jail) \($0.identity) \(Int64($0.time.epoch))")
    }
    return (decisions, summary)
  }

  @Test func eachJailReadsWhatItsMatchesFit() throws {
    // The identifier is what a program calls itself: it is not believed of a user's process.
    let forged = failures("192.0.2.2").map { Entry(message: $0.message, comm: "logger", uid: "1000") }
    let others = failures("192.0.2.3").map { Entry(message: $0.message, unit: "dropbear.service") }
    let journal = try journal(
      failures("192.0.2.1") + forged + others + [Entry(message: "Server listening on :: port 22.")]
        + failures("2001:db8::4"))
    let (decisions, summary) = try replay(
      [
        jail("sshd", program: "sshd", journalmatch: ["_SYSTEMD_UNIT=ssh.service"]),
        jail("dropbear", program: "sshd", journalmatch: ["_SYSTEMD_UNIT=dropbear.service"]),
      ], journal)
    #expect(
      decisions == [
        "sshd 192.0.2.1 1795000002", "sshd 2001:db8::/64 1795000012", "dropbear 192.0.2.3 1795000008",
      ])
    #expect(summary.lines == 13)
    #expect(summary.failures == 9)
  }

  @Test func withoutMatchesAllOfItIsRead() throws {
    let journal = try journal(
      failures("192.0.2.1") + failures("192.0.2.3").map { Entry(message: $0.message, unit: "x.service") })
    let (decisions, _) = try replay([jail("sshd", program: "sshd", journalmatch: [])], journal)
    #expect(decisions == ["sshd 192.0.2.1 1795000002", "sshd 192.0.2.3 1795000005"])
  }
}
