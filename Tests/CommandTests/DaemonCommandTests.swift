import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct DaemonCommandTests {
  @Test(arguments: [
    ["status"], ["bans"], ["ban", "192.0.2.7"], ["unban", "192.0.2.7"], ["unban", "--all"], ["confirm", "192.0.2.7"],
    ["reload"],
  ])
  func withoutADaemonExits3(_ arguments: [String]) async throws {
    let scratch = try TestDirectory()
    let config = try scratch.write("bailiff.yaml", "socket: \(scratch.path)/nobody\n")
    let finished = try await Binary.run(arguments + ["--config", config])
    #expect(finished.status == 3)
    #expect(finished.output.isEmpty)
    #expect(finished.error.contains("\(scratch.path)/nobody"))
    #expect(finished.error.contains("is `bailiff run` running"))
    #expect(finished.error.split(separator: "\n").count == 1)
  }

  /// Broken settings do not disarm a command: it says what is wrong, and asks where the daemon usually is.
  @Test func settingsThatAreMissingOrWrongAreSaid() async throws {
    let scratch = try TestDirectory()
    let missing = try await Binary.run("bans", "--config", scratch.path + "/none.yaml")
    #expect(missing.status == 2)
    #expect(missing.error.contains("none.yaml"))
    let wrong = try await Binary.run("bans", "--config", scratch.write("wrong.yaml", "sockett: /x\n"))
    #expect(wrong.status == 3)
    #expect(wrong.error.contains("going on with socket /run/bailiff/bailiff.sock"))
    #expect(wrong.error.contains("wrong.yaml:1:1: "))
    #expect(wrong.error.contains("`socket`"))
  }

  /// A jail that is wrong keeps nobody from asking for the bans.
  @Test func aWrongJailDoesNotMatter() async throws {
    let daemon = try await Daemon()
    let config = try daemon.scratch.write(
      "jail.yaml", "socket: \(daemon.scratch.path)/s\njails: {sshd: {filter: no-such-filter, maxretry: many}}\n")
    #expect(try await Binary.run("bans", "--config", config).status == 0)
    await daemon.stop()
  }

  @Test func bans() async throws {
    let daemon = try await Daemon()
    let json = try await Binary.run("bans", "--json", "--config", daemon.config)
    #expect(
      json.output.split(separator: "\n").first
        == #"{"id":"192.0.2.7","jail":"sshd","since":"2026-11-21T05:24:01Z","until":"2026-11-21T06:24:01Z","count":3,"number":1,"applied":true,"country":null,"network":null,"network_name":null}"#
    )
    let objects = try json.objects
    #expect(objects.count == 2)
    #expect(objects[1]["until"] is NSNull)
    #expect(objects[1]["jail"] as? String == Daemon.hostile)
    #expect(!json.output.contains("\u{1b}"))

    let table = try await Binary.run("bans", "--config", daemon.config)
    let lines = table.output.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("ID             JAIL"))
    #expect(lines[1].contains("2026-11-21 05:24:01 UTC  2026-11-21 06:24:01 UTC"))
    #expect(lines[2].contains(#"web\x1b]0;owned\x07\u{202e}"#))
    #expect(lines[2].contains("permanent"))
    #expect(lines[2].contains("12,345"))
    #expect(lines[3] == "2 bans")
    #expect(!table.output.contains("\u{1b}"))
    // Numbers stand under the right end of their title.
    let title = try #require(lines[0].range(of: "FAILURES"))
    let column = lines[0].distance(from: lines[0].startIndex, to: title.upperBound)
    for line in lines[1...2] { #expect(line.prefix(column).last?.isNumber == true, "\(line)") }

    #expect(try await Binary.run("bans", "--jail", "sshd", "--json", "--config", daemon.config).objects.count == 1)
    let none = try await Binary.run("bans", "--jail", "none", "--config", daemon.config)
    #expect(none.status == 0)
    #expect(none.output == "no bans in force in jail none\n")
    await daemon.stop()
  }

  @Test func status() async throws {
    let daemon = try await Daemon()
    let object = try #require(try await Binary.run("status", "--json", "--config", daemon.config).objects.first)
    #expect(object["uptime"] as? Double == 3723.5)
    let source = try #require((object["sources"] as? [[String: Any]])?.first)
    #expect(
      Set(source.keys).isSuperset(of: ["read", "matched", "ignored", "unmatched", "too_long", "position", "lag"]))
    let jail = try #require((object["jails"] as? [[String: Any]])?.first)
    #expect(Set(jail.keys).isSuperset(of: ["failures", "tracked", "evicted", "bans", "bans_ever"]))
    #expect((object["store"] as? [String: Any])?["ok"] as? Bool == true)
    #expect((object["firewall"] as? [String: Any])?["ok"] as? Bool == false)

    let text = try await Binary.run("status", "--config", daemon.config)
    #expect(text.status == 4)
    #expect(text.output.contains("up 1h 2m since 2026-11-21 05:24:01 UTC, dry run"))
    #expect(text.output.contains("1,234,567"))
    #expect(text.output.contains("no ipset"))
    #expect(text.output.contains("the disk is full"))
    #expect(text.output.contains("sshd/p"))
    #expect(!text.output.contains("\u{1b}"))
    await daemon.stop()
  }

  @Test func banAndUnban() async throws {
    let daemon = try await Daemon()
    func run(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", daemon.config])
    }
    let ban = try await run("ban", "192.0.2.9", "--jail", "sshd", "--for", "1h")
    #expect(ban.output == "banned 192.0.2.9 in jail sshd until 2026-11-21 06:24:01 UTC\nnote: a dry run\n")
    let permanent = try await run("ban", "2001:db8::/64", "--for", "permanent", "--json").objects
    #expect(permanent.first?["until"] is NSNull)
    #expect(permanent.first?["id"] as? String == "2001:db8::/64")
    let careful = try await run("ban", "192.0.2.0/24", "--confirm", "1m")
    #expect(careful.output.contains("lifts itself at 2026-11-21 05:25:01 UTC unless you run: bailiff confirm"))

    let refused = try await run("ban", "192.0.2.1")
    #expect(refused.status == 1)
    #expect(refused.error == "bailiff: 192.0.2.1 is ignored; use --force\n")
    #expect(try await run("ban", "192.0.2.1", "--force").status == 0)
    #expect(try await run("ban", "192.0.2.9", "--jail", "none").status == 2)

    #expect(try await run("unban", "192.0.2.7").output == "unbanned 192.0.2.7 in jail sshd\n")
    #expect(try await run("unban", "192.0.2.8").status == 1)
    // An address that was banned as a part of a block lifts the block, and is told so.
    #expect(
      try await run("unban", "2001:db8::8").output
        == "unbanned 2001:db8::8 in jail sshd\nit was banned as a part of 2001:db8::/64: all of that is lifted\n")
    #expect(try await run("unban", "2001:db8::8", "--json").objects.first?["ids"] as? [String] == ["2001:db8::/64"])
    #expect(try await run("unban", "--all").output == "unbanned 2 bans in jail sshd, web\n")
    #expect(try await run("unban", "--all", "--json").objects.first?["count"] as? Int == 2)
    #expect(try await run("confirm", "192.0.2.8").status == 1)
    #expect(try await run("reload").output.contains("jail sshd: maxretry 5 → 3"))
    await daemon.stop()
  }
}
