import Foundation
import TestSupport
import Testing

/// `bailiff run` on three servers with a nats-server between them, and the commands that ask the fleet.
@Suite(.timeLimit(.minutes(5))) struct FleetCommandTests {
  private final class Server {
    let directory: TestDirectory
    let config: String
    private var daemon: RunningDaemon?

    init(_ name: String, site: String, _ nats: NATSServer, operators: String) throws {
      directory = try TestDirectory("fleet")
      config = try directory.write(
        "bailiff.yaml",
        """
        state: \(directory("state"))
        socket: \(directory("socket"))
        firewall: {backend: dry-run}
        protect_sessions: false
        fleet:
          servers: ["\(nats.url)"]
          name: \(name)
          site: \(site)
          aggregate: true
          key: the fleet's own
          operators: [\(operators)]
          operator_key: \(Self.key(in: nats))
        jails:
          shop: {source: reports, maxretry: 5, findtime: 10m, bantime: 1h, scope: fleet}
        """)
      try TestDirectory.chmod(config, 0o600)
      try start()
    }

    static func key(in nats: NATSServer) -> String { nats.directory("operator.key") }

    func start() throws { daemon = try RunningDaemon(config, isDryRun: false) }
    func kill() { daemon?.kill() }
    deinit { kill() }

    @discardableResult
    func bailiff(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", config])
    }

    func fail(_ id: String, _ count: Int) async throws {
      try await poll("the daemon counts it") {
        try await bailiff("report-failure", "--jail", "shop", id, "--count", "\(count)").status == 0
      }
    }

    /// By id, with the cause.
    func bans() async throws -> Set<String> {
      Set(try await bailiff("bans", "--json").objects.compactMap { $0["id"] as? String })
    }
  }

  @Test func threeDaemonsCountTogether() async throws {
    let nats = try NATSServer()
    let made = try await Binary.run("fleet", "key", Server.key(in: nats))
    #expect(made.status == 0)
    let key = made.output.trimmingCharacters(in: .newlines)
    let servers = try [("web-1", "fra"), ("web-2", "fra"), ("web-3", "ams")].map {
      try Server($0.0, site: $0.1, nats, operators: key)
    }
    // Nothing is there yet: the daemons run all the same.
    #expect(try await servers[0].bailiff("fleet", "status").status == 4)
    let initialised = try await servers[0].bailiff("fleet", "init")
    #expect(initialised.output == "BL_FAIL made\nBL_LIVE made\n" && initialised.status == 0, "\(initialised)")
    #expect(try await servers[0].bailiff("fleet", "init").output.hasPrefix("BL_FAIL is as it should be\n"))
    try await poll("somebody decides") { try await servers[0].bailiff("fleet", "status").status == 0 }

    for server in servers { try await server.fail("198.51.100.7", 2) }
    for server in servers {
      try await poll("it is banned everywhere") { try await server.bans() == ["198.51.100.7"] }
    }
    let audit = try await servers[2].bailiff("audit", "--kind", "ban", "--json").objects
    #expect(audit.count == 1 && audit[0]["cause"] as? String == "fleet", "\(audit)")
    #expect((audit[0]["command"] as? String)?.contains("on 3 servers at 2 sites") == true, "\(audit)")
    let explained = try await servers[0].bailiff("fleet", "explain", "198.51.100.7")
    for name in ["web-1", "web-2", "web-3"] { #expect(explained.output.contains(name), "\(explained)") }
    let nodes = try await servers[0].bailiff("fleet", "nodes", "--json").objects
    #expect(nodes.compactMap { $0["name"] as? String } == ["web-3", "web-1", "web-2"])

    // Killed, and NATS with it: what the others see meanwhile, and what it sees then, comes together.
    nats.kill()
    try await servers[0].fail("203.0.113.9", 2)
    try await servers[1].fail("203.0.113.9", 2)
    // What was reported has no line to be read again: it is there once it is stored.
    for server in servers.prefix(2) {
      try await poll("it is stored") {
        try await server.bailiff("audit", "--kind", "failure", "--json").output.contains("203.0.113.9")
      }
    }
    servers[0].kill()
    servers[1].kill()
    try nats.start()
    for index in 0..<2 { try servers[index].start() }
    try await servers[2].fail("203.0.113.9", 2)
    for server in servers {
      try await poll("what was not told is told") { try await server.bans() == ["198.51.100.7", "203.0.113.9"] }
    }
    // An operator's word.
    let lifted = try await servers[1].bailiff("unban", "198.51.100.7", "--fleet")
    #expect(lifted.status == 0 && lifted.output.hasPrefix("told the fleet: unban 198.51.100.7"), "\(lifted)")
    #expect(try await servers[1].bailiff("allow", "203.0.113.0/24", "--fleet", "--why", "ours").status == 0)
    for server in servers {
      try await poll("both are free") { try await server.bans() == [] }
      let allowed = try await server.bailiff("allow", "--json").objects
      #expect(allowed.compactMap { $0["id"] as? String } == ["203.0.113.0/24"])
    }
    let acts = try await servers[0].bailiff("audit", "--kind", "unban", "--json").objects
    #expect(acts.contains { ($0["command"] as? String)?.hasPrefix("unban by ") == true }, "\(acts)")
  }

  @Test func permissionsNameWhatAServerNeeds() async throws {
    let plain = try await Binary.run("fleet", "permissions", "web-17", "--site", "fra1")
    #expect(plain.output.hasPrefix(#"{user: "web-17", password: "…", permissions: {publish: ["bl.fail.fra1.web-17", "#))
    #expect(!plain.output.contains("bl.live.>") && !plain.output.contains("CONSUMER"))
    #expect(try await Binary.run("fleet", "permissions", "web 17").status == 2)
  }
}
