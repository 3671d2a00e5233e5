import Foundation
import TestSupport
import Testing

/// Failures that programs report: `bailiff report-failure`, the API, and the datagram socket, as users of their own.
@Suite(.timeLimit(.minutes(5))) struct ReportFailureTests {
  private final class Server {
    let directory: TestDirectory
    let config: String
    let daemon: RunningDaemon

    init() throws {
      directory = try TestDirectory("reports")
      // Other users go through it, and read nothing.
      try TestDirectory.chmod(directory.path, 0o711)
      config = try directory.write(
        "bailiff.yaml",
        """
        state: \(directory("state"))
        socket: \(directory("socket"))
        firewall: {backend: dry-run}
        failures:
          socket: \(directory("failures"))
          allow: {www-data: [shop], "@games": [wiki]}
        jails:
          shop: {source: reports, maxretry: 3, findtime: 10m, bantime: 1h}
          wiki: {source: reports, maxretry: 1, findtime: 10m, bantime: 1h, ignoreip: [192.0.2.99]}
          sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))], maxretry: 2}
        """)
      try TestDirectory.chmod(config, 0o600)
      daemon = try RunningDaemon(config, isDryRun: false)
    }

    deinit { daemon.kill() }

    func bailiff(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", config])
    }

    /// A program of another user, in the language that most have.
    func send(_ json: String, as user: String, group: String? = nil) async throws -> String {
      let program = """
        import socket, sys
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind("")
        s.settimeout(60)
        s.sendto(sys.argv[2].encode(), sys.argv[1])
        print(s.recv(65536).decode())
        """
      let groups = group.map { "--regid \($0) --clear-groups" } ?? "--regid $(id -g \(user)) --init-groups"
      return try await Shell.run(
        "setpriv --reuid \(user) \(groups) \(Receiver.python) -c \(Shell.quoted(program)) \(directory("failures")) "
          + Shell.quoted(json)
      ).text
    }
  }

  @Test func whatAProgramReportsIsCounted() async throws {
    let server = try Server()
    try await poll("it listens") { FileManager.default.fileExists(atPath: server.directory("failures")) }
    // By root, on the API's socket, into a jail with a filter of its own.
    let first = try await server.bailiff(
      "report-failure", "--jail", "sshd", "--user", "alice", "--text", "wrong password", "192.0.2.7", "2001:db8::7")
    #expect(first.status == 0, "\(first.error)")
    #expect(first.output == "counted 192.0.2.7 in jail sshd\ncounted 2001:db8::7 in jail sshd\n")
    let second = try await server.bailiff("report-failure", "--jail", "sshd", "--json", "192.0.2.7")
    #expect(second.output == "{\"jail\":\"sshd\",\"id\":\"192.0.2.7\",\"banned\":true}\n", "\(second.error)")
    // The window, the address and the sender are in the audit.
    let explained = try await server.bailiff("explain", "192.0.2.7", "--json")
    for word in ["\"wrong password\"", "\"alice\"", "reported by uid 0 (root)", "\"reports\""] {
      #expect(explained.output.contains(word), "\(word) in \(explained.output)")
    }
    // By another user's program, which is answered.
    #expect(
      try await server.send(#"{"jail":"shop","id":"192.0.2.8","count":2,"user":"bob"}"#, as: "www-data")
        == "{\"jail\":\"shop\",\"id\":\"192.0.2.8\",\"banned\":false}\n")
    #expect(try await server.send(#"{"jail":"shop","id":"192.0.2.8"}"#, as: "www-data").contains("\"banned\":true"))
    #expect(try await server.send(#"{"jail":"wiki","id":"192.0.2.8"}"#, as: "nobody", group: "games").contains("true"))
    #expect(try await server.send(#"{"jail":"wiki","id":"192.0.2.99"}"#, as: "games").contains("false"), "ignoreip")
    let audit = try await server.bailiff("audit", "--ip", "192.0.2.8", "--kind", "failure", "--json")
    let uid = try await Shell.run("id -u www-data").text.split(separator: "\n")[0]
    #expect(audit.output.contains("reported by uid \(uid) (www-data)"), "\(audit.output)")
    let bans = try await server.bailiff("bans", "--json")
    #expect(try bans.objects.count == 3)
  }

  @Test func whoMayNotIsNotCounted() async throws {
    let server = try Server()
    try await poll("it listens") { FileManager.default.fileExists(atPath: server.directory("failures")) }
    for (json, user, expected) in [
      (#"{"jail":"wiki","id":"192.0.2.8"}"#, "www-data", "may not report for jail wiki"),
      (#"{"jail":"shop","id":"192.0.2.8"}"#, "nobody", "may not report for jail shop"),
      (#"{"jail":"shop","id":"192.0.2.0/24"}"#, "www-data", "is no address"),
      (#"{"jail":"shop","id":"192.0.2.8","count":5000}"#, "www-data", "from 1 to 1000"),
      (#"{"jail":"shop"}"#, "www-data", "malformed JSON"), ("shop 192.0.2.8", "www-data", "malformed JSON"),
      (String(repeating: "x", count: 20_000), "www-data", "larger than"),
    ] {
      let answer = try await server.send(json, as: user)
      #expect(answer.hasPrefix("{\"error\":{") && answer.contains(expected), "\(json.prefix(60)): \(answer)")
    }
    let none = try await server.bailiff("report-failure", "--jail", "nothing", "192.0.2.8")
    #expect(none.status == 2 && none.error.contains("there is no jail `nothing`"))
    let wrong = try await server.bailiff("report-failure", "--jail", "shop", "example.org")
    #expect(wrong.status == 2 && wrong.error.contains("is no address"))
    #expect(try await server.bailiff("bans", "--json").output.isEmpty)
    #expect(try await server.bailiff("audit", "--kind", "failure", "--json").output.isEmpty)
    // Whoever cannot read the settings sends to the socket that he is told.
    let other = try await Shell.run(
      "setpriv --reuid www-data --regid www-data --init-groups \(Binary.path) report-failure --jail shop --socket "
        + "\(server.directory("failures")) 192.0.2.8")
    #expect(other.text == "counted 192.0.2.8 in jail shop\n", "\(other.text)")
  }
}
