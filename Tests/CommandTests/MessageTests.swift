import Foundation
import TestSupport
import Testing

/// Messages that hid their cause, as a newcomer met them, and what they say instead.
@Suite(.timeLimit(.minutes(3))) struct MessageTests {
  struct Case: Sendable, CustomTestStringConvertible {
    /// What was done.
    var name: String
    /// `bailiff.yaml`, where one is needed; `@` is the scratch directory.
    var settings = ""
    var files: [String: String] = [:]
    var arguments: [String]
    var status: Int32 = 2
    /// All of these are said, on standard output or standard error.
    var says: [String]
    var doesNotSay: [String] = []

    var testDescription: String { name }
  }

  static let settings: [Case] = [
    Case(
      name: "a jail without indentation",
      settings: "jails:\n  sshd:\n  filter: sshd\n  maxretry: 3\n", arguments: ["check"],
      says: ["bailiff.yaml:2:3: the lines below `sshd:` are not indented", "put two blanks before `filter`"],
      doesNotSay: ["must be a map", "has no `filter`"]),
    Case(
      name: "jails without indentation", settings: "jails:\nsshd:\n  filter: sshd\n", arguments: ["check"],
      says: ["unknown key `sshd`; indent it by two blanks if it belongs to `jails` above, which is empty"]),
    Case(
      name: "a section without indentation",
      settings: "firewall:\nbackend: dry-run\njails:\n  sshd: {filter: sshd}\n", arguments: ["check"],
      says: ["unknown key `backend`; indent it by two blanks if it belongs to `firewall` above"]),
    Case(
      name: "a list without brackets", settings: "jails:\n  web: {filter: http-probe, port: http,https,8080}\n",
      arguments: ["check"], says: ["put brackets around the list: port: [http, https, 8080]"],
      doesNotSay: ["`web` knows:"]),
    Case(
      name: "an age without a unit", settings: "retention: {failures: 90}\njails:\n  sshd: {filter: sshd}\n",
      arguments: ["check"], says: ["`failures` is 90, without a unit; 90 of what? write 90d for days"]),
    Case(
      name: "a directory as log", settings: "jails:\n  sshd: {filter: sshd, logpath: [@/logs], backend: files}\n",
      files: ["logs/auth.log": ""], arguments: ["check"], says: ["@/logs is a directory"],
      doesNotSay: ["@/logs: @/logs"]),
    Case(
      name: "a state directory that cannot be made", settings: "state: /proc/x\njails:\n  sshd: {filter: sshd}\n",
      arguments: ["check"], says: ["`state`: cannot make the directory /proc/x"], doesNotSay: ["NSCocoa"]),
    Case(
      name: "a state directory that cannot be made, at the start",
      settings: "state: /proc/x\nsocket: @/s\njails:\n  sshd: {filter: sshd}\n", arguments: ["run", "--dry-run"],
      status: 2, says: ["cannot make the directory /proc/x", "`state`"], doesNotSay: ["NSCocoa"]),
    Case(
      name: "no settings file", arguments: ["check", "--config", "/etc/bailiff/no-such-file.yaml"],
      says: ["/etc/bailiff/no-such-file.yaml", "check the path"]),
  ]

  static let filters: [Case] = [
    Case(
      name: "a pattern with a missing bracket",
      settings: "jails:\n  x: {filter: @/x.yaml, logpath: [@/x.log], backend: files}\n",
      files: ["x.yaml": filter("'^from <host> (?:by <user>$'"), "x.log": ""], arguments: ["check"],
      says: ["missing closing parenthesis at character 26", "near `?:by <user>$`"], doesNotSay: ["A-Fa-f"]),
    Case(
      name: "a pattern with a wrong range behind a tag",
      settings: "jails:\n  x: {filter: @/x.yaml, logpath: [@/x.log], backend: files}\n",
      files: ["x.yaml": filter("'^from <host> by [z-a] <user> again$'"), "x.log": ""], arguments: ["check"],
      says: ["range out of order in character class at character 19", "near `host> by [z-a] <user> ag`"],
      doesNotSay: ["A-Fa-f"]),
    Case(
      name: "fail2ban's tag in a native filter",
      settings: "jails:\n  x: {filter: @/x.yaml, logpath: [@/x.log], backend: files}\n",
      files: ["x.yaml": filter("'^from <HOST>$'"), "x.log": ""], arguments: ["check"],
      says: ["write <host> in small letters here; <HOST> is fail2ban's"]),
  ]

  static let commands: [Case] = [
    Case(
      name: "a mistyped command", arguments: ["stauts"],
      says: ["`bailiff` has no command `stauts`; did you mean `status`?"], doesNotSay: ["Unexpected argument"]),
    Case(
      name: "a mistyped subcommand", arguments: ["audit", "verfy"],
      says: ["`bailiff audit` has no command `verfy`; did you mean `verify`?"]),
    Case(
      name: "a command that is none", arguments: ["filter", "xyzzy"],
      says: ["`bailiff filter` has no command `xyzzy`; there are: list, explain, test, detect, new"]),
    Case(
      name: "a wrong time", arguments: ["ban", "192.0.2.7", "--for", "1x"],
      says: ["unknown unit `x`", "write for example 10m"]),
    Case(
      name: "the audit's filters in its help", arguments: ["audit", "--help"], status: 0,
      says: ["--since", "--ip", "--user", "--jail", "--kind", "--text", "bailiff audit list --help"]),
    Case(
      name: "an address that is no one", arguments: ["unban", "192.0.2.7", "192.0.2.999"],
      says: ["`192.0.2.999` is no address"]),
  ]

  private static let sshd = "jails:\n  sshd: {filter: sshd, logpath: [@/a.log], backend: files}\n"
  private static let json = String(repeating: "{\"level\":\"info\",\"msg\":\"x\"}\n", count: 12)

  static let logs: [Case] = [
    Case(
      name: "a replay of a log that the jail's filter does not understand", settings: sshd, files: ["a.log": json],
      arguments: ["replay", "@/a.log"], status: 0,
      says: ["12 lines were read, and none says which program wrote it, as filter sshd needs; the first: `{\"level\""]),
    Case(
      name: "a filter on a log that it does not understand", settings: sshd, files: ["a.log": json],
      arguments: ["filter", "test", "sshd", "@/a.log"], status: 0,
      says: ["12 lines were read, and none says which program wrote it"]),
    Case(
      name: "no filter fits", settings: sshd, files: ["a.log": "worker: nothing to do\n"],
      arguments: ["filter", "detect", "@/a.log"], status: 0,
      says: [
        "no filter finds a failure", "1 line was read, and no filter understands any of them; the first: `worker:",
      ]),
    Case(
      name: "a check of a log that the jail's filter does not understand", settings: sshd, files: ["a.log": json],
      arguments: ["check"], status: 0,
      says: [
        "warning: @/a.log: 12 lines were read, and none says which program wrote it", "`bailiff filter detect @/a.log`",
      ]),
    Case(
      name: "host names in a replay",
      settings:
        "jails:\n  sshd: {filter: /etc/fail2ban/filter.d/sshd.conf, logpath: [@/a.log], backend: files, usedns: \"yes\"}\n",
      files: ["a.log": "Nov 28 04:31:13 web sshd[9]: Failed password for root from host.example.org port 4711 ssh2\n"],
      arguments: ["replay", "@/a.log"], status: 0,
      says: ["1 failure named a host instead of its address; names are not looked up here, and ban nobody"]),
  ]

  private static func filter(_ match: String) -> String {
    """
    service: x
    summary: x
    patterns:
      - name: x
        match: \(match)
    samples:
      - line: 'x'
        expect: none
    """
  }

  @Test(arguments: settings + filters + commands + logs)
  func theCauseIsSaid(_ wrong: Case) async throws {
    let scratch = try TestDirectory()
    func placed(_ text: String) -> String { text.replacingOccurrences(of: "@", with: scratch.path) }
    for (name, text) in wrong.files { _ = try scratch.write(name, placed(text)) }
    var arguments = wrong.arguments.map(placed)
    if !wrong.settings.isEmpty {
      arguments += ["--config", try scratch.write("bailiff.yaml", placed(wrong.settings))]
    }
    let finished = try await Binary.run(arguments)
    let said = finished.output + finished.error
    #expect(finished.status == wrong.status, "\(said)")
    for text in wrong.says { #expect(said.contains(placed(text)), "\(said)") }
    for text in wrong.doesNotSay { #expect(!said.contains(placed(text)), "\(said)") }
  }
}
