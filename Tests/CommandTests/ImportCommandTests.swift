import Foundation
import TestSupport
import Testing

/// Debian's stock configuration with five jails enabled, imported, checked and run: what fail2ban's users do first.
@Suite struct ImportCommandTests {
  private static let lines: [(file: String, jail: String, address: String, line: String)] = [
    ("auth.log", "sshd", "203.0.113.1", "Failed password for root from 203.0.113.1 port %d ssh2"),
    (
      "mail.log", "postfix", "203.0.113.2",
      "warning: unknown[203.0.113.2]: SASL LOGIN authentication failed: authentication failure"
    ),
    (
      "mail.log", "dovecot", "203.0.113.3",
      "imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<x>, method=PLAIN, rip=203.0.113.3, "
        + "lip=192.0.2.1, TLS, session=<abc%d>"
    ),
    (
      "nginx.log", "nginx-http-auth", "203.0.113.4",
      "[error] 12#12: *%d user \"x\": password mismatch, client: 203.0.113.4, server: s, request: \"GET / HTTP/1.1\", host: \"h\""
    ),
    (
      "apache.log", "apache-auth", "203.0.113.5",
      "[auth_basic:error] [pid %d] [client 203.0.113.5:4711] AH01617: user x: authentication failure for \"/\": Password Mismatch"
    ),
  ]

  @Test func stockJailsAreImportedAndBan() async throws {
    let scratch = try TestDirectory()
    let files = FileManager.default
    try files.copyItem(atPath: "/etc/fail2ban", toPath: scratch.path + "/fail2ban")
    var local = "[DEFAULT]\nbackend = polling\nmaxretry = 3\nfindtime = 1h\n"
    for jail in Self.lines {
      let log = "\(scratch.path)/\(jail.file)"
      _ = files.createFile(atPath: log, contents: Data())
      local += "[\(jail.jail)]\nenabled = true\nlogpath = \(log)\n"
      // Logins are not what the stock jail looks for.
      if jail.jail == "postfix" { local += "mode = aggressive\n" }
    }
    _ = try scratch.write("fail2ban/jail.local", local)
    let imported = try await Binary.run("import", "fail2ban", scratch.path + "/fail2ban")
    #expect(imported.status == 0, "\(imported.error)")
    let config = try scratch.write(
      "bailiff.yaml", "state: \(scratch.path)/state\nsocket: \(scratch.path)/s\n" + imported.output)
    let checked = try await Binary.run("check", "--config", config)
    #expect(checked.status == 0, "\(checked.error)")

    let daemon = Process()
    daemon.executableURL = URL(fileURLWithPath: Binary.path)
    daemon.arguments = ["run", "--dry-run", "--quiet", "--config", config]
    daemon.environment = ["TZ": "UTC", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    daemon.standardInput = FileHandle.nullDevice
    daemon.standardError = FileHandle.nullDevice
    try daemon.run()
    // SIGKILL: the test runner's children may have the other signals blocked.
    defer { kill(daemon.processIdentifier, SIGKILL) }
    try await poll("the import to have its effect") { try await Binary.run("status", "--config", config).status == 0 }

    for (file, jail, _, text) in Self.lines { try append(text, of: jail, to: "\(scratch.path)/\(file)") }
    var banned: [String: String] = [:]
    try await poll("the import to have its effect") {
      for ban in try await Binary.run("bans", "--json", "--config", config).objects {
        banned[ban["jail"] as? String ?? ""] = ban["id"] as? String
      }
      return banned.count == Self.lines.count
    }
    for (_, jail, address, _) in Self.lines { #expect(banned[jail] == address) }
  }

  /// Three lines with the stamps that each daemon writes.
  private func append(_ text: String, of jail: String, to path: String) throws {
    let stamp = DateFormatter()
    stamp.locale = Locale(identifier: "en_US_POSIX")
    stamp.timeZone = TimeZone(identifier: "UTC")
    let (format, before, after) =
      switch jail {
      case "nginx-http-auth": ("yyyy/MM/dd HH:mm:ss", "", " ")
      case "apache-auth": ("EEE MMM dd HH:mm:ss.000000 yyyy", "[", "] ")
      case "postfix": ("MMM dd HH:mm:ss", "", " host postfix/smtpd[7]: ")
      case "dovecot": ("MMM dd HH:mm:ss", "", " host dovecot: ")
      default: ("MMM dd HH:mm:ss", "", " host sshd[7]: ")
      }
    stamp.dateFormat = format
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    for n in 0..<3 {
      let line = text.replacingOccurrences(of: "%d", with: "\(4000 + n)")
      try file.write(contentsOf: Data("\(before)\(stamp.string(from: Date()))\(after)\(line)\n".utf8))
    }
    try file.close()
  }
}
