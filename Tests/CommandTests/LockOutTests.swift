import Foundation
import TestSupport
import Testing

/// The daemon with a kernel's firewall of its own, on a machine with a gateway, a name server and somebody logged in.
@Suite(.serialized, .timeLimit(.minutes(4))) struct LockOutTests {
  final class Machine {
    let scratch: TestDirectory
    let network: TestNetwork
    let config: String
    private let daemon: RunningDaemon

    init() throws {
      scratch = try TestDirectory()
      network = try TestNetwork(
        """
        cp -a /etc \(scratch.path)/etc; rm -f \(scratch.path)/etc/resolv.conf
        echo 'nameserver 203.0.113.53' >\(scratch.path)/etc/resolv.conf; mount --bind \(scratch.path)/etc /etc
        mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/sessions
        printf 'STATE=active\\nREMOTE=1\\nREMOTE_HOST=198.51.100.7\\nSERVICE=sshd\\n' >/run/systemd/sessions/1
        ip link add d0 type veth peer name d1; ip addr add 192.0.2.1/24 dev d0; ip link set d0 up; ip link set d1 up
        ip route add default via 192.0.2.254
        """)
      config = try Self.write(scratch, "ignoreip: [203.0.113.128/28]")
      _ = try scratch.write("auth.log", "")
      daemon = try RunningDaemon(config, in: network.enter, isDryRun: false)
    }

    deinit { daemon.kill() }

    @discardableResult
    static func write(_ scratch: TestDirectory, _ general: String) throws -> String {
      let filters = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters")
        .standardizedFileURL
      return try scratch.write(
        "bailiff.yaml",
        """
        state: \(scratch.path)/state
        socket: \(scratch.path)/s
        filters: [\(filters.path(percentEncoded: false))]
        bans_per_minute_warning: 3
        \(general)
        jails:
          sshd: {filter: sshd, logpath: [\(scratch.path)/auth.log], port: [ssh], maxretry: 2, findtime: 1h, bantime: 1d}

        """)
    }

    func run(_ arguments: String...) async throws -> Finished {
      try await Command.run(network.enter + [Binary.path] + arguments + ["--config", config])
    }

    func attack(_ addresses: [String]) throws {
      let log = try LogFile(scratch.path + "/auth.log")
      for address in addresses {
        for _ in 0..<2 {
          try log.write("\(Attack.now()) web sshd[812]: Failed password for root from \(address) port 4711 ssh2\n")
        }
      }
    }

    func isBanned(_ address: String) throws -> Bool { try network.banned().contains(address) }
  }

  @Test func jailsLockNobodyOut() async throws {
    let machine = try Machine()
    let attackers = (1...5).map { "203.0.113.\($0)" }
    // This machine, its gateway, its name server, somebody who is logged in; then those who are none of that.
    try machine.attack(["192.0.2.1", "192.0.2.254", "203.0.113.53", "198.51.100.7"] + attackers)
    try await poll("the bans") { try machine.network.banned() == attackers }
    let notes = try await machine.run("audit", "--kind", "operator", "--json").output
    for reason in [
      "holds this machine's gateway 192.0.2.254", "holds this machine's name server 203.0.113.53",
      "somebody is logged in from 198.51.100.7",
    ] {
      #expect(notes.contains("not banned by sshd: ") && notes.contains(reason), "\(reason): \(notes)")
    }
    // Five bans are more than three: they are carried out, and it is said.
    #expect(notes.contains("more than 3 bans in a minute; they are carried out"))

    // The settings can say otherwise of people, not of the gateway.
    try Machine.write(machine.scratch, "protect_sessions: false")
    #expect(try await machine.run("reload").output.contains("protect_sessions"))
    try machine.attack(["198.51.100.7", "192.0.2.254"])
    try await poll("the ban") { try machine.isBanned("198.51.100.7") }
    try machine.attack(["203.0.113.6"])
    try await poll("the last ban") { try machine.isBanned("203.0.113.6") }
    #expect(try machine.network.banned().count == 7)
  }

  @Test func whatNeedsForce() async throws {
    let machine = try Machine()
    try await poll("the daemon") { try await machine.run("status").status == 0 }
    for (id, reason) in [
      ("192.0.2.1", "own address"), ("192.0.2.254", "gateway"), ("203.0.113.53", "name server"),
      ("198.51.100.7", "logged in"), ("10.0.0.0/15", "wider than /16"), ("2001:db8::/31", "wider than /32"),
      ("203.0.113.130", "spared by `ignoreip` (203.0.113.128/28)"),
      ("203.0.113.128/27", "holds 203.0.113.128/28, which `ignoreip` spares"),
    ] {
      let refused = try await machine.run("ban", id)
      #expect(refused.status == 1, "\(id)")
      #expect(refused.error.contains(reason) && refused.error.contains("--force"), "\(id): \(refused.error)")
    }
    #expect(try machine.network.banned().isEmpty)
    #expect(try await machine.run("ban", "10.0.0.0/16").status == 0)
    #expect(try await machine.run("ban", "198.51.100.7", "--force").status == 0)
    #expect(try machine.network.banned() == ["10.0.0.0/16", "198.51.100.7"])
  }

  /// A ban that would have been the last command: unless it is confirmed, the kernel releases again.
  @Test func aBanThatIsNotConfirmedLeavesTheKernel() async throws {
    let machine = try Machine()
    try await poll("the daemon") { try await machine.run("status").status == 0 }
    #expect(try await machine.run("ban", "203.0.113.9", "--confirm", "1s").status == 0)
    #expect(try await machine.run("ban", "203.0.113.10", "--confirm", "600s").status == 0)
    #expect(try await machine.run("confirm", "203.0.113.10").status == 0)
    try await poll("the end of it") { try machine.network.banned() == ["203.0.113.10"] }
    let unban = try await machine.run("audit", "--kind", "unban", "--json").output
    #expect(unban.contains("not confirmed in time"))
  }
}
