import Foundation
import TestSupport
import Testing

/// The tests of this target use the machine's two cores to the full; they run one at a time.
@Suite(.serialized) enum EndToEnd {}

extension EndToEnd {
  /// From a wrong password to a dropped packet, through sshd, journald and the kernel.
  @Suite(.timeLimit(.minutes(5))) struct BanTests {
    struct Case: Sendable, CustomTestStringConvertible {
      var addresses: Hosts.Addresses
      var prefix: Int
      /// What is banned.
      var id: String
      var testDescription: String { addresses.testDescription + (id.contains(":") ? ", prefix \(prefix)" : "") }
    }

    @Test(arguments: [
      Case(addresses: .ipv4, prefix: 64, id: "10.77.0.2"),
      Case(addresses: .ipv6, prefix: 64, id: "fd77:0:0:1::/64"),
      Case(addresses: .ipv6, prefix: 128, id: "fd77:0:0:1::2"),
    ])
    func fromTheJournal(_ test: Case) async throws {
      let hosts = try await Hosts()
      let (server, attacker, bystander) = (test.addresses.server, test.addresses.attacker, test.addresses.bystander)
      try await hosts.startSSHD(.journal)
      var options = RunningBailiff.Options()
      options.ipv6Prefix = test.prefix
      let bailiff = try RunningBailiff(hosts, options)
      try await bailiff.start()

      try await hosts.startEcho(server, from: [attacker, bystander])
      try await hosts.guess(2, server, from: attacker)
      try await poll("two guesses") { try await guesses(bailiff) == 2 }
      #expect(try await bailiff.objects("bans").isEmpty, "banned before maxretry")
      try await hosts.expect(server, from: attacker, open: true)
      try await hosts.guess(1, server, from: attacker)
      try await bailiff.wait(forBanOf: test.id)

      // The attacker's packets are dropped, those of an open connection too; others' are not.
      try await hosts.expect(server, from: attacker, open: false)
      try await hosts.expect(server, from: bystander, open: true)
      try await hosts.expect(server, from: test.addresses.sibling, open: !test.id.hasSuffix("/64"))
      try await expectDead(hosts, attacker, while: bystander)
      try await expectTold(bailiff, test, attacker)

      // unban lets it in.
      let unbanned = try await bailiff.run("unban \(attacker)")
      #expect(unbanned.contains(attacker))
      try await hosts.expect(server, from: attacker, open: true)
      let unban = try #require(try await bailiff.objects("audit --kind unban").first)
      #expect(unban["id"] as? String == test.id)
      #expect(unban["uid"] as? Int == 0)

      // And it counts again. SIGKILL leaves the ban; a restart takes it up with the time that remains.
      try await hosts.guess(3, server, from: attacker)
      try await bailiff.wait(forBanOf: test.id)
      let before = try await bailiff.object("bans")
      #expect(try await bailiff.end("KILL") == 137)
      try await hosts.expect(server, from: attacker, open: false)
      let left = try #require(try await bailiff.kernel().values.first)
      try await bailiff.start()
      let after = try await bailiff.object("bans")
      for key in ["id", "jail", "since", "until", "count"] {
        #expect("\(after[key] ?? "")" == "\(before[key] ?? "")", "\(key)")
      }
      let now = try await bailiff.kernel()
      #expect(now.count == 1)
      #expect(try #require(now.values.first) <= left, "the ban has become longer")
      #expect(try #require(now.values.first) > 3000, "the ban has become shorter")
      try await hosts.expect(server, from: attacker, open: false)
      try await hosts.expect(server, from: bystander, open: true)

      // SIGTERM ends it cleanly, and the ban stays.
      #expect(try await bailiff.end("TERM") == 0)
      #expect(try await bailiff.kernel().count == 1)
      try await hosts.expect(server, from: attacker, open: false)
    }

    /// Another program flushes the firewall: Bailiff puts back its own things, and only those, and the audit has it. A
    /// reload keeps bans; settings that are wrong, and a second daemon, change nothing.
    @Test func othersChangeTheFirewallAndTheSettings() async throws {
      let hosts = try await Hosts()
      let who = Hosts.Addresses.ipv4
      try await hosts.startSSHD(.file("\(hosts.directory)/sshd.log"))
      try await hosts.server.run(
        "iptables -N CLOUDRON; iptables -A CLOUDRON -s 192.0.2.0/24 -j RETURN; iptables -A FORWARD -j CLOUDRON")
      let foreign = "iptables -S CLOUDRON; iptables -S FORWARD | grep -v BAILIFF"
      let theirs = try await hosts.server.run(foreign)
      var options = RunningBailiff.Options()
      options.logpath = "\(hosts.directory)/auth.log"
      try await hosts.server.run("touch \(hosts.directory)/auth.log")
      let bailiff = try RunningBailiff(hosts, options)
      try await bailiff.start()
      try await bailiff.run("ban \(who.attacker) --jail sshd --for 1h")
      try await hosts.expect(who.server, from: who.attacker, open: false)

      for change in ["iptables -F INPUT", "iptables -F INPUT; iptables -F BAILIFF", "ipset flush bailiff-sshd-4"] {
        try await hosts.server.run(change)
        try await hosts.expect(who.server, from: who.attacker, open: false)
        try await poll("our jump, after \(change)") {
          try await hosts.server.run("iptables -S INPUT").contains("-A INPUT -j BAILIFF\n")
        }
        try await poll("the ban, after \(change)") { try await bailiff.kernel().count == 1 }
      }
      try await poll("the audit to tell of repairs") {
        try await bailiff.run("audit --kind operator --json").contains("firewall-repaired")
      }

      // Settings that are wrong change nothing, and it says why; better ones are taken, and the ban stays.
      try bailiff.write("jails: {sshd: {filter: shd}}\n")
      let refused = try await hosts.server.attempt("\(Files.bailiff) check --config \(bailiff.config)")
      #expect(refused.status == 2)
      try await bailiff.signal("HUP")
      try await poll("the refusal") { bailiff.said.contains("nothing changed") }
      options.maxretry = 7
      try bailiff.write(options)
      #expect(try await bailiff.objects("bans").count == 1)
      let reloaded = try await bailiff.run("reload")
      #expect(reloaded.contains("maxretry 3 → 7"))
      #expect(try await bailiff.objects("bans").count == 1)
      #expect(try await bailiff.kernel().count == 1)

      // A second daemon on the same socket ends at once and leaves the first one's bans alone.
      let second = "\(hosts.directory)/second.yaml"
      try String(contentsOfFile: bailiff.config, encoding: .utf8)
        .replacingOccurrences(of: "bailiff-state", with: "second-state")
        .write(toFile: second, atomically: true, encoding: .utf8)
      let other = try await hosts.server.attempt("\(Files.bailiff) run --config \(second)")
      #expect(other.status == 1)
      #expect(other.text.contains("already"))
      #expect(try await bailiff.kernel().count == 1)

      #expect(try await bailiff.end("TERM") == 0)
      #expect(try await hosts.server.run(foreign) == theirs)
      // Without the right to change the firewall it says so at once, with the remedy.
      let powerless = try await hosts.server.attempt(
        "setpriv --bounding-set=-net_admin,-net_raw --inh-caps=-net_admin,-net_raw "
          + "\(Files.bailiff) run --config \(bailiff.config)")
      #expect(powerless.status == 1)
      #expect(powerless.text.contains("CAP_NET_ADMIN") || powerless.text.contains("root"), "\(powerless.text)")
    }

    /// The same from a log file, on one port. Replaying that file decides what the live run decided, and a short ban ends
    /// by the kernel though the daemon is dead.
    @Test func fromAFileAndItsReplay() async throws {
      let hosts = try await Hosts()
      let who = Hosts.Addresses.ipv4
      var options = RunningBailiff.Options()
      let log = "\(hosts.directory)/auth.log"
      options.logpath = log
      options.port = "\(Hosts.port)"
      options.bantime = "3s"
      try await hosts.server.run("touch \(log)")
      try await hosts.startSSHD(.file(log))
      let bailiff = try RunningBailiff(hosts, options)
      try await bailiff.start()
      try await hosts.guess(3, who.server, from: who.attacker)
      try await poll("the ban") { try await bailiff.decisions(["ban"]).count >= 1 }
      #expect(try await bailiff.end("KILL") == 137)
      try await hosts.expect(who.server, from: who.attacker, open: true)
      #expect(try await bailiff.kernel().isEmpty)

      let live = try await bailiff.decisions(["ban"])
      let replayed = try await bailiff.objects("replay \(log)").filter { $0["action"] as? String == "ban" }
      func told(_ decisions: [[String: Any]]) -> [String] {
        decisions.map { decision in
          ["jail", "id", "time", "until", "count"].map { "\(decision[$0] ?? "-")" }.joined(separator: " ")
        }
      }
      #expect(told(live) == told(replayed))
      #expect(!live.isEmpty)
    }

    /// How many wrong passwords the audit knows of; lines of one second are one row with a count.
    private func guesses(_ bailiff: RunningBailiff) async throws -> Int {
      try await bailiff.objects("audit --kind failure")
        .filter { $0["pattern"] as? String == "failed-password" }.reduce(0) { $0 + ($1["count"] as? Int ?? 0) }
    }

    /// The attacker's open connection carries nothing any more, while the other one goes on.
    private func expectDead(_ hosts: Hosts, _ attacker: String, while bystander: String) async throws {
      try await poll("the attacker's open connection to go silent") {
        let (dead, alive) = (hosts.beats(of: attacker), hosts.beats(of: bystander))
        try await poll("the bystander's open connection") { hosts.beats(of: bystander) > alive + 10 }
        return hosts.beats(of: attacker) == dead
      }
    }

    /// All commands know of the ban.
    private func expectTold(_ bailiff: RunningBailiff, _ test: Case, _ attacker: String) async throws {
      let ban = try await bailiff.object("bans")
      #expect(ban["jail"] as? String == "sshd")
      #expect(ban["count"] as? Int == 3)
      #expect(try await guesses(bailiff) == 3)
      let failures = try await bailiff.objects("audit --kind failure")
      #expect(failures.contains { $0["id"] as? String == attacker }, "\(failures)")
      #expect(failures.contains { ($0["line"] as? String)?.contains("password for root from \(attacker) ") == true })
      let audited = try #require(try await bailiff.decisions(["ban"]).first)
      #expect(audited["id"] as? String == test.id)
      #expect(audited["count"] as? Int == 3)
      let status = try await bailiff.object("status")
      let jail = try #require((status["jails"] as? [[String: Any]])?.first)
      #expect(jail["bans"] as? Int == 1, "\(jail)")
      let explained = try await bailiff.object("explain \(attacker)")
      #expect(explained["banned"] as? Bool == true)
      let told = try #require((explained["bans"] as? [[String: Any]])?.first)
      #expect(!(told["failures"] as? [[String: Any]] ?? []).isEmpty)
    }
  }
}
