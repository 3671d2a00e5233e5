import Foundation
import TestSupport
import Testing

/// fail2ban's own client asks Bailiff, and fail2ban's own server, about the same jail and the same lines.
@Suite(.timeLimit(.minutes(5))) struct Fail2banClientTests {
  /// Both servers at work on one log; they end with the test.
  private final class Servers {
    let directory: TestDirectory
    let daemon: RunningDaemon
    let config: String
    private let fail2ban = Process()

    init() throws {
      directory = try TestDirectory("f2b")
      let lines = ["192.0.2.7", "192.0.2.8", "192.0.2.9"].enumerated().flatMap { number, address in
        (0..<(number < 2 ? 3 : 2)).map {
          "\(Self.stamp) web sshd[81\($0)]: Failed password for root from \(address) port 4711 ssh2\n"
        }
      }
      try directory.write("auth.log", lines.joined())
      config = try directory.write(
        "bailiff.yaml",
        """
        state: \(directory("state"))
        socket: \(directory("socket"))
        firewall: {backend: dry-run}
        compat: {fail2ban: \(directory("ours"))}
        jails:
          sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))], maxretry: 3, findtime: 10m, bantime: 10m}
        """)
      daemon = try RunningDaemon(config, isDryRun: false)
      try startFail2ban()
    }

    deinit {
      daemon.kill()
      kill(fail2ban.processIdentifier, SIGKILL)
      fail2ban.waitUntilExit()
    }

    private static var stamp: String {
      let format = DateFormatter()
      format.locale = Locale(identifier: "en_US_POSIX")
      format.timeZone = TimeZone(identifier: "UTC")
      format.dateFormat = "MMM dd HH:mm:ss"
      return format.string(from: Date())
    }

    private func startFail2ban() throws {
      try directory.write(
        "f2b/fail2ban.conf",
        """
        [Definition]
        loglevel = INFO
        logtarget = \(directory("f2b.log"))
        syslogsocket = auto
        socket = \(directory("theirs"))
        pidfile = \(directory("f2b.pid"))
        dbfile = None
        dbpurgeage = 1d
        """)
      try directory.write(
        "f2b/jail.conf",
        """
        [DEFAULT]
        ignoreself = true
        [sshd]
        enabled = true
        filter = sshd
        backend = polling
        usedns = no
        logpath = \(directory("auth.log"))
        maxretry = 3
        findtime = 10m
        bantime = 10m
        action =
        """)
      try FileManager.default.createSymbolicLink(
        atPath: directory("f2b/filter.d"), withDestinationPath: "/etc/fail2ban/filter.d")
      fail2ban.executableURL = URL(filePath: "/usr/bin/fail2ban-server")
      fail2ban.arguments = [
        "-f", "-c", directory("f2b"), "-s", directory("theirs"), "-p", directory("f2b.pid"), "start",
      ]
      fail2ban.environment = ["TZ": "UTC", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
      fail2ban.standardInput = FileHandle.nullDevice
      fail2ban.standardOutput = FileHandle.nullDevice
      fail2ban.standardError = FileHandle.nullDevice
      try fail2ban.run()
    }

    /// Prints what the client prints, and how it ends.
    func ask(_ socket: String, _ arguments: String) async throws -> String {
      let result = try await Shell.run(
        "TZ=UTC fail2ban-client -c \(directory("f2b")) -s \(directory(socket)) \(arguments)")
      // Without the time and the process of the client's own log lines.
      let text = result.text.replacing(#/[-0-9]{10} [:0-9,]{12} fail2ban +\[\d+\]/#, with: "fail2ban")
      return "\(text)(\(result.status))"
    }

    func waitForBoth() async throws {
      for socket in ["ours", "theirs"] {
        try await poll("\(socket) has decided") {
          let text = try await ask(socket, "status sshd")
          return text.contains("192.0.2.7") && text.contains("192.0.2.8") && text.contains("Total failed:\t8")
        }
      }
    }
  }

  /// In this order, since some change what later ones say.
  static let commands = [
    "ping", "status", "status sshd", "status sshd short", "banned", "banned 192.0.2.7", "banned 192.0.2.7 192.0.2.99",
    "get sshd banip", "get sshd bantime", "get sshd findtime", "get sshd maxretry", "get sshd logpath",
    "get sshd ignoreself",
    "get sshd usedns", "get sshd ignorecommand", "get sshd maxlines", "set sshd banip 192.0.2.99",
    "set sshd banip 192.0.2.99",
    "set sshd banip 192.0.2.97 192.0.2.98", "status sshd", "set sshd unbanip 192.0.2.97 192.0.2.98",
    "set sshd unbanip 192.0.2.99",
    "set sshd unbanip 192.0.2.99", "set sshd unbanip --report-absent 192.0.2.99", "unban 192.0.2.7", "unban 192.0.2.7",
    "set sshd bantime 1d", "get sshd bantime", "set sshd bantime -1", "set sshd bantime 600", "set sshd findtime 20m",
    "set sshd maxretry 7", "get sshd maxretry", "set sshd maxretry x", "set sshd addignoreip 198.51.100.0/24",
    "get sshd ignoreip", "set sshd delignoreip 198.51.100.0/24", "status nosuch", "get nosuch bantime",
    "set nosuch banip 192.0.2.1",
    "get sshd nosuch", "unban", "flushlogs", "set sshd attempt 192.0.2.60 seen", "status sshd short",
    "set sshd attempt 192.0.2.61", "banned", "unban --all", "banned", "status sshd",
  ]

  @Test func answersAreThoseOfTheRealServer() async throws {
    let servers = try Servers()
    try await servers.waitForBoth()
    var table: [String] = []
    for command in Self.commands {
      let ours = try await servers.ask("ours", command)
      let theirs = try await servers.ask("theirs", command)
      table.append("\(command): \(ours == theirs ? "same" : "DIFFERS") \(ours)")
      #expect(ours == theirs, "\(command)")
    }
    // The audit has who did it.
    let audit = try await Binary.run("audit", "--json", "--kind", "ban", "--config", servers.config)
    #expect(audit.output.contains("fail2ban-client set sshd banip 192.0.2.99"))
  }

  /// Munin's plugin of Debian, which knows fail2ban's client and nothing of Bailiff.
  @Test func muninsPluginCountsBans() async throws {
    let servers = try Servers()
    try await servers.waitForBoth()
    let client = try servers.directory.write(
      "client", "#!/bin/sh\nexec fail2ban-client -s \(servers.directory("ours")) \"$@\"\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: client)
    func ask(_ what: String) async throws -> String {
      try await Shell.run(
        """
        MUNIN_LIBDIR=/usr/share/munin client=\(client) config_dir=\(servers.config.dropLast("bailiff.yaml".count))f2b \
          /usr/share/munin/plugins/fail2ban \(what)
        """
      ).text
    }
    #expect(try await ask("autoconf") == "yes\n")
    #expect(try await ask("config").contains("sshd.label sshd\n"))
    #expect(try await ask("") == "sshd.value 2\n")
  }

  /// What is 1.1's, and what is the client's alone.
  @Test func theRestIsAnswered() async throws {
    let servers = try Servers()
    try await servers.waitForBoth()
    #expect(try await servers.ask("ours", "version").contains("1.1.0"))
    let withTime = try await servers.ask("ours", "get sshd banip --with-time")
    #expect(withTime.contains("192.0.2.7 \t20") && withTime.contains(" + 600 = 20"))
    let statistics = try await servers.ask("ours", "status --all")
    #expect(statistics.hasSuffix("(0)"))
    _ = try await servers.ask("ours", "set sshd maxretry 9")
    // A reload takes the settings of the file again, as fail2ban's does.
    // The client warns of its own settings first.
    #expect(try await servers.ask("ours", "reload").hasSuffix("OK\n(0)"))
    #expect(try await servers.ask("ours", "get sshd maxretry") == "3\n(0)")
    #expect(try await servers.ask("ours", "stop").contains("systemctl stop bailiff"))
    // Not a pickle, one that runs something, and two commands at once.
    let marker = servers.directory("owned")
    let script = """
      import pickle, socket, os
      class Evil:
        def __reduce__(self): return (os.system, ("touch \(marker)",))
      END = b"<F2B_END_COMMAND>"
      def ask(*messages):
        s = socket.socket(socket.AF_UNIX); s.connect("\(servers.directory("ours"))"); s.sendall(b"".join(m + END for m in messages))
        got = b""
        while got.count(END) < len(messages): got += s.recv(4096)
        return got.split(END)[:-1]
      print(ask(b"hello")[0][:6], ask(pickle.dumps([Evil()]))[0][:6])
      print([pickle.loads(a) for a in ask(pickle.dumps(["ping"]), pickle.dumps(["get", "sshd", "bantime"], 0))])
      """
    try servers.directory.write("ask.py", script)
    let result = try await Shell.run("/usr/bin/python3 \(servers.directory("ask.py"))")
    #expect(result.text == "b'ERROR:' b'ERROR:'\n[(0, 'pong'), (0, 600)]\n")
    #expect(!FileManager.default.fileExists(atPath: marker))
    // Who may use it: root alone.
    let mode = try FileManager.default.attributesOfItem(atPath: servers.directory("ours"))[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(servers.daemon.terminate() == 0)
    #expect(!FileManager.default.fileExists(atPath: servers.directory("ours")))
  }
}
