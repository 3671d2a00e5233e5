import Foundation
import TestSupport
import Testing

/// Blocklists, allow lists and `bailiff allow`, with a daemon and a kernel of its own, on both backends.
@Suite(.timeLimit(.minutes(5))) struct ListCommandTests {
  /// A daemon in a network namespace, with a jail, a blocklist from a file and one from a server.
  final class Bench {
    let directory: TestDirectory
    let namespace: HeldNamespaces
    let config: String
    let backend: String
    private(set) var daemon: RunningDaemon

    init(_ backend: String, port: Int) throws {
      directory = try TestDirectory("lists")
      namespace = try HeldNamespaces(.network, setup: "ip link set lo up")
      self.backend = backend
      try directory.write("auth.log", "")
      try directory.write("bad.txt", "# bad\n203.0.113.0/24\n2001:db8:bad::/48\n203.0.113.7\n")
      try directory.write("office.txt", "198.51.100.0/28\n")
      config = try directory.write(
        "bailiff.yaml",
        """
        state: \(directory.path)/state
        socket: \(directory.path)/socket
        firewall: {backend: \(backend)}
        jails:
          sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))], maxretry: 3, findtime: 10m, bantime: 1h}
        lists:
          bad: {path: \(directory("bad.txt")), refresh: 1m}
          office: {path: \(directory("office.txt")), allow: true}
          drop: {url: "http://127.0.0.1:\(port)/drop.txt", block: reject}
        """)
      daemon = try RunningDaemon(config, in: namespace.enter, isDryRun: false)
    }

    deinit { daemon.kill() }

    func restart() throws {
      daemon.kill()
      daemon = try RunningDaemon(config, in: namespace.enter, isDryRun: false)
    }

    func run(_ words: String...) async throws -> Finished {
      try await Binary.run(words + ["--config", config])
    }

    /// What the kernel holds, whatever the sets' names.
    func kernel() async throws -> String {
      let enter = namespace.enter.joined(separator: " ")
      return try await Shell.run(backend == "ipset" ? "\(enter) ipset save" : "\(enter) nft list table inet bailiff")
        .text
    }

    func attack(_ address: String) throws {
      let stamp = ISO8601DateFormatter().string(from: Date())
      let lines = (1...3).map { "\(stamp) web sshd[\($0)]: Failed password for root from \(address) port 4711 ssh2\n" }
      try directory.append(lines.joined(), to: "auth.log")
    }
  }

  @Test(arguments: ["nftables", "ipset"]) func listsAreInTheKernel(_ backend: String) async throws {
    // The server is outside of the namespace, so that fetching fails until there is a kept one.
    let bench = try Bench(backend, port: 9)
    try await poll("the list is in the kernel") {
      let held = try await bench.kernel()
      return held.contains("203.0.113.0") && held.contains("2001:db8:bad::")
    }
    #expect(try await !bench.kernel().contains("203.0.113.7"), "the address is in the block")
    let shown = try await bench.run("lists", "--json")
    #expect(shown.status == 1, "one of them cannot be fetched")
    let bad = try #require(try shown.objects.first { $0["name"] as? String == "bad" })
    #expect(bad["entries"] as? Int == 2 && bad["allow"] as? Bool == false)
    let explained = try await bench.run("explain", "203.0.113.9")
    #expect(
      explained.output.contains("list bad blocks it: 203.0.113.0/24 is in \(bench.directory("bad.txt"))"),
      "\(explained)")

    // A changed file is taken over at a reload, and no sooner than needed otherwise; what is new comes before what goes.
    try bench.directory.write("bad.txt", "203.0.113.0/25\n192.0.2.66\n")
    #expect(try await bench.run("reload").status == 0)
    try await poll("the change is in the kernel") {
      let held = try await bench.kernel()
      return held.contains("192.0.2.66") && !held.contains("2001:db8:bad::") && held.contains("203.0.113.0")
    }
    // A list that would cut off this machine is refused, and the one before holds.
    try bench.directory.write("bad.txt", "192.0.2.66\n127.0.0.0/8\n")
    #expect(try await bench.run("reload").status == 0)
    try await poll("it is refused") {
      let status = try await bench.run("status", "--json").objects.first
      let warnings = status?["warnings"] as? [[String: Any]] ?? []
      return warnings.contains { $0["code"] as? String == "list_stale" && $0["subject"] as? String == "bad" }
    }
    #expect(try await bench.kernel().contains("203.0.113.0"))
    // It holds over a restart without its file, as far as it was good then.
    try bench.directory.write("bad.txt", "203.0.113.0/25\n192.0.2.66\n")
    try bench.restart()
    try await poll("it is there again") { try await bench.run("lists", "--json").output.contains("\"entries\":2") }
    #expect(try await bench.kernel().contains("192.0.2.66"))
    let audit = try await bench.run("audit", "--kind", "operator", "--json")
    #expect(audit.output.contains("list-changed"))
  }

  @Test func whoIsAllowedIsSpared() async throws {
    let bench = try Bench("nftables", port: 9)
    try await poll("the daemon") { try await bench.run("lists", "--json").output.contains("\"entries\":2") }
    try bench.attack("192.0.2.77")
    try await poll("a ban") { try await bench.kernel().contains("192.0.2.77") }
    let allowed = try await bench.run("allow", "192.0.2.77", "--for", "2h", "--why", "the auditors")
    #expect(allowed.status == 0 && allowed.output.hasPrefix("allowed 192.0.2.77 until "))
    #expect(try await !bench.kernel().contains("192.0.2.77"), "its ban is lifted")
    // Whom a list or a person allows is banned by nobody without --force.
    for address in ["192.0.2.77", "198.51.100.3"] {
      let refused = try await bench.run("ban", address)
      #expect(refused.status == 1 && refused.error.contains("--force"), "\(refused)")
      try bench.attack(address)
    }
    try bench.attack("192.0.2.78")
    try await poll("who is not allowed is banned") { try await bench.kernel().contains("192.0.2.78") }
    #expect(try await bench.run("bans").output.contains("192.0.2.77") == false)
    // Who is banned in spite of it stays banned when somebody else is allowed.
    #expect(try await bench.run("ban", "198.51.100.3", "--force").status == 0)
    #expect(try await bench.run("allow", "203.0.113.99").status == 0)
    #expect(try await bench.kernel().contains("198.51.100.3"))
    #expect(try await bench.run("disallow", "203.0.113.99").status == 0)
    let explained = try await bench.run("explain", "192.0.2.77")
    #expect(explained.output.contains("192.0.2.77 is allowed"), "\(explained)")
    // A block that holds an allowed address is not blocked.
    #expect(try await bench.run("allow", "203.0.113.9").status == 0)
    try await poll("the list leaves it out") { try await !bench.kernel().contains("203.0.113.0") }
    // Over a restart.
    try bench.restart()
    try await poll("the daemon again") { try await bench.run("allow", "--json").objects.count == 2 }
    let shown = try await bench.run("allow")
    #expect(shown.output.contains("the auditors") && shown.output.contains("203.0.113.9"))
    #expect(try await !bench.kernel().contains("203.0.113.0"))
    #expect(try await bench.run("disallow", "203.0.113.9").status == 0)
    try await poll("the list has it again") { try await bench.kernel().contains("203.0.113.0") }
    #expect(try await bench.run("disallow", "203.0.113.9").status == 1)
    #expect(try await bench.run("allow", "0.0.0.0/0").status != 0)
    let audit = try await bench.run("audit", "--kind", "operator", "--json")
    #expect(audit.output.contains("allow 192.0.2.77 --for 7200s") && audit.output.contains("the auditors"))
  }

  /// What is fetched is kept: a start without the network blocks what was blocked before.
  @Test func aFetchedListIsKept() async throws {
    let directory = try TestDirectory("lists")
    let server = try Receiver("list_server.py")
    let config = try directory.write(
      "bailiff.yaml",
      """
      state: \(directory.path)/state
      socket: \(directory.path)/socket
      firewall: {backend: dry-run}
      jails:
        sshd: {filter: sshd, backend: files, logpath: [\(try directory.write("auth.log", ""))]}
      lists:
        drop: {url: "http://127.0.0.1:\(server.port)/drop.txt"}
      """)
    func list() async throws -> [String: Any]? {
      try await Binary.run("lists", "--json", "--config", config).objects.first
    }
    let first = try RunningDaemon(config)
    try await poll("it is fetched") { try await list()?["entries"] as? Int == 2 }
    first.kill()
    server.stop()
    let second = try RunningDaemon(config)
    defer { second.kill() }
    try await poll("the server is missed") { try await list()?["problem"] as? String != nil }
    #expect(try await list()?["entries"] as? Int == 2)
    let explained = try await Binary.run("explain", "198.51.100.7", "--config", config)
    #expect(explained.output.contains("list drop blocks it: 198.51.100.7"), "\(explained)")
  }

  /// Countries and networks from databases: blocked, in rules, exchanged when a file is, and shown as facts.
  @Test(arguments: ["nftables", "ipset"]) func placesAreBlockedAndShown(_ backend: String) async throws {
    let directory = try TestDirectory("places")
    let namespace = try HeldNamespaces(.network, setup: "ip link set lo up")
    func countries(_ blocks: [(String, String)]) throws {
      var writer = MMDBWriter(type: "Test-Country")
      for (block, code) in blocks { writer.add(block, ["country": ["iso_code": .text(code)]]) }
      writer.addAliases()
      try writer.write(to: directory("country.mmdb"))
    }
    try countries([("203.0.113.0/24", "DE"), ("198.51.100.0/24", "NO"), ("2001:db8::/32", "NO")])
    var writer = MMDBWriter(type: "Test-ASN")
    writer.add("198.51.100.0/25", ["autonomous_system_number": 64496, "autonomous_system_organization": "Example Net"])
    try writer.write(to: directory("network.mmdb"))
    let config = try directory.write(
      "bailiff.yaml",
      """
      state: \(directory.path)/state
      socket: \(directory.path)/socket
      geo: {country: \(directory("country.mmdb")), network: \(directory("network.mmdb"))}
      firewall:
        backend: \(backend)
        block: [{from: ["network:64496"], port: [25]}]
      jails:
        sshd: {filter: sshd, backend: files, logpath: [\(try directory.write("auth.log", ""))], maxretry: 1, port: all}
      lists:
        far: {countries: [DE], database: \(directory("country.mmdb"))}
        odd: {countries: [XX]}
      """)
    let daemon = try RunningDaemon(config, in: namespace.enter, isDryRun: false)
    defer { daemon.kill() }
    let enter = namespace.enter.joined(separator: " ")
    func kernel() async throws -> String {
      try await Shell.run(backend == "ipset" ? "\(enter) ipset save" : "\(enter) nft list table inet bailiff").text
    }
    func run(_ words: String...) async throws -> Finished { try await Binary.run(words + ["--config", config]) }
    try await poll("both are in the kernel") {
      let held = try await kernel()
      return held.contains("203.0.113.0") && held.contains("198.51.100.0")
    }
    let lists = try await run("lists", "--json")
    let odd = try #require(lists.objects.first { $0["name"] as? String == "odd" })
    #expect((odd["problem"] as? String)?.contains("knows no country XX") == true, "\(lists)")
    #expect(try lists.objects.map { $0["name"] as? String } == ["far", "odd", "network:64496"])
    #expect(try await run("explain", "203.0.113.9").output.contains("list far blocks it: 203.0.113.0/24 is in DE"))

    // Facts: with a ban, a failure, in counts and in the report, from the store and from the daemon.
    let stamp = ISO8601DateFormatter().string(from: Date())
    let line = "\(stamp) web sshd[1]: Failed password for root from 198.51.100.7 port 4711 ssh2\n"
    try directory.append(line, to: "auth.log")
    try await poll("a ban") { try await kernel().contains("198.51.100.7") }
    let bans = try await run("bans", "--json")
    let ban = try #require(bans.objects.first)
    #expect(ban["country"] as? String == "NO" && ban["network"] as? Int == 64496, "\(ban)")
    #expect(ban["network_name"] as? String == "Example Net")
    #expect(try await run("bans").output.contains("NO, AS64496 Example Net"))
    let explained = try await run("explain", "198.51.100.7")
    #expect(explained.output.contains("from: NO, AS64496 Example Net"), "\(explained)")
    let failure = try await run("audit", "--kind", "failure", "--json").objects.first
    #expect(failure?["country"] as? String == "NO", "\(String(describing: failure))")
    let top = try await run("top", "--by", "country", "--json").objects.first
    #expect(top?["name"] as? String == "NO" && top?["failures"] as? Int == 1, "\(String(describing: top))")
    #expect(try await run("top", "--by", "network").output.contains("AS64496 Example Net"))
    let report = try await Shell.run(
      "curl -s --unix-socket \(directory.path)/socket 'http://localhost/api/v1/report?since=1d'; "
        + "curl -s --unix-socket \(directory.path)/socket 'http://localhost/api/v1/top?by=network'"
    ).text
    #expect(
      report.contains("<h2>Countries</h2>") && report.contains("\"detail\":\"Example Net\""), "\(report.suffix(300))")

    // A month later the country has other blocks.
    try countries([("203.0.113.0/25", "DE"), ("192.0.2.128/25", "DE"), ("198.51.100.0/24", "SE")])
    #expect(try await run("reload").status == 0)
    try await poll("the change is in the kernel") {
      let held = try await kernel()
      return held.contains("192.0.2.128")
    }
    #expect(try await run("bans", "--json").objects.first?["country"] as? String == "SE")
  }
}
