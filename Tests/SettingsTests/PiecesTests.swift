import Detection
import Filters
import Foundation
import Model
import TestSupport
import Testing

@testable import Settings

/// Settings in several files: `fixtures/settings/pieces`.
struct PiecesTests {
  static let directory = FixtureTests.directory + "/pieces"

  static func read(_ path: String) -> Settings.Reading {
    Settings.read(path: path, builtin: ["\(FixtureTests.directory)/filters"])
  }

  /// Writes `files` into a directory of their own and reads its bailiff.yaml; messages without the directory.
  static func messages(_ files: [String: String]) throws -> [String] {
    let directory = try TestDirectory("pieces")
    for (name, text) in files { try directory.write(name, text) }
    let reading = read(directory("bailiff.yaml"))
    return reading.errors.map { $0.description.replacing(directory.path + "/", with: "") }
  }

  @Test func laterFilesOverrideKeyByKey() throws {
    let reading = Self.read(Self.directory + "/bailiff.yaml")
    #expect(reading.errors.map(\.description) == [])
    let jails = Dictionary(uniqueKeysWithValues: reading.settings.jails.map { ($0.name, $0) })
    #expect(Set(jails.keys) == ["sshd", "web", "recidive", "vpn"])
    let sshd = try #require(jails["sshd"])
    #expect(sshd.limits.maxretry == 3, "jails.d/sshd.yaml comes over bailiff.yaml")
    #expect(sshd.limits.increment?.factor == 4)
    #expect(sshd.limits.increment?.maxtime == .hours(7 * 24), "what the later file does not name stays")
    #expect(sshd.limits.bantime == .hours(1), "defaults of conf.d come over those of bailiff.yaml")
    #expect(sshd.place.file.hasSuffix("/jails.d/sshd.yaml"))
    #expect(jails["web"]?.enabled == false)
    #expect(jails["vpn"]?.logpath == ["/var/log/vpn.log"])
  }

  /// Whom one file protects no other can have banned.
  @Test func ignoredAddressesAddUp() {
    let ignored = Self.read(Self.directory + "/bailiff.yaml").settings.ignoreip
    #expect(ignored == [.subnet(Subnet("192.0.2.0/24")!), .subnet(Subnet("198.51.100.7")!)])
  }

  @Test func theOldFormIsOneFile() {
    let settings = EffectiveSettings(path: FixtureTests.directory + "/full.good.yml")
    #expect(settings.entries.allSatisfy { $0.overridden.isEmpty })
    #expect(!settings.entries.isEmpty)
  }

  @Test func everyValueHasItsPlace() throws {
    let settings = EffectiveSettings(path: Self.directory + "/bailiff.yaml")
    let maxretry = try #require(settings.entries(at: ["jails", "sshd", "maxretry"]).first)
    #expect(maxretry.text == "3")
    #expect(
      maxretry.origin.replacing(Self.directory + "/", with: "") == "jails.d/sshd.yaml:1, over 4 in bailiff.yaml:6")
    let ignored = try #require(settings.entries(at: ["ignoreip"]).first)
    #expect(ignored.text == "[192.0.2.0/24, 198.51.100.7]")
    #expect(ignored.origin.replacing(Self.directory + "/", with: "") == "bailiff.yaml:2 and conf.d/10-ours.yaml:2")
  }

  /// By value, wherever it is written; a secret that changed is told and not shown.
  @Test func differences() throws {
    func values(_ text: String) -> EffectiveSettings { Settings.read(text: text, file: "bailiff.yaml").settings.values }
    let before = values(
      "jails: {sshd: {maxretry: 3, findtime: 10m}}\noutputs: {chat: {type: slack, url: 'https://a.example/1'}}\n")
    let same = values(
      "# a comment\noutputs: {chat: {url: 'https://a.example/1', type: slack}}\njails:\n  sshd: {findtime: 10m, maxretry: 3}\n"
    )
    #expect(same.differences(from: before).isEmpty)
    let after = values(
      "jails: {sshd: {maxretry: 4, bantime: 1h}}\noutputs: {chat: {type: slack, url: 'https://a.example/2'}}\n")
    let differences = after.differences(from: before)
    #expect(
      differences.map { "\($0.path.joined(separator: ".")): \($0.before?.text ?? "-") → \($0.after?.text ?? "-")" } == [
        "jails.sshd.maxretry: 3 → 4", "jails.sshd.bantime: - → 1h", "outputs.chat.url: … → …",
        "jails.sshd.findtime: 10m → -",
      ])
  }

  /// What is shown is settings, and means what the pieces mean.
  @Test func whatIsShownCanBeRead() throws {
    for file in ["pieces/bailiff.yaml", "full.good.yml", "presets.good.yml", "aliases.good.yml"] {
      let path = "\(FixtureTests.directory)/\(file)"
      let text = EffectiveSettings(path: path).yaml()
      // Beside the original, since relative paths begin there.
      let shown = Settings.read(text: text, file: path).settings
      let original = Settings.read(path: path).settings
      #expect(shown.ignoreip == original.ignoreip)
      #expect(shown.jails.map(\.name) == original.jails.map(\.name))
      #expect(shown.jails.map(\.limits) == original.jails.map(\.limits))
      #expect(shown.firewall == original.firewall && shown.retention == original.retention)
    }
  }

  @Test func whatIsWrongIsSaidWhereItIs() throws {
    let main = "jails:\n  sshd: {source: bans}\n"
    #expect(
      try Self.messages(["bailiff.yaml": main, "jails.d/sshd.yaml": "maxrety: 3\n"])
        == ["jails.d/sshd.yaml:1:1: unknown key `maxrety`; did you mean `maxretry`?"])
    #expect(
      try Self.messages(["bailiff.yaml": main, "jails.d/sshd.yaml": "jails:\n  a: {source: bans}\n"])
        == [
          "jails.d/sshd.yaml:1:1: a file in jails.d is one jail, called as the file is; "
            + "write its keys without `jails:`, or include the file in bailiff.yaml"
        ])
    // The path is long, and a name in a message is cut.
    let missing = try Self.messages(["bailiff.yaml": "include: [a.yaml]\n" + main])
    #expect(missing.count == 1 && missing[0].hasPrefix("bailiff.yaml:1:11: there is no file `"))
    #expect(try Self.messages(["bailiff.yaml": "include: [conf.d/*.yaml]\n" + main]) == [])
    #expect(
      try Self.messages(["bailiff.yaml": "include: [a.yaml]\n" + main, "a.yaml": "include: [b.yaml]\nstate: x\n"])
        == [
          "a.yaml:1:1: an included file cannot include others; list them in bailiff.yaml",
          "a.yaml:2:8: `state` is `x`, which is no absolute path; begin it with a slash",
        ])
    #expect(
      try Self.messages(["bailiff.yaml": main, "jails.d/a.yaml": "- x\n"])
        == ["jails.d/a.yaml:1:1: `a` must be a map of keys and values, not a list; write key: value, a line each"])
  }
}
