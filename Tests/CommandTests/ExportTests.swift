import Foundation
import TestSupport
import Testing

/// `bailiff export fail2ban`, read and carried out by the real fail2ban, whose firewall is that of a network of its own.
@Suite(.timeLimit(.minutes(3))) struct ExportTests {
  private static let filters = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters")
    .standardizedFileURL.path(percentEncoded: false)

  private static func settings(_ directory: String) -> String {
    """
    state: \(directory)/state
    socket: \(directory)/s
    filters: [\(filters)]
    defaults: {findtime: 20m, bantime: 2h}
    ignoreip: [192.0.2.0/24, "file:\(directory)/office.txt"]
    jails:
      sshd:
        filter: sshd
        backend: files
        logpath: [\(directory)/auth.log]
        maxretry: 3
        ignoreip: ["2001:db8:1::/48"]
        bantime_increment: {factor: 3, maxtime: 4w}
      mail:
        filter: /etc/fail2ban/filter.d/postfix.conf
        options: {mode: aggressive}
        backend: files
        logpath: [\(directory)/mail.log, \(directory)/mail.err]
        port: [smtp, submission, 1000-1003]
        protocol: [tcp, udp]
        bantime: permanent
      web: {filter: http-probe, logpath: [\(directory)/mail.log]}
      later: {filter: sshd, backend: files, logpath: [\(directory)/auth.log], enabled: false}

    """
  }

  @Test func fail2banGoesOnWithJailsAndBans() async throws {
    let scratch = try TestDirectory()
    for name in ["auth.log", "mail.log", "mail.err"] { _ = try scratch.write(name, "") }
    _ = try scratch.write("office.txt", "198.51.100.1\n")
    let config = try scratch.write("bailiff.yaml", Self.settings(scratch.path))
    let network = try TestNetwork("ip link set lo up")
    let daemon = try RunningDaemon(config, in: network.enter, isDryRun: false)
    defer { daemon.kill() }
    try await poll("the daemon") { try await Binary.run("bans", "--config", config).status == 0 }
    for arguments in [
      ["203.0.113.7", "--jail", "sshd", "--for", "1h"], ["2001:db8:9::/64", "--jail", "sshd", "--for", "1d"],
      ["203.0.113.8", "--jail", "mail", "--for", "permanent"], ["203.0.113.9", "--jail", "web", "--for", "1h"],
      ["203.0.113.10"],
    ] {
      let banned = try await Binary.run(["ban"] + arguments + ["--config", config])
      #expect(banned.status == 0, "\(banned)")
    }
    let exported = try await Binary.run("export", "fail2ban", scratch("out"), "--config", config)
    #expect(exported.status == 0, "\(exported)")
    #expect(exported.output == "\(scratch.path)/out: 3 jails, 3 bans in force\n")
    for note in [
      "web: fail2ban has no filter http-probe; left out", "1 ban of web, ", "1 ban of operator, ",
      "fail2ban reads no list \(scratch.path)/office.txt",
    ] {
      #expect(exported.error.contains(note), "\(note): \(exported.error)")
    }

    let setup = try await Shell.run(
      """
      set -e; cd \(scratch.path); cp -a /etc/fail2ban fail2ban; rm -f fail2ban/jail.d/*; cp out/jail.local fail2ban/
      printf '[Definition]\\nsocket = %s/f.sock\\npidfile = %s/f.pid\\nlogtarget = %s/f.log\\ndbfile = %s/out/fail2ban.sqlite3\\n' \
        "$PWD" "$PWD" "$PWD" "$PWD" >fail2ban/fail2ban.local
      fail2ban-client -c fail2ban --test; fail2ban-client -c fail2ban -d
      """)
    #expect(setup.status == 0, "\(setup.text)")
    for line in [
      "['set', 'sshd', 'maxretry', 3]", "['set', 'sshd', 'findtime', '1200']", "['set', 'sshd', 'bantime', '7200']",
      "['set', 'sshd', 'addignoreip', '192.0.2.0/24', '2001:db8:1::/48']", "['set', 'mail', 'bantime', '-1']",
      "['set', 'sshd', 'bantime.increment', True]", "['set', 'mail', 'addlogpath', '\(scratch.path)/mail.err', 'head']",
    ] {
      #expect(setup.text.contains(line), "\(line) is not in \(setup.text)")
    }
    #expect(!setup.text.contains("'later'"), "a disabled jail stays disabled")
    try await itBans(scratch)
    _ = try await Binary.run("unban", "--all", "--config", config)
    try await itComesBack(scratch, config)
  }

  /// Nobody was banned in a dry run, and nobody is in fail2ban.
  @Test func aDryRunsBansAreLeftOut() async throws {
    let scratch = try TestDirectory()
    for name in ["auth.log", "mail.log", "mail.err"] { _ = try scratch.write(name, "") }
    _ = try scratch.write("office.txt", "198.51.100.1\n")
    let config = try scratch.write("bailiff.yaml", Self.settings(scratch.path))
    let daemon = try RunningDaemon(config)
    defer { daemon.kill() }
    try await poll("the daemon") { try await Binary.run("bans", "--config", config).status == 0 }
    let banned = try await Binary.run("ban", "203.0.113.7", "--jail", "sshd", "--for", "1h", "--config", config)
    #expect(banned.status == 0, "\(banned)")
    let exported = try await Binary.run("export", "fail2ban", scratch("out"), "--config", config)
    #expect(exported.status == 0 && exported.output == "\(scratch.path)/out: 3 jails, 0 bans in force\n", "\(exported)")
    #expect(exported.error.contains("1 ban of a dry run: not carried over"), "\(exported)")
    let rows = try await Shell.run("sqlite3 \(scratch.path)/out/fail2ban.sqlite3 'SELECT COUNT(*) FROM bips'")
    #expect(rows.text.hasPrefix("0"), "\(rows)")
  }

  /// `bailiff import fail2ban --bans`, of the database that fail2ban itself has used.
  private func itComesBack(_ scratch: TestDirectory, _ config: String) async throws {
    let takeOver = ["import", "fail2ban", "--bans", "--database", scratch("out/fail2ban.sqlite3"), "--config", config]
    let told = try await Binary.run(takeOver + ["--check"])
    #expect(told.status == 1 && told.output.split(separator: "\n").count == 3, "\(told)")
    #expect(try await Binary.run("bans", "--json", "--config", config).objects.isEmpty)
    let taken = try await Binary.run(takeOver)
    #expect(taken.status == 0 && taken.output == "3 bans taken over of 3 bans\n", "\(taken)")
    let bans = try await Binary.run("bans", "--json", "--config", config).objects
    #expect(Set(bans.compactMap { $0["id"] as? String }) == ["203.0.113.7", "203.0.113.8", "2001:db8:9::/64"])
    for ban in bans {
      #expect((ban["until"] is NSNull) == (ban["id"] as? String == "203.0.113.8"), "only one is permanent: \(ban)")
    }
  }

  private func itBans(_ scratch: TestDirectory) async throws {
    let network = try TestNetwork("ip link set lo up")
    let client = "fail2ban-client -c \(scratch.path)/fail2ban"
    // fail2ban's actions run what is in its PATH.
    let system = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    let started = try await Command.run(network.enter + ["/bin/sh", "-c", "\(client) start"], environment: system)
    #expect(started.status == 0, "\(started)")
    try await poll("fail2ban's bans") {
      let rules = try await Command.run(
        network.enter + ["/bin/sh", "-c", "iptables -S; ip6tables -S"], environment: system
      ).output
      return rules.contains("-s 203.0.113.7/32") && rules.contains("-s 2001:db8:9::/64")
        && rules.contains("-s 203.0.113.8/32")
        && rules.contains("-p udp -m multiport --dports 25,587,1000:1003")
    }
    let status = try await Command.run(["/bin/sh", "-c", "\(client) get sshd banip --with-time"])
    #expect(status.output.contains(/203.0.113.7 .* \+ 3600 =/), "\(status)")
    _ = try await Command.run(network.enter + ["/bin/sh", "-c", "\(client) stop"])
  }
}
