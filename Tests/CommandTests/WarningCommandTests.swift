import Foundation
import TestSupport
import Testing

/// "ok" is a promise: what does not run, cannot be read or does not hold is said until it is mended.
@Suite(.timeLimit(.minutes(4))) struct WarningCommandTests {
  private struct Running {
    let scratch: TestDirectory
    let config: String
    let daemon: RunningDaemon

    /// `jails` are lines below `jails:`; `@` is the scratch directory.
    init(_ jails: String, files: [String: String] = [:], general: String = "") async throws {
      scratch = try TestDirectory()
      for (name, text) in files { _ = try scratch.write(name, text) }
      config = try Self.write(scratch, jails, general)
      daemon = try RunningDaemon(config)
      for _ in 0..<400 {
        if try await Binary.run("status", "--config", config).status != 3 { return }
        try await Task.sleep(for: .milliseconds(50))
      }
      Issue.record("the daemon does not answer")
    }

    static func write(_ scratch: TestDirectory, _ jails: String, _ general: String = "") throws -> String {
      try scratch.write(
        "bailiff.yaml",
        """
        state: @/state
        socket: @/s
        firewall: {backend: dry-run}
        \(general)
        jails:
        \(jails)
        """.replacingOccurrences(of: "@", with: scratch.path))
    }

    func run(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", config])
    }

    /// Until `status` has the warnings of these codes and subjects, and no others.
    func warnings(become expected: [String]) async throws -> Finished {
      var status = try await run("status", "--json")
      for _ in 0..<300 {
        let found = try Self.warnings(status)
        if found == expected { return status }
        try await Task.sleep(for: .milliseconds(100))
        status = try await run("status", "--json")
      }
      Issue.record("expected \(expected), got \(status.output)")
      return status
    }

    static func warnings(_ status: Finished) throws -> [String] {
      let objects = try status.objects
      let warnings = objects.first?["warnings"] as? [[String: Any]] ?? []
      return warnings.map { "\($0["code"] ?? "") \($0["subject"] ?? "")" }
    }
  }

  private static let good = "  good: {filter: sshd, logpath: [@/a.log], backend: files}\n"
  private static let typo = "  typo: {filter: sshd, logpath: [@/a.log], backend: files, maxrety: 3}\n"

  @Test func allIsWellExitsZero() async throws {
    let running = try await Running(Self.good, files: ["a.log": ""])
    let status = try await running.warnings(become: [])
    #expect(status.status == 0)
    #expect(try status.objects.first?["ok"] as? Bool == true)
    #expect(running.daemon.terminate() == 0)
  }

  @Test func aJailWithATypoIsNamedUntilItIsMended() async throws {
    let running = try await Running(Self.good + Self.typo, files: ["a.log": ""])
    let json = try await running.warnings(become: ["jail_dropped typo"])
    #expect(json.status == 4)
    let reply = try #require(try json.objects.first)
    #expect(reply["ok"] as? Bool == false)
    let jails = try #require(reply["jails"] as? [[String: Any]])
    let dropped = try #require(jails.first { $0["name"] as? String == "typo" })
    #expect(dropped["ok"] as? Bool == false)
    #expect((dropped["problem"] as? String)?.contains("did you mean `maxretry`?") == true)
    let warning = try #require((reply["warnings"] as? [[String: Any]])?.first)
    #expect((warning["since"] as? String)?.hasSuffix("Z") == true)
    #expect((warning["text"] as? String)?.contains("bailiff.yaml:") == true)

    let text = try await running.run("status")
    #expect(text.status == 4)
    #expect(text.output.contains("jail_dropped typo: "), "\(text.output)")

    // Other changes go through, and the reload says that it is still there.
    _ = try Running.write(running.scratch, Self.good.replacingOccurrences(of: "}", with: ", maxretry: 9}") + Self.typo)
    let reload = try await running.run("reload")
    #expect(reload.status == 0, "\(reload)")
    #expect(reload.output.contains("maxretry 5 → 9"))
    #expect(reload.output.contains("jail typo is still left out: "), "\(reload.output)")
    _ = try await running.warnings(become: ["jail_dropped typo"])

    // A jail that runs is not given up for a mistake: nothing changes, and that is said.
    _ = try Running.write(running.scratch, Self.good.replacingOccurrences(of: "}", with: ", maxrety: 9}") + Self.typo)
    let refused = try await running.run("reload")
    #expect(refused.status == 2, "\(refused)")
    let both = try await running.warnings(become: ["jail_dropped typo", "settings_not_loaded "])
    #expect(both.status == 4)

    _ = try Running.write(running.scratch, Self.good + Self.typo.replacingOccurrences(of: "maxrety", with: "maxretry"))
    #expect(try await running.run("reload").status == 0)
    #expect(try await running.warnings(become: []).status == 0)

    // The audit has it all.
    let actions = try await running.run("audit", "--kind", "operator", "--json").objects.reversed().map {
      "\($0["action"] ?? "") \($0["subject"] ?? "")"
    }
    #expect(
      actions.filter { $0.hasPrefix("warning") } == [
        "warning-raised jail_dropped typo", "warning-raised settings_not_loaded",
        "warning-cleared jail_dropped typo", "warning-cleared settings_not_loaded",
      ], "\(actions)")
    #expect(running.daemon.terminate() == 0)
  }

  @Test func strictRefusesToStart() async throws {
    let scratch = try TestDirectory()
    _ = try scratch.write("a.log", "")
    let config = try Running.write(scratch, Self.good + Self.typo)
    let refused = try await Binary.run("run", "--dry-run", "--strict", "--config", config)
    #expect(refused.status == 2)
    #expect(refused.error.contains("did you mean `maxretry`?"))
  }

  @Test func aJailThatSeesNothingIsBlind() async throws {
    let running = try await Running(
      Self.good + "  blind: {filter: sshd, logpath: [@/none/*.log], backend: files}\n", files: ["a.log": ""])
    let blind = try await running.warnings(become: ["jail_blind blind"])
    #expect(blind.status == 4)
    _ = try running.scratch.write("none/now.log", "")
    #expect(try await running.warnings(become: []).status == 0)
    #expect(running.daemon.terminate() == 0)
  }

  /// `reports/unban-range`.
  @Test func aBlockLiftsWhatIsWithinIt() async throws {
    let running = try await Running(Self.good, files: ["a.log": ""])
    for id in [
      "198.51.100.10", "198.51.100.11", "198.51.100.128/25", "203.0.113.7", "2001:db8:7::/64", "198.18.0.0/24",
    ] {
      #expect(try await running.run("ban", id, "--jail", "good").status == 0)
    }
    let exact = try await running.run("unban", "198.51.100.0/24", "--exact")
    #expect(exact.status == 1 && exact.error.contains("198.51.100.0/24 is not banned"), "\(exact)")
    let within = try await running.run("unban", "198.51.100.0/24", "--json")
    #expect(within.status == 0, "\(within)")
    let reply = try #require(try within.objects.first)
    #expect(reply["count"] as? Int == 3)
    #expect((reply["ids"] as? [String])?.sorted() == ["198.51.100.10", "198.51.100.11", "198.51.100.128/25"])

    // What covers an address is named.
    let covered = try await running.run("unban", "198.18.0.7")
    #expect(covered.status == 1)
    #expect(covered.error.contains("198.18.0.0/24 in jail good covers it"), "\(covered.error)")

    // Several, and from standard input.
    let several = try await running.run("unban", "203.0.113.7", "203.0.113.8")
    #expect(several.status == 1)
    #expect(several.output.contains("203.0.113.8 is not banned"), "\(several)")
    let rest = try await Binary.shell(
      "bailiff bans --json --config \(running.config) | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/' | bailiff unban - --config \(running.config)"
    )
    #expect(rest.status == 0, "\(rest)")
    #expect(try await running.run("bans", "--json").output.isEmpty)
    #expect(running.daemon.terminate() == 0)
  }

  @Test func severalAreBannedAtOnceAndEverybodyNever() async throws {
    let running = try await Running(Self.good, files: ["a.log": ""])
    for everybody in ["0.0.0.0/0", "::/0"] {
      let refused = try await running.run("ban", everybody, "--force")
      #expect(refused.status == 2, "\(refused)")
      #expect(refused.error.contains("\(everybody) is every address, which no firewall bans"), "\(refused)")
    }
    let several = try await running.run("ban", "192.0.2.7", "10.0.0.0/8", "192.0.2.8", "--for", "1h")
    #expect(several.status == 1)
    #expect(several.output.split(separator: "\n").count == 2, "\(several)")
    #expect(several.error.contains("10.0.0.0/8") && several.error.contains("--force"), "\(several)")
    let piped = try await Binary.shell(
      "printf '192.0.2.9\\n2001:db8::9 192.0.2.10' | bailiff ban - --config \(running.config)")
    #expect(piped.status == 0, "\(piped)")
    let bans = try await running.run("bans", "--json").objects.compactMap { $0["id"] as? String }
    #expect(Set(bans) == ["192.0.2.7", "192.0.2.8", "192.0.2.9", "192.0.2.10", "2001:db8::9"])
    let recorded = try await running.run("audit", "--kind", "ban", "--json").objects.compactMap { $0["id"] as? String }
    #expect(Set(recorded) == Set(bans))
    #expect(running.daemon.terminate() == 0)
  }

  @Test func explainSaysWhyNobodyIsBanned() async throws {
    func lines(_ address: String, _ count: Int) -> String {
      let stamp = ISO8601DateFormatter().string(from: Date())
      return (0..<count).map {
        "\(stamp) web sshd[\($0 + 9)]: Failed password for root from \(address) port 4711 ssh2\n"
      }.joined()
    }
    let running = try await Running(
      Self.good.replacingOccurrences(of: "}", with: ", ignoreip: [192.0.2.0/24], maxretry: 3}"),
      files: ["a.log": lines("192.0.2.7", 4) + lines("198.51.100.7", 2) + lines("203.0.113.7", 3)])
    for _ in 0..<200 {
      if try await running.run("explain", "203.0.113.7").output.contains("is banned") { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    func reasons(_ id: String) async throws -> [String] {
      let reply = try await running.run("explain", id, "--json").objects.first
      return (reply?["reasons"] as? [[String: Any]] ?? []).compactMap { $0["code"] as? String }
    }
    #expect(try await reasons("198.51.100.7") == ["below_limit"])
    #expect(try await reasons("192.0.2.7") == ["ignored"])
    #expect(try await reasons("203.0.113.7") == ["dry_run"])
    let text = try await running.run("explain", "198.51.100.7").output
    #expect(text.contains("why: good: 2 of 3 failures within the last 10m"), "\(text)")
    #expect(try await running.run("unban", "203.0.113.7").status == 0)
    for _ in 0..<100 where try await reasons("203.0.113.7").first != "lifted" {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try await reasons("203.0.113.7").first == "lifted")
    #expect(running.daemon.terminate() == 0)
  }
}
