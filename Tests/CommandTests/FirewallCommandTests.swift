import Foundation
import TestSupport
import Testing

/// `bailiff firewall`, by whoever removes the package: there may be no daemon, no settings and no iptables any more.
@Suite(.timeLimit(.minutes(2))) struct FirewallCommandTests {
  private static func run(_ network: TestNetwork, _ arguments: String...) async throws -> Finished {
    try await Command.run(network.enter + [Binary.path, "firewall"] + arguments)
  }

  private static func shell(_ network: TestNetwork, _ line: String) async throws -> String {
    try await Command.run(network.enter + ["/bin/sh", "-c", "PATH=/usr/sbin:/usr/bin:/sbin:/bin; \(line)"]).output
  }

  @Test func nothingToRemoveIsNoError() async throws {
    let network = try TestNetwork()
    for command in ["show", "clear", "clear"] {
      let finished = try await Self.run(network, command)
      #expect(finished.status == 0 && finished.error.isEmpty, "\(finished.error)")
      #expect(finished.output == "nothing of Bailiff's is in the firewall\n")
    }
    let json = try await Self.run(network, "show", "--json")
    #expect(json.status == 0 && json.output.isEmpty)
    // To ask changes nothing: iptables would make its tables.
    #expect(try await Self.shell(network, "nft list tables").isEmpty)
  }

  @Test func withoutRightsItSaysSo() async throws {
    let network = try TestNetwork()
    let command = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    for verb in ["show", "clear"] {
      let finished = try await Command.run(network.enter + command + [Binary.path, "firewall", verb])
      #expect(finished.status == 1)
      #expect(finished.error.contains("run as root"), "\(finished.error)")
    }
  }

  @Test(arguments: ["ipset", "nftables"]) func everythingIsRemoved(_ backend: String) async throws {
    let scratch = try TestDirectory()
    let network = try TestNetwork(
      "iptables -A INPUT -p tcp --dport 80 -j ACCEPT; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER")
    let config = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      firewall: {backend: \(backend)}
      jails:
        web: {filter: \(try scratch.write("web.yaml", Self.filter)), logpath: [\(try scratch.write("log", ""))], port: [80]}

      """)
    let before = try await Self.shell(network, "iptables-save -t filter | grep -v '^#'")
    let daemon = try RunningDaemon(config, in: network.enter, isDryRun: false)
    defer { daemon.kill() }
    try await poll("the daemon") {
      try await Command.run([Binary.path, "ban", "192.0.2.7", "--jail", "web", "--config", config]).status == 0
    }
    let shown = try await Self.run(network, "show", "--json").objects
    #expect(shown.contains { $0["backend"] as? String == backend && $0["bans"] as? Int == 1 }, "\(shown)")
    #expect(shown.allSatisfy { $0["backend"] as? String == backend })

    // The daemon would put everything back.
    let refused = try await Self.run(network, "clear", "--config", config)
    #expect(refused.status == 1)
    #expect(refused.error.contains("the daemon is running (pid "), "\(refused.error)")
    #expect(try await Self.run(network, "show").output.contains(backend))

    #expect(daemon.terminate() == 0)
    // Settings that nobody can read any more are no obstacle.
    _ = try scratch.write("bailiff.yaml", "jails: [\n")
    let cleared = try await Self.run(network, "clear", "--config", config)
    #expect(cleared.status == 0, "\(cleared.error)")
    #expect(cleared.output.contains(backend == "ipset" ? "removed set bailiff-web-4" : "removed table inet bailiff"))
    #expect(try await Self.run(network, "show").output == "nothing of Bailiff's is in the firewall\n")
    #expect(try await Self.shell(network, "ipset list -name; nft list tables").contains("bailiff") == false)
    #expect(try await Self.shell(network, "iptables-save -t filter | grep -v '^#'") == before)
  }

  /// The programs went first: what they made cannot be there, and what is there needs none.
  @Test func withoutTheProgramsItRemovesWhatItCan() async throws {
    let network = try TestNetwork(
      "nft add table inet bailiff; mount -t tmpfs tmpfs /usr/sbin")
    let cleared = try await Self.run(network, "clear")
    #expect(cleared.status == 0, "\(cleared.error)")
    #expect(cleared.output == "removed table inet bailiff\n")
    #expect(try await Self.run(network, "show").output == "nothing of Bailiff's is in the firewall\n")
  }

  private static let filter = """
    service: web
    summary: A test
    patterns:
      - {name: failed, match: '^failed login from <host>$'}
    samples:
      - {line: failed login from 192.0.2.1, expect: {pattern: failed, host: 192.0.2.1}}
    """
}
