import Foundation
import TestSupport
import Testing

/// A scan of ports becomes a ban: the kernel limits and logs, the filter reads, the kernel drops.
@Suite(.timeLimit(.minutes(3))) struct SynLimitCommandTests {
  @Test(arguments: ["nftables", "ipset"]) func whoScansPortsIsBanned(_ backend: String) async throws {
    let directory = try TestDirectory("scan")
    let client = try HeldNamespaces(.network)
    let server = try HeldNamespaces(
      .network,
      setup: """
        ip link set lo up
        ip link add vs type veth peer name vc
        ip link set vc netns \(client.first)
        ip addr add 198.51.100.1/24 dev vs
        ip link set vs up
        """)
    func shell(_ namespaces: HeldNamespaces, _ line: String) async throws -> String {
      try await Command.run(namespaces.enter + ["/bin/bash", "-c", "PATH=/usr/sbin:/usr/bin:/sbin:/bin; \(line)"])
        .output
    }
    _ = try await shell(client, "ip addr add 198.51.100.7/24 dev vc; ip link set vc up")
    let prefix = "PORTSCAN_BLOCKED_\(backend.prefix(3)): "
    let config = try directory.write(
      "bailiff.yaml",
      """
      state: \(directory.path)/state
      socket: \(directory.path)/socket
      firewall: {backend: \(backend), syn_limit: {rate: 1/h, burst: 4, log_prefix: "\(prefix)"}}
      jails:
        portscan: {filter: kernel-firewall, backend: files, logpath: [\(try directory.write("kern.log", ""))], maxretry: 5, port: all}
      """)
    let log = try KernelLog()
    let daemon = try RunningDaemon(config, in: server.enter, isDryRun: false)
    defer { daemon.kill() }
    try await poll("the limit") { try await shell(server, "nft list ruleset").contains("PORTSCAN_BLOCKED") }
    // What rsyslog does.
    let pump = Task {
      while !Task.isCancelled {
        let lines = log.news().filter { $0.contains(prefix) }
        if !lines.isEmpty {
          let stamp = ISO8601DateFormatter().string(from: Date())
          try directory.append(lines.map { "\(stamp) web kernel: \($0)\n" }.joined(), to: "kern.log")
        }
        try await Task.sleep(for: .milliseconds(20))
      }
    }
    defer { pump.cancel() }
    _ = try await shell(
      client,
      "for port in $(seq 1000 1019); do timeout -s KILL 0.1 bash -c \"</dev/tcp/198.51.100.1/$port\" & done 2>/dev/null; wait"
    )
    try await poll("the ban") {
      try await Binary.run("bans", "--config", config).output.contains("198.51.100.7")
    }
    let explained = try await Binary.run("explain", "198.51.100.7", "--config", config)
    #expect(explained.output.contains("portscan of") && explained.output.contains(prefix), "\(explained)")
    let shown = try await Command.run(server.enter + [Binary.path, "firewall", "show"])
    #expect(shown.output.contains(backend == "ipset" ? "BAILIFF-SYN" : "syn-refused"), "\(shown)")

    // A reload without the limit takes it away; the ban stays.
    let text = try String(contentsOfFile: config, encoding: .utf8)
    try text.replacing(", syn_limit: {rate: 1/h, burst: 4, log_prefix: \"\(prefix)\"}", with: "").write(
      toFile: config, atomically: true, encoding: .utf8)
    let reloaded = try await Binary.run("reload", "--config", config)
    #expect(reloaded.status == 0 && reloaded.output.contains("firewall"), "\(reloaded)")
    let left = try await shell(server, "nft list ruleset; ipset save")
    #expect(!left.contains("PORTSCAN") && left.contains("198.51.100.7"), "\(left)")
  }
}
