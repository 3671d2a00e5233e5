import Foundation
import TestSupport
import Testing

/// Debian's bouncers of CrowdSec's, set up as docs/outputs.md has it, carry out Bailiff's bans in a namespace of their own.
@Suite(.timeLimit(.minutes(3))) struct BouncerProgramsTests {
  /// A daemon whose own firewall does nothing, in a namespace with a loopback and nothing else.
  private final class Site {
    let directory: TestDirectory
    let config: String
    let port = Int.random(in: 20_000..<32_000)
    private let held: HeldNamespaces
    private let daemon: RunningDaemon
    private var bouncer: Process?

    init() throws {
      directory = try TestDirectory("bouncer")
      held = try HeldNamespaces(.network, setup: "ip link set lo up")
      try directory.write("auth.log", "")
      let key = try directory.write("key", "0123456789abcdef0123456789abcdef\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
      config = try directory.write(
        "bailiff.yaml",
        """
        state: \(directory("state"))
        socket: \(directory("socket"))
        firewall: {backend: dry-run}
        compat: {crowdsec: {listen: "127.0.0.1:\(port)", keys: {edge1: {file: \(key)}}}}
        jails: {sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))]}}
        """)
      daemon = try RunningDaemon(config, in: held.enter, isDryRun: false)
    }

    deinit {
      bouncer?.terminate()
      bouncer?.waitUntilExit()
      daemon.kill()
    }

    func bailiff(_ arguments: String...) async throws {
      let result = try await Binary.run(arguments + ["--config", config])
      #expect(result.status == 0, "\(result)")
    }

    func start(_ program: String, _ settings: String) async throws {
      try await poll("bailiff answers bouncers") {
        try await run("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:\(port)/health") == "200"
      }
      let file = try directory.write(
        "\(program).yaml",
        """
        api_url: http://127.0.0.1:\(port)/
        api_key: 0123456789abcdef0123456789abcdef
        update_frequency: 1s
        daemonize: false
        log_mode: file
        log_dir: \(directory.path)
        log_level: info
        pid_dir: \(directory.path)
        piddir: \(directory.path)
        prometheus: {enabled: false}
        \(settings)
        """)
      let process = Process()
      process.executableURL = URL(filePath: held.enter[0])
      process.arguments = held.enter.dropFirst() + ["/usr/bin/\(program)", "-c", file]
      process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      bouncer = process
    }

    /// What a program prints that runs in the namespace.
    func run(_ line: String) async throws -> String {
      try await Shell.run("\(held.enter.joined(separator: " ")) \(line)").text
    }
  }

  @Test func theFirewallBouncerFillsItsSets() async throws {
    let site = try Site()
    try await site.start(
      "crowdsec-firewall-bouncer",
      """
      mode: nftables
      deny_action: DROP
      supported_decisions_types: [ban]
      blacklists_ipv4: crowdsec-blacklists
      blacklists_ipv6: crowdsec6-blacklists
      nftables:
        ipv4: {enabled: true, set-only: false, table: crowdsec, chain: crowdsec-chain}
        ipv6: {enabled: true, set-only: false, table: crowdsec6, chain: crowdsec6-chain}
      """)
    try await site.bailiff("ban", "192.0.2.7", "192.0.2.8", "--for", "1h")
    try await poll("the bans are in its set") {
      let set = try await site.run("nft list set ip crowdsec crowdsec-blacklists")
      return set.contains("192.0.2.7 timeout") && set.contains("192.0.2.8 timeout")
    }
    // Nobody who is banned is heard: the loopback is a link as any other to its rules.
    try await site.bailiff("ban", "127.0.0.9", "--force", "--for", "1h")
    try await poll("a banned client's packets are dropped") {
      try await site.run("ping -c 1 -W 1 -I 127.0.0.9 127.0.0.1").contains("100% packet loss")
    }
    #expect(try await site.run("ping -c 1 -W 1 -I 127.0.0.10 127.0.0.1").contains(" 0% packet loss"))
    try await site.bailiff("unban", "192.0.2.7", "127.0.0.9")
    try await poll("an unban is carried out") {
      let set = try await site.run("nft list set ip crowdsec crowdsec-blacklists")
      return !set.contains("192.0.2.7") && !set.contains("127.0.0.9") && set.contains("192.0.2.8")
    }
  }

  @Test func theCustomBouncerRunsItsProgram() async throws {
    let site = try Site()
    let told = site.directory("told")
    let program = try site.directory.write("act", "#!/bin/sh\necho \"$1 $2\" >> \(told)\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    try await site.start(
      "crowdsec-custom-bouncer", "bin_path: \(program)\ncache_retention_duration: 1s\nfeed_via_stdin: false")
    /// What its program was told so far, each thing once.
    func acts() -> Set<Substring> {
      Set(((try? String(contentsOfFile: told, encoding: .utf8)) ?? "").split(separator: "\n"))
    }
    try await site.bailiff("ban", "192.0.2.7", "2001:db8:66::/64", "--for", "1h")
    try await poll("it was told of both bans") { acts().isSuperset(of: ["add 192.0.2.7", "add 2001:db8:66::/64"]) }
    try await site.bailiff("unban", "192.0.2.7")
    try await poll("it was told of the end") { acts().contains("del 192.0.2.7") }
    #expect(!acts().contains("del 2001:db8:66::/64"))
  }
}
