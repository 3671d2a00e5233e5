import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct CheckTests {
  private func filter(_ match: String) -> String {
    """
    service: web
    summary: A test
    patterns:
      - name: login
        match: '\(match)'
    samples:
      - {line: bad login of root from 192.0.2.7 port 9, expect: {pattern: login, host: 192.0.2.7}}
    """
  }

  private func check(_ scratch: TestDirectory, _ yaml: String, _ options: String...) async throws -> Finished {
    try await Binary.run(["check", "--config", try scratch.write("bailiff.yaml", yaml)] + options)
  }

  @Test func goodSettingsAreShown() async throws {
    let scratch = try TestDirectory()
    let log = try scratch.write("auth.log", "")
    let good = try await check(
      scratch, "jails: {sshd: {filter: sshd, logpath: [\(log)], backend: files, maxretry: 3, bantime: 1h, port: [ssh]}}"
    )
    #expect(good.status == 0, "\(good)")
    #expect(good.error.isEmpty)
    #expect(good.output.contains("bailiff.yaml: ok\n"))
    #expect(good.output.contains("sshd  sshd           3       10m       1h  22"))
    #expect(good.output.contains(log))
  }

  @Test func allProblemsAreListedAtTheirPlaces() async throws {
    let scratch = try TestDirectory()
    _ = try scratch.write("filters/web.yaml", filter("^bad (login of <user> from <host>"))
    let yaml = """
      filters: [\(scratch.path)/filters]
      sokcet: /run/x
      jails:
        sshd: {filter: sshd, maxretry: many, logpath: [/var/log/auth.log]}
        web: {filter: web, logpath: [/var/log/web.log]}
        none: {filter: no-such-filter}
      """
    let wrong = try await check(scratch, yaml)
    #expect(wrong.status == 2)
    #expect(wrong.error.contains("bailiff.yaml:2:1: "))
    #expect(wrong.error.contains("bailiff.yaml:4:"))
    #expect(wrong.error.contains("filters/web.yaml:5:"))
    #expect(wrong.error.contains("bailiff.yaml:6:"))
    // Nor the exit status that argument parsers use; the directory's name may hold those digits.
    #expect(!wrong.error.replacingOccurrences(of: scratch.path, with: "").contains("64"))
    let json = try await check(scratch, yaml, "--json")
    #expect(json.status == 2)
    let errors = try json.objects.filter { $0["severity"] as? String == "error" }
    #expect(errors.count >= 4)
    #expect(errors.contains { $0["line"] as? Int == 2 && $0["column"] as? Int == 1 })
    #expect(errors.allSatisfy { ($0["remedy"] as? String)?.isEmpty == false })
  }

  /// A user name that holds an address must not choose who is banned.
  @Test(arguments: [
    ("^bad login of <user> from <host>", "end it with $"), ("^bad login of .* from <host> port", "end it with $"),
    ("^bad login of <user> from <host>.*$", "end it with $"),
    ("bad login of root from <host> port 9$", "begin it with ^"),
  ])
  func aPatternThatAClientCanTrickIsRefused(_ match: String, _ remedy: String) async throws {
    let scratch = try TestDirectory()
    let log = try scratch.write("web.log", "")
    let file = try scratch.write("web.yaml", filter(match))
    let refused = try await check(scratch, "jails: {web: {filter: \(file), logpath: [\(log)]}}")
    #expect(refused.status == 2)
    #expect(refused.error.contains("web.yaml:5:12: pattern `login`"), "\(refused.error)")
    #expect(refused.error.contains(remedy))
  }

  @Test(arguments: [
    "^bad login of <user> from <host> port [0-9]+$", "^bad login of (?<user>[^ ]+) from <host> port",
    "(?i)^bad login of root from <host>", "^(?!.* from .* from )bad login of .* from <host> port",
    "^(?!.*good)bad login of root from <host> port", "^(?:bad|good) login of .* from <host>(?: port [0-9]+)?$",
  ])
  func aPatternThatNobodyCanTrickPasses(_ match: String) async throws {
    let scratch = try TestDirectory()
    let log = try scratch.write("web.log", "")
    let file = try scratch.write("web.yaml", filter(match))
    let good = try await check(scratch, "jails: {web: {filter: \(file), logpath: [\(log)]}}")
    #expect(good.status == 0, "\(good.error)")
  }

  @Test func theShippedFiltersPass() async throws {
    let scratch = try TestDirectory()
    let log = try scratch.write("any.log", "")
    let names = try await Binary.run("filter", "list", "--json").objects.compactMap { $0["filter"] as? String }
    let jails = names.map { "  \($0): {filter: \($0), logpath: [\(log)], backend: files}" }.joined(separator: "\n")
    let checked = try await check(scratch, "jails:\n\(jails)\n")
    #expect(checked.status == 0, "\(checked.error)")
  }

  @Test func withoutSettingsItSaysWhatWouldRun() async throws {
    // A machine with settings of its own says something else, rightly.
    try #require(!FileManager.default.fileExists(atPath: "/etc/bailiff/bailiff.yaml"))
    let missing = try await Binary.run("check")
    #expect(missing.status == 2)
    #expect(missing.error.contains("bailiff check --automatic"), "\(missing.error)")
    let automatic = try await Binary.run("check", "--automatic")
    #expect(automatic.status == 0, "\(automatic.error)")
    #expect(automatic.output.contains("run --dry-run"))
    let named = try await Binary.run("check", "--config", "/nonexistent.yaml")
    #expect(named.status == 2)
    #expect(named.error.hasPrefix("/nonexistent.yaml: "))
  }
}

/// What `run` would meet in the firewall.
@Suite(.timeLimit(.minutes(2))) struct FirewallCheckTests {
  @Test func aChainThatDoesNotExistIsSaid() async throws {
    let scratch = try TestDirectory("chains")
    let network = try TestNetwork("iptables -N PUBLISHED")
    let config = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      firewall: {backend: ipset, chains: [INPUT, PUBLISHED, DOCKER-USER]}
      jails:
        sshd: {filter: sshd, logpath: [\(try scratch.write("a.log", ""))], backend: files}

      """)
    let check = try await Command.run(network.enter + [Binary.path, "check", "--config", config])
    #expect(check.status == 0, "\(check)")
    #expect(check.error.contains("warning: `firewall`: chain DOCKER-USER does not exist"), "\(check)")
    #expect(!check.error.contains("PUBLISHED does not exist") && !check.error.contains("chain INPUT"), "\(check)")
  }
}
