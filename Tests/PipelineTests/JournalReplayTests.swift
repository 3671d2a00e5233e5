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
    var container: String?
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
        SYSLOG_IDENTIFIER=\(entry.identifier)\(entry.container.map { "\nCONTAINER_NAME=\($0)" } ?? "")
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

  /// Docker's journal driver writes a container's id or tag as the identifier.
  @Test func aContainersEntriesAreTheJailsThatNamesIt() throws {
    func entries(_ address: String, uid: String = "0") -> [Entry] {
      failures(address).map {
        Entry(
          message: $0.message, identifier: "4f5e6a7b8c9d", comm: "dockerd", unit: "docker.service", uid: uid,
          container: "gate")
      }
    }
    let gate = jail("gate", program: "sshd", journalmatch: ["CONTAINER_NAME=gate"])
    // CONTAINER_NAME is a field that any user may send.
    let (decisions, _) = try replay([gate], journal(entries("192.0.2.223") + entries("192.0.2.9", uid: "1500")))
    #expect(decisions == ["gate 192.0.2.223 1795000002"])
  }

  /// Users once had anybody banned: _COMM and SYSLOG_IDENTIFIER are their own choice, and a user's cron job runs in cron's
  /// unit.
  @Test(arguments: ["1500", "33"]) func nobodyIsBannedByAUsersEntries(uid: String) throws {
    let entries =
      failures("192.0.2.9").map { Entry(message: $0.message, unit: "user@1500.service", uid: uid) }
      + failures("192.0.2.10").map { Entry(message: $0.message, unit: "cron.service", uid: uid) }
      + (uid == "33" ? [] : failures("192.0.2.11").map { Entry(message: $0.message, uid: uid) })
    let journal = try journal(entries)
    for matches in [[], ["_COMM=sshd"], ["_SYSTEMD_UNIT=ssh.service + _COMM=sshd"], ["SYSLOG_IDENTIFIER=sshd"]] {
      let (decisions, summary) = try replay([jail("sshd", program: "sshd", journalmatch: matches)], journal)
      #expect(decisions.isEmpty && summary.failures == 0, "\(matches)")
    }
  }

  /// A service's own user is believed in its unit, and an ordinary user where the jail names him.
  @Test func servicesThatAreNotRoots() throws {
    let own = failures("192.0.2.1").map { Entry(message: $0.message, unit: "forge.service", uid: "107") }
    let users = failures("192.0.2.2").map { Entry(message: $0.message, unit: "forge.service", uid: "1001") }
    let unit = jail("a", program: "sshd", journalmatch: ["_SYSTEMD_UNIT=forge.service"])
    let named = jail("b", program: "sshd", journalmatch: ["_SYSTEMD_UNIT=forge.service _UID=1001"])
    let (decisions, _) = try replay([unit, named], journal(own + users))
    #expect(decisions == ["a 192.0.2.1 1795000002", "b 192.0.2.2 1795000005"])
  }
}
