import Settings
import Testing

@testable import Pipeline

/// What a reload says that it changed.
struct ReloadReportTests {
  private static func changes(from before: String, to after: String) -> [String] {
    func settings(_ text: String) -> Settings { Settings.read(text: text, file: "bailiff.yaml").settings }
    return ReloadReport.changes(from: settings(before), to: settings(after))
  }

  /// Whoever reloads must learn that the daemon still listens where it did.
  @Test(arguments: [
    ("api: {listen: 127.0.0.1:8787}", "api"), ("compat: {fail2ban: /run/a.sock}", "compat"),
    ("failures: {socket: /run/b.sock, allow: {root: [sshd]}}", "failures.socket"), ("state: /srv/bailiff", "state"),
  ])
  func whatWaitsForAStart(_ text: String, name: String) {
    #expect(
      Self.changes(from: "jails: {sshd: {}}", to: "\(text)\njails: {sshd: {}}").contains(
        "\(name) takes effect at the next start"))
  }

  @Test func everythingElseIsNamed() {
    let before = "outputs: {chat: {type: file, path: /srv/a}}"
    #expect(Self.changes(from: before, to: "# moved\n" + before).isEmpty)
    #expect(Self.changes(from: before, to: "outputs: {chat: {type: file, path: /srv/b}}") == ["outputs"])
    #expect(Self.changes(from: before, to: "activity: false\n" + before) == ["activity"])
    #expect(Self.changes(from: before, to: "geo: {country: /srv/a.mmdb}\n" + before) == ["geo"])
    #expect(Self.changes(from: before, to: "container_roots: [/srv/docker]\n" + before) == ["container_roots"])
    #expect(Self.changes(from: before, to: "ignoreip: [192.0.2.7]\n" + before) == ["ignoreip"])
  }
}
