import Foundation
import Testing
import YAML

@testable import Settings

/// What is changed in a text, and that nothing else is.
struct YAMLEditTests {
  static let text = """
    # The head stays.
    ignoreip: [192.0.2.0/24, "a b"]   # ours
    defaults: {maxretry: 5, bantime: 10m}
    filters:
      - /etc/a   # one
      - /etc/b

    jails:
      # About sshd.
      sshd:
        filter: sshd
        maxretry: 3 # few
        port: 'ssh'
      web: {filter: http-probe, logpath: ["/var/log/a, b.log"]}
      off:
    # The end stays.

    """

  struct Change: Sendable {
    var path: String
    var value: String
    var old: String
    var new: String
  }

  static let changes = [
    Change(path: "jails.sshd.maxretry", value: "7", old: "    maxretry: 3 # few", new: "    maxretry: 7 # few"),
    Change(path: "jails.sshd.port", value: "[ssh, 2222]", old: "    port: 'ssh'", new: "    port: [ssh, 2222]"),
    Change(
      path: "ignoreip", value: "[]", old: "ignoreip: [192.0.2.0/24, \"a b\"]   # ours", new: "ignoreip: []   # ours"),
    Change(
      path: "defaults.bantime", value: "1h", old: "defaults: {maxretry: 5, bantime: 10m}",
      new: "defaults: {maxretry: 5, bantime: 1h}"),
    Change(
      path: "defaults.maxretry", value: "9", old: "defaults: {maxretry: 5, bantime: 10m}",
      new: "defaults: {maxretry: 9, bantime: 10m}"),
    Change(
      path: "defaults.findtime", value: "1d", old: "defaults: {maxretry: 5, bantime: 10m}",
      new: "defaults: {maxretry: 5, bantime: 10m, findtime: 1d}"),
    Change(
      path: "filters", value: "[/etc/c]", old: "filters:\n  - /etc/a   # one\n  - /etc/b\n", new: "filters: [/etc/c]\n"),
    Change(
      path: "jails.sshd.bantime", value: "2h", old: "    port: 'ssh'\n", new: "    port: 'ssh'\n    bantime: 2h\n"),
    Change(
      path: "jails.web.logpath", value: "/x.log", old: "logpath: [\"/var/log/a, b.log\"]}", new: "logpath: /x.log}"),
    Change(path: "jails.off.enabled", value: "false", old: "  off:\n", new: "  off: {enabled: false}\n"),
    Change(path: "jails.new.filter", value: "sshd", old: "  off:\n", new: "  off:\n  new:\n    filter: sshd\n"),
    Change(path: "jails.off", value: "{source: bans}", old: "  off:\n", new: "  off: {source: bans}\n"),
    Change(
      path: "jails.sshd", value: "{filter: sshd}",
      old: "  sshd:\n    filter: sshd\n    maxretry: 3 # few\n    port: 'ssh'\n", new: "  sshd: {filter: sshd}\n"),
    Change(path: "firewall.backend", value: "dry-run", old: "  off:\n", new: "  off:\nfirewall:\n  backend: dry-run\n"),
  ]

  @Test(arguments: changes) func changesOneValue(change: Change) throws {
    let path = change.path.split(separator: ".").map(String.init)
    let result = try YAMLEdit.setting(path, to: change.value, in: Self.text)
    #expect(Self.text.components(separatedBy: change.old).count == 2)
    #expect(result == Self.text.replacing(change.old, with: change.new))
    // Once more changes nothing.
    #expect(try YAMLEdit.setting(path, to: change.value, in: result) == result)
  }

  @Test func emptyAndBareFiles() throws {
    #expect(try YAMLEdit.setting(["a", "b"], to: "1", in: "") == "a:\n  b: 1\n")
    #expect(try YAMLEdit.setting(["a"], to: "1", in: "# only\n") == "# only\na: 1\n")
    #expect(try YAMLEdit.setting(["b"], to: "2", in: "a: 1") == "a: 1\nb: 2\n")
    #expect(try YAMLEdit.setting(["b"], to: "2", in: "{a: 1}\n") == "{a: 1, b: 2}\n")
    #expect(try YAMLEdit.setting(["a"], to: "{}", in: "a: 'it''s'\r\nb: 1\r\n") == "a: {}\r\nb: 1\r\n")
    #expect(try YAMLEdit.setting(["a", "c"], to: "2", in: "a: {}\n") == "a: {c: 2}\n")
    #expect(try YAMLEdit.setting(["a"], to: "2", in: "a: |\n  x\n  y\nb: 1\n") == "a: 2\nb: 1\n")
    #expect(try YAMLEdit.setting(["ä"], to: "2", in: "\"ö\": [ü]\nä: 1\n") == "\"ö\": [ü]\nä: 2\n")
  }

  @Test func refusesWhatItDoesNotSeeThrough() {
    #expect(throws: YAMLEdit.Failure.self) { try YAMLEdit.setting(["a"], to: "1", in: "a: [\n") }
    #expect(throws: YAMLEdit.Failure.self) { try YAMLEdit.setting(["a"], to: "[", in: "a: 1\n") }
    #expect(throws: YAMLEdit.Failure.self) { try YAMLEdit.setting(["a", "b"], to: "1", in: "a: 1\n") }
    #expect(throws: YAMLEdit.Failure.self) { try YAMLEdit.setting(["a"], to: "1", in: "- a\n") }
    // An anchor that others use.
    #expect(throws: YAMLEdit.Failure.self) { try YAMLEdit.setting(["a"], to: "1", in: "a: &x 2\nb: *x\n") }
    // A plain text over several lines.
    #expect(throws: YAMLEdit.Failure.self) { try YAMLEdit.setting(["a"], to: "1", in: "a: one\n  two\nb: 3\n") }
  }

  /// Each value of each fixture is set to something else, and whatever comes of it is right or refused.
  @Test(arguments: FixtureTests.files(".good.yml")) func everyValueOfEveryFixture(file: String) throws {
    let text = try String(contentsOfFile: "\(FixtureTests.directory)/\(file)", encoding: .utf8)
    var changed = 0
    for entry in EffectiveSettings(path: "\(FixtureTests.directory)/\(file)").entries {
      guard let result = try? YAMLEdit.setting(entry.path, to: "[changed]", in: text) else { continue }
      changed += 1
      let lines = Set(text.split(separator: "\n"))
      #expect(result.split(separator: "\n").filter { !lines.contains($0) }.count == 1, "\(entry.path)")
    }
    #expect(changed > 0)
  }
}
