import Foundation
import TestSupport
import Testing

/// `bailiff backup` and `restore`, beside a daemon that is at work.
@Suite(.timeLimit(.minutes(3))) struct BackupTests {
  private struct Machine {
    let scratch: TestDirectory
    let config: String
    var file: String { scratch("backup.tar.gz") }

    init() throws {
      scratch = try TestDirectory()
      try FileManager.default.createDirectory(atPath: scratch("filters"), withIntermediateDirectories: true)
      _ = try scratch.write(
        "filters/door.yaml",
        "service: door\npatterns:\n  - {name: knock, match: '^door: knock from <host>$'}\n"
          + "samples:\n  - {line: 'door: knock from 192.0.2.1', expect: {pattern: knock, host: 192.0.2.1}}\n")
      _ = try scratch.write("office.txt", "198.51.100.0/24\n")
      _ = try scratch.write("door.log", "")
      config = try scratch.write(
        "bailiff.yaml",
        """
        # mine
        state: \(scratch.path)/state
        socket: \(scratch.path)/s
        filters: [\(scratch.path)/filters]
        ignoreip: ["file:\(scratch.path)/office.txt"]
        jails:
          door: {filter: door, logpath: [\(scratch.path)/door.log], findtime: 1h, bantime: 1d}

        """)
      _ = try scratch.write("jails.d/door.yaml", "maxretry: 3\n")
    }

    func knock(_ address: String, times: Int) throws {
      try scratch.append(String(repeating: "door: knock from \(address)\n", count: times), to: "door.log")
    }

    func run(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", config])
    }

    func failures() async throws -> Int {
      try await run("audit", "--kind", "failure", "--json", "--limit", "100000").objects.count
    }
  }

  @Test func whatWasThereIsThereAgain() async throws {
    let machine = try Machine()
    var daemon = try RunningDaemon(machine.config)
    defer { daemon.kill() }
    try machine.knock("203.0.113.7", times: 3)
    try await poll("the ban") { try await machine.run("bans").output.contains("203.0.113.7") }

    // Lines go on being recorded while it is taken.
    for round in 0..<20 { try machine.knock("203.0.113.\(100 + round)", times: 2) }
    let taken = try await machine.run("backup", machine.file)
    #expect(taken.status == 0, "\(taken)")
    #expect(taken.output.contains("4 files, and the audit \(machine.scratch.path)/state/bailiff.db"), "\(taken.output)")
    let permissions = try FileManager.default.attributesOfItem(atPath: machine.file)[.posixPermissions] as? Int
    #expect(permissions == 0o600)

    try machine.knock("203.0.113.9", times: 3)
    try await poll("what came after it") { try await machine.run("bans").output.contains("203.0.113.9") }
    let refused = try await machine.run("restore", machine.file)
    #expect(refused.status == 1 && refused.error.contains("systemctl stop bailiff"), "\(refused)")
    #expect(refused.error.contains("(bailiff)"), "\(refused)")
    #expect(try await machine.run("bans").output.contains("203.0.113.9"))

    _ = daemon.terminate()
    _ = try await machine.run("settings", "set", "jails.door.maxretry", "7")
    _ = try machine.scratch.write("office.txt", "")
    _ = try machine.scratch.write("jails.d/later.yaml", "enabled: false\nfilter: door\nlogpath: [/dev/null]\n")
    let told = try await machine.run("restore", machine.file, "--check")
    #expect(told.status == 1, "\(told)")
    for name in ["jails.d/door.yaml", "office.txt", "state/bailiff.db"] { #expect(told.output.contains("/\(name)\n")) }
    #expect(!told.output.contains("\n  \(machine.config)\n"))
    #expect(try await machine.run("settings", "get", "jails.door.maxretry").output == "7\n")

    let restored = try await machine.run("restore", machine.file)
    #expect(restored.status == 0, "\(restored)")
    #expect(restored.output.contains("/bailiff.db.before-"))
    #expect(
      restored.output.contains("jails.d/later.yaml is not in the backup, and is still read"), "\(restored.output)")
    #expect(try await machine.run("settings", "get", "jails.door.maxretry").output == "3\n")
    #expect(try String(contentsOfFile: machine.scratch("office.txt"), encoding: .utf8) == "198.51.100.0/24\n")
    #expect(try await machine.run("audit", "verify").status == 0)
    #expect(try await machine.failures() >= 3)

    // The lines that came after it are read again, since positions are a part of the audit.
    daemon = try RunningDaemon(machine.config)
    // The daemon names a ban as soon as the firewall has it, and stores it then: with all that was read before it.
    try await poll("all of it") {
      try await machine.run("audit", "--kind", "ban", "--ip", "203.0.113.9", "--json").objects.count == 1
    }
    for id in ["203.0.113.7", "203.0.113.9"] { #expect(try await machine.run("bans").output.contains(id)) }
    let failures = try await machine.run("audit", "--kind", "failure", "--json", "--limit", "100000")
    #expect(failures.output.split(separator: "\n").count == 46, "\(failures)")
  }

  @Test func settingsAloneAreRestoredBesideADaemon() async throws {
    let machine = try Machine()
    let daemon = try RunningDaemon(machine.config)
    defer { daemon.kill() }
    try await poll("the daemon") { try await machine.run("status").status == 0 }
    #expect(try await machine.run("backup", machine.file).status == 0)
    _ = try await machine.run("settings", "set", "jails.door.maxretry", "7")
    let restored = try await machine.run("restore", machine.file, "--settings")
    #expect(restored.status == 0, "\(restored)")
    #expect(try await machine.run("settings", "get", "jails.door.maxretry").output == "3\n")
    #expect(try await machine.run("restore", machine.file, "--settings", "--check").status == 0)
  }

  /// Whatever is wrong with a file, nothing is touched, and nothing is left beside it.
  @Test func whatIsNoBackupChangesNothing() async throws {
    let machine = try Machine()
    let daemon = try RunningDaemon(machine.config)
    try machine.knock("203.0.113.7", times: 3)
    try await poll("the ban") { try await machine.run("bans").output.contains("203.0.113.7") }
    #expect(try await machine.run("backup", machine.file).status == 0)
    _ = daemon.terminate()

    let directory = Shell.quoted(machine.scratch.path)
    let made = try await Shell.run(
      """
      set -e; cd \(directory); mkdir x; tar -xzf backup.tar.gz -C x
      head -c 3000 backup.tar.gz >short.tar.gz
      echo hello >text.tar.gz
      tar -czf empty.tar.gz filters
      cp -a x changed; sqlite3 changed/bailiff-backup/bailiff.db \
        "UPDATE batch SET base_time = base_time + 1"
      tar -czf changed.tar.gz -C changed bailiff-backup
      cp -a x link; f=$(find link -name office.txt); rm "$f"; ln -s /etc/passwd "$f"; tar -czf link.tar.gz -C link bailiff-backup
      sed -i 's/^bailiff-backup 1/bailiff-backup 2/' x/bailiff-backup/manifest; tar -czf later.tar.gz -C x bailiff-backup
      """)
    #expect(made.status == 0, "\(made.text)")
    _ = try machine.scratch.write("jails.d/door.yaml", "maxretry: 7\n")
    let before = try FileManager.default.subpathsOfDirectory(atPath: machine.scratch.path).sorted()
    for (name, what) in [
      ("short", "tar: "), ("text", "tar: "), ("empty", "tar: "), ("absent", "tar: "), ("changed", "not whole"),
      ("link", "link or a device"), ("later", "no backup that this version knows"),
    ] {
      let refused = try await machine.run("restore", machine.scratch("\(name).tar.gz"))
      #expect(refused.status == 1 && refused.error.contains(what), "\(name): \(refused)")
    }
    #expect(try String(contentsOfFile: machine.scratch("jails.d/door.yaml"), encoding: .utf8) == "maxretry: 7\n")
    let after = try FileManager.default.subpathsOfDirectory(atPath: machine.scratch.path).sorted()
    #expect(after == before, "\(Set(after).symmetricDifference(before))")
  }
}
