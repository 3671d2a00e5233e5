import Foundation
import TestSupport
import Testing

@testable import Settings

/// `failures`: who may report, and what is wrong with it.
struct FailureSettingsTests {
  private static func read(_ text: String) throws -> Settings.Reading {
    let directory = try TestDirectory("settings")
    let file = try directory.write("bailiff.yaml", "jails:\n  shop: {source: reports, maxretry: 3}\n" + text)
    return Settings.read(path: file, fail2banFilter: nil)
  }

  @Test func whoMayReport() throws {
    let reading = try Self.read("failures: {socket: /run/x.sock, allow: {www-data: [shop], '@apps': [shop, shop]}}\n")
    #expect(reading.errors.map(\.description) == [] && reading.warnings.map(\.description) == [])
    let failures = try #require(reading.settings.failures)
    #expect(failures.socket == "/run/x.sock")
    #expect(failures.admits(user: "www-data", groups: [], jail: "shop"))
    #expect(failures.admits(user: "bob", groups: ["apps", "bob"], jail: "shop"))
    #expect(!failures.admits(user: "www-data", groups: [], jail: "sshd"))
    #expect(!failures.admits(user: "apps", groups: ["www-data"], jail: "shop"), "a group is no user")
    let jail = try #require(reading.settings.jails.first)
    #expect(jail.source == .reports && jail.definition == nil && jail.sources().files == [])
  }

  @Test(arguments: [
    ("failures: {allow: {}}", "has no `allow`"), ("failures: {}", "has no `allow`"),
    ("failures: {allow: {'a b': [shop]}}", "is no user, and no group"),
    ("failures: {allow: {'@': [shop]}}", "no group"),
    ("failures: {allow: {www-data: []}}", "may report for no jail"),
    ("failures: {socket: run.sock, allow: {www-data: [shop]}}", "`socket`"),
    ("failures: {allow: {www-data: [shop]}, who: x}", "who"),
  ]) func whatIsWrong(_ text: String, _ expected: String) throws {
    let errors = try Self.read(text).errors
    #expect(errors.count == 1 && errors[0].description.contains(expected), "\(text): \(errors)")
  }

  /// A jail that was removed does not keep the others from running.
  @Test func aJailThatIsNotThere() throws {
    let reading = try Self.read("failures: {allow: {www-data: [shopp]}}\n")
    #expect(reading.errors.isEmpty && reading.warnings.map(\.message) == ["there is no jail `shopp`"])
    #expect(reading.warnings[0].remedy.contains("`shop`"))
  }
}
