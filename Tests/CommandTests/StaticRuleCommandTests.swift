import Foundation
import TestSupport
import Testing

/// `firewall.block` and `firewall.allow_only` with a daemon and a kernel of its own, on both backends.
@Suite(.timeLimit(.minutes(5))) struct StaticRuleCommandTests {
  private final class Machine {
    let directory: TestDirectory
    let namespace: HeldNamespaces
    let backend: String
    let daemon: RunningDaemon
    let config: String

    init(_ backend: String, _ rules: String) throws {
      directory = try TestDirectory("rules")
      namespace = try HeldNamespaces(.network, setup: "ip link set lo up")
      self.backend = backend
      try directory.write("auth.log", "")
      try directory.write("office.txt", "203.0.113.0/28\n2001:db8:7::/48\n")
      config = try Self.write(directory, backend, rules)
      daemon = try RunningDaemon(config, in: namespace.enter, isDryRun: false)
    }

    deinit { daemon.kill() }

    @discardableResult
    static func write(_ directory: TestDirectory, _ backend: String, _ rules: String) throws -> String {
      try directory.write(
        "bailiff.yaml",
        """
        state: \(directory.path)/state
        socket: \(directory.path)/socket
        protect_sessions: false
        firewall:
          backend: \(backend)
        \(rules.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
        jails:
          sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))]}
        lists:
          office: {path: \(directory("office.txt")), allow: true}
        """)
    }

    func change(_ rules: String) throws { try Self.write(directory, backend, rules) }

    /// Runs a command as somebody who came by SSH from 198.51.100.7.
    func run(_ words: String...) async throws -> Finished {
      try await Command.run(
        ["/usr/bin/env", "SSH_CONNECTION=198.51.100.7 50000 198.51.100.1 22", Binary.path] + words
          + ["--config", config])
    }

    func kernel() async throws -> String {
      let enter = namespace.enter.joined(separator: " ")
      return try await Shell.run("\(enter) ipset save; \(enter) nft list ruleset").text
    }
  }

  @Test(arguments: ["nftables", "ipset"]) func rulesHoldAndLockNobodyOut(_ backend: String) async throws {
    let machine = try Machine(
      backend,
      """
      block: [{from: [192.0.2.0/25], port: [25]}]
      allow_only:
        - {port: [ssh], from: ["list:office", 198.51.100.7]}
        - {port: [http, https]}
      """)
    try await poll("the rules") {
      let held = try await machine.kernel()
      return ["198.51.100.7", "203.0.113.0", "192.0.2.0", backend == "ipset" ? "BAILIFF-GATE" : "chain gate"]
        .allSatisfy(held.contains)
    }
    // The list grows, and so does the rule.
    try machine.directory.write("office.txt", "203.0.113.0/28\n203.0.113.77\n")
    #expect(try await machine.run("reload").status == 0)
    try await poll("the list's change") {
      let held = try await machine.kernel()
      return held.contains("203.0.113.77") && !held.contains("2001:db8:7::")
    }

    // Whoever asks from an address that would be shut out is refused, and nothing has changed.
    try machine.change("allow_only: [{port: [ssh], from: [203.0.113.1]}]")
    let refused = try await machine.run("reload")
    #expect(refused.status == 1, "\(refused)")
    #expect(refused.error.contains("does not let 198.51.100.7 in on port 22"), "\(refused)")
    #expect(refused.error.contains("--confirm 60s"), "\(refused)")
    #expect(try await machine.kernel().contains("198.51.100.7"))
    try machine.change("block: [{from: [198.51.100.0/24]}]")
    let blocked = try await machine.run("reload")
    #expect(blocked.status == 1 && blocked.error.contains("refuses 198.51.100.7 on port 22"), "\(blocked)")

    // By force, for two seconds; nobody confirms.
    let forced = try await machine.run("reload", "--force", "--confirm", "2s")
    #expect(forced.status == 0 && forced.output.contains("bailiff reload --keep"), "\(forced)")
    try await poll("the old state again") {
      let held = try await machine.kernel()
      return held.contains("198.51.100.7") && held.contains("203.0.113.77") && !held.contains("198.51.100.0")
    }
    try await poll("a warning") {
      try await machine.run("status").output.contains("not confirmed in time")
    }
    #expect(try await machine.run("reload", "--keep").status == 1)

    // With a word in time it stays.
    let kept = try await machine.run("reload", "--force", "--confirm", "1h")
    #expect(kept.status == 0, "\(kept)")
    let word = try await machine.run("reload", "--keep")
    #expect(word.status == 0 && word.output.contains("stay"), "\(word)")
    try await poll("the new state") { try await machine.kernel().contains("198.51.100.0") }
    let held = try await machine.kernel()
    #expect(!held.contains("203.0.113.77") && !held.contains("GATE") && !held.contains("chain gate"), "\(held)")
    let explained = try await machine.run("explain", "198.51.100.99")
    #expect(explained.output.contains("block:all"), "\(explained)")
    let audit = try await machine.run("audit", "--kind", "operator", "--json")
    #expect(audit.output.contains("reload --keep") && audit.output.contains("was not confirmed in time"))
  }
}
