import Foundation
import TestSupport
import Testing

/// `escalate` with a daemon and a kernel of its own, on both backends.
@Suite(.timeLimit(.minutes(5))) struct EscalationCommandTests {
  @Test(arguments: ["nftables", "ipset"]) func aBlockIsBannedForWhatIsInIt(_ backend: String) async throws {
    let directory = try TestDirectory("escalate")
    let namespace = try HeldNamespaces(.network, setup: "ip link set lo up")
    try directory.write("auth.log", "")
    let config = try directory.write(
      "bailiff.yaml",
      """
      state: \(directory.path)/state
      socket: \(directory.path)/socket
      firewall: {backend: \(backend)}
      ignoreip: [203.0.113.200]
      jails:
        sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))], maxretry: 2, bantime: 1h, escalate: {after: 3}}
      """)
    let daemon = try RunningDaemon(config, in: namespace.enter, isDryRun: false)
    defer { daemon.kill() }
    func run(_ words: String...) async throws -> Finished { try await Binary.run(words + ["--config", config]) }
    func attack(_ address: String) throws {
      let stamp = ISO8601DateFormatter().string(from: Date())
      let line = "\(stamp) web sshd[7]: Failed password for root from \(address) port 4711 ssh2\n"
      try directory.append(line + line, to: "auth.log")
    }
    func kernel() async throws -> String {
      let enter = namespace.enter.joined(separator: " ")
      return try await Shell.run(backend == "ipset" ? "\(enter) ipset save" : "\(enter) nft list table inet bailiff")
        .text
    }
    for i in 1...3 { try attack("198.51.100.\(i)") }
    try await poll("the block is in the kernel") { try await kernel().contains("198.51.100.0") }
    let explained = try await run("explain", "198.51.100.77")
    #expect(explained.output.contains("198.51.100.77 is banned: in sshd as 198.51.100.0/24"), "\(explained)")
    #expect(explained.output.contains("3 of its addresses were banned, so all of it is"), "\(explained)")
    for i in 1...3 { #expect(explained.output.contains("198.51.100.\(i) was banned after 2 failures"), "\(explained)") }
    let told = try #require(try await run("explain", "198.51.100.77", "--json").objects.first)
    let ban = try #require((told["bans"] as? [[String: Any]])?.first)
    #expect(ban["cause"] as? String == "escalated" && (ban["members"] as? [[String: Any]])?.count == 3)

    // One of them alone: its own ban is lifted, and it is said that the block's holds.
    let one = try await run("unban", "198.51.100.2")
    #expect(
      one.status == 0 && one.output.contains("198.51.100.0/24 in jail sshd goes on covering it"), "\(one)")
    let other = try await run("unban", "198.51.100.77")
    #expect(other.status == 1 && other.error.contains("bailiff unban 198.51.100.0/24"), "\(other)")
    #expect(try await kernel().contains("198.51.100.0"))
    // The block with what is in it.
    let all = try await run("unban", "198.51.100.0/24")
    #expect(all.status == 0 && all.output.contains("198.51.100.1") && all.output.contains("198.51.100.3"), "\(all)")
    #expect(try await !kernel().contains("198.51.100."))

    // Who is spared spares the block, and it is said.
    for i in 1...3 { try attack("203.0.113.\(i)") }
    try await poll("the bans of its addresses") { try await kernel().contains("203.0.113.3") }
    #expect(try await !kernel().contains("203.0.113.0"))
    let audit = try await run("audit", "--kind", "operator", "--json")
    #expect(audit.output.contains("not banned by sshd: it holds 203.0.113.200, which is spared"), "\(audit)")
    let verified = try await run("audit", "verify")
    #expect(verified.status == 0, "\(verified)")
  }
}
