import API
import Foundation
import Model
import Settings
import TestSupport
import Testing

/// `status` and `watch` of a server with many sources and jails, on a screen of 80 columns and 24 lines.
@Suite(.timeLimit(.minutes(2))) struct StatusTests {
  private final class Large {
    let scratch: TestDirectory
    let config: String
    let server: ControlServer

    init() async throws {
      scratch = try TestDirectory()
      config = try scratch.write("bailiff.yaml", "socket: \(scratch.path)/s\nstate: \(scratch.path)\n")
      var handlers = Daemon.handlers
      handlers.status = {
        StatusReply(
          version: "0.1.0", pid: 17, started: Daemon.since, uptime: 60, dryRun: false,
          config: "/etc/bailiff/bailiff.yaml",
          sources: (0..<300).map { number in
            SourceStatus(
              name: "/srv/site\(number)/access.log", problem: number == 250 ? "no such file" : nil,
              read: UInt64(number), matched: 0, ignored: 0, unmatched: UInt64(number), tooLong: 0, lag: 0,
              jails: ["jail\(number % 50)"])
          },
          jails: (0..<50).map {
            JailStatus(name: "jail\($0)", failures: UInt64($0), tracked: 0, evicted: 0, bans: $0, bansEver: UInt64($0))
          },
          store: StoreStatus(path: "/var/lib/bailiff/bailiff.db", bytes: 4096, failures: 3),
          firewall: FirewallStatus(backend: "nftables", chains: ["input"], entries: 1225))
      }
      server = try await ControlServer.start(
        socket: scratch.path + "/s", handlers: handlers,
        context: InspectionContext(version: "0.1.0", database: { "/nowhere/bailiff.db" }, settings: { Settings() }))
    }

    func run(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", config])
    }
  }

  @Test func manyAreFolded() async throws {
    let large = try await Large()
    let short = try await large.run("status")
    #expect(short.status == 0, "\(short.error)")
    let lines = short.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count < 40 && lines[1] == "state     ok, 50 jails, 300 sources, 1,225 bans in force", "\(lines[1])")
    // What has a problem is there, however little it read, and the busiest.
    #expect(short.output.contains("/srv/site250/") && short.output.contains("/srv/site299/"))
    #expect(!short.output.contains("/srv/site10/") && short.output.contains("… and 288 more sources with "))
    #expect(short.output.contains("jail49") && short.output.contains("… and 38 more jails with 703 bans: --all"))
    let all = try await large.run("status", "--all")
    #expect(all.output.contains("/srv/site10/") && all.output.contains("jail3 ") && !all.output.contains("--all"))
    let one = try await large.run("status", "--jail", "jail3")
    #expect(one.output.contains("state     ok, 1 jail, 6 sources, 3 bans in force") && !one.output.contains("jail4 "))
    #expect(try #require(try await large.run("status", "--jail", "jail3", "--json").objects.first)["sources"] != nil)
    let none = try await large.run("status", "--jail", "jail99")
    #expect(none.status == 2 && none.error.contains("there is no jail `jail99`"))
    await large.server.stop()
  }

  /// A running daemon: what it did is there, in lines that a small terminal shows whole.
  @Test func aLiveView() async throws {
    let directory = try TestDirectory("watch")
    let stamp = Date().formatted(.iso8601)
    try directory.write(
      "auth.log",
      (0..<3).map { "\(stamp) web sshd[81\($0)]: Failed password for root from 192.0.2.7 port 4711 ssh2\n" }.joined())
    let config = try directory.write(
      "bailiff.yaml",
      """
      state: \(directory("state"))
      socket: \(directory("socket"))
      firewall: {backend: dry-run}
      jails: {sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))], maxretry: 3}}
      """)
    let daemon = try RunningDaemon(config, isDryRun: false)
    defer { daemon.kill() }
    var view = ""
    try await poll("the ban is in the view") {
      view = try await Binary.run("watch", "--count", "1", "--config", config).output
      return view.contains("ban  192.0.2.7  sshd  3 failures") && view.contains(" 1 ban in force")
    }
    let lines = view.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 24 && lines.allSatisfy { $0.count <= 80 } && !view.contains("\u{1b}"), "\(view)")
    #expect(lines[0].hasPrefix("bailiff 0.1.0, up ") && lines[1] == "ok, 1 jail, 1 source, 1 ban in force", "\(view)")
    // With a second view there are rates.
    let two = try await Binary.run("watch", "--count", "2", "--interval", "1s", "--config", config)
    #expect(two.status == 0 && two.output.contains("lines –/s") && two.output.contains("lines 0/s, failures 0/min"))
  }
}
