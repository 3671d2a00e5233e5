import Filters
import Foundation
import Settings
import TestSupport
import Testing

@testable import Inspection

/// What `bailiff setup` sees of a machine, whose files stand in a directory here, and what it makes of it.
@Suite struct SetupProposalTests {
  private static let library = FilterLibrary(
    directories: [
      URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters").standardizedFileURL
        .path(percentEncoded: false)
    ], builtin: [])
  private static let now = Int(Date().timeIntervalSince1970)

  /// nginx and sshd run, gitea runs in a container, fail2ban guards postfix, and something unknown listens on 4711.
  private func machine() throws -> TestDirectory {
    let scratch = try TestDirectory()
    let files = FileManager.default
    for unit in ["ssh", "nginx", "cron"] {
      try files.createDirectory(
        atPath: scratch("sys/fs/cgroup/system.slice/\(unit).service"), withIntermediateDirectories: true)
    }
    for directory in [
      "proc/net", "proc/71/fd", "proc/72/fd", "var/log/nginx", "var/log/journal/x", "etc/fail2ban/filter.d",
    ] {
      try files.createDirectory(atPath: scratch(directory), withIntermediateDirectories: true)
    }
    try files.createDirectory(atPath: scratch("var/lib/docker/containers/c1"), withIntermediateDirectories: true)
    _ = try scratch.write(
      "proc/net/tcp",
      """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 00000000:08AE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 901 1 0
         1: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 902 1 0
         2: 00000000:1267 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 903 1 0

      """)
    for (process, name, socket) in [("71", "sshd", "901"), ("72", "oddity", "903")] {
      _ = try scratch.write("proc/\(process)/comm", name + "\n")
      try files.createSymbolicLink(
        atPath: scratch("proc/\(process)/fd/3"), withDestinationPath: "socket:[\(socket)]")
    }
    _ = try scratch.write("var/log/nginx/access.log", "x\n")
    _ = try scratch.write("var/log/nginx/error.log", "")
    _ = try scratch.write("var/log/journal/x/system.journal", "x")
    _ = try scratch.write(
      "var/lib/docker/containers/c1/config.v2.json",
      #"{"Name": "/git", "Config": {"Image": "docker.io/gitea/gitea:1.25"}, "State": {"Running": true}}"#)
    _ = try scratch.write("etc/fail2ban/jail.conf", "[postfix]\nenabled = true\nfilter = postfix\n")
    _ = try scratch.write("etc/fail2ban/filter.d/postfix.conf", "[Definition]\nfailregex = ^x <HOST>$\n")
    let packages = [("grafana", "install ok installed"), ("gitea", "deinstall ok config-files")].map { name, status in
      "Package: \(name)\nStatus: \(status)\nArchitecture: all\nVersion: 1\nMaintainer: A\nDescription: A\n"
    }
    _ = try scratch.write("var/lib/dpkg/status", packages.joined(separator: "\n"))
    return scratch
  }

  @Test func whatRunsIsSeen() throws {
    let scratch = try machine()
    defer { withExtendedLifetime(scratch) {} }
    let facts = MachineFacts.collect(root: scratch.path)
    #expect(facts.units == ["ssh", "nginx", "cron"])
    // 3306 is the loopback's.
    #expect(
      facts.listeners == [
        MachineFacts.Listener(port: 2222, program: "sshd"), MachineFacts.Listener(port: 4711, program: "oddity"),
      ])
    #expect(facts.containers == [MachineFacts.Container(name: "git", image: "docker.io/gitea/gitea:1.25")])
    #expect(facts.fail2banJails.map(\.filter) == ["postfix"])
    #expect(facts.hasJournal)
    #expect(facts.packages == ["grafana"], "gitea was removed, its settings were not")
  }

  @Test func jailsForWhatRuns() throws {
    let scratch = try machine()
    let facts = MachineFacts.collect(root: scratch.path)
    let filters = Self.library.all().filters
    let proposal = SetupProposal(facts, filters: filters, present: [], now: Self.now)
    let jails = Dictionary(uniqueKeysWithValues: proposal.jails.map { ($0.name, $0) })
    let sshd = try #require(jails["sshd"])
    #expect(sshd.port == [2222], "a ban must close the port that sshd listens on")
    #expect(sshd.reads == "the journal")
    #expect(sshd.why == ["the unit ssh.service runs", "sshd listens on 2222"])
    #expect(jails["gitea"]?.yaml == "{filter: gitea, containers: [git]}")
    #expect(jails["postfix"]?.why == ["fail2ban's jail postfix is enabled"])
    #expect(jails["http-probe"]?.logpath == ["/var/log/nginx/access.log"], "an empty log does not grow")
    for other in ["nextcloud", "baikal", "bookstack", "dovecot", "exim", "apache-auth"] {
      #expect(jails[other] == nil, "\(other) is not here")
    }
    #expect(proposal.unwatched.map(\.port) == ["4711/tcp"])

    // Every proposal is one that the settings take.
    let yaml = "jails:\n" + proposal.jails.map { "  \($0.name): \($0.yaml)\n" }.joined()
    let file = try scratch.write("bailiff.yaml", "filters: \(Self.library.directories)\n" + yaml)
    let reading = Settings.read(path: file) { _, _ in throw CocoaError(.fileNoSuchFile) }
    #expect(reading.errors.isEmpty, "\(reading.errors)")

    // The second time there is nothing new, and then only what has come.
    let again = SetupProposal(facts, filters: filters, present: reading.settings.jails, now: Self.now)
    #expect(again.jails.isEmpty)
    var more = facts
    more.units.insert("vsftpd")
    let third = SetupProposal(more, filters: filters, present: reading.settings.jails, now: Self.now)
    #expect(third.jails.map(\.name) == ["vsftpd"])
  }
}
