import AuditLog
import Detection
import Filters
import Foundation
import Model
import Settings
import TestSupport
import Testing

@testable import Pipeline

@Suite struct ReplayTests {
  private let directory: TestDirectory

  init() throws { directory = try TestDirectory("replay") }

  private func settings(_ maxretry: Int = 5) -> Settings {
    var settings = Settings(file: "test")
    settings.ignoreself = false
    let definition = FilterDefinition(
      name: "sshd", file: "sshd.yaml",
      rules: .native(
        NativeRules(
          programs: ["sshd"],
          patterns: [
            PatternDefinition(
              name: "failed", match: "^Failed password for (?:invalid user )?<user> from <host> port <port> ssh2$")
          ])))
    settings.jails = [
      JailSettings(
        name: "sshd", definition: definition, logpath: ["/nonexistent/auth.log"],
        limits: Jail(name: "sshd", maxretry: maxretry, findtime: .minutes(10), bantime: .minutes(10)))
    ]
    return settings
  }

  /// A log long enough to be read by several threads, with failures on both sides of every segment's border.
  private func log(megabytes: Int) throws -> String {
    var text = ""
    var second = 0
    var bytes = 0
    let path = directory("auth.log")
    try Data().write(to: URL(filePath: path))
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    while bytes < megabytes << 20 {
      text = ""
      for n in 0..<2_000 {
        second += n % 3
        let stamp = Instant(seconds: 1_795_000_000 + Int64(second / 10)).rfc3339()
        text +=
          "\(stamp) web sshd[\(n)]: Accepted publickey for deploy from 198.51.100.4 port 1 ssh2: ED25519 SHA256:abc\n"
        if n % 4 == 0 {
          text +=
            "\(stamp) web sshd[\(n)]: Failed password for invalid user u\(n) from 203.0.113.\(n % 250) port 22 ssh2\n"
        }
      }
      bytes += text.utf8.count
      file.write(Data(text.utf8))
    }
    try file.close()
    return path
  }

  private func decisions(_ path: String) throws -> ([Decision], Replay.Summary) {
    var decisions: [Decision] = []
    let summary = try Replay(settings()).run([path]) { decisions.append($0) }
    return (decisions, summary)
  }

  /// The same file, read by all cores and, compressed, by one.
  @Test func allCoresDecideAsOne() throws {
    let path = try log(megabytes: 20)
    let gzip = Process()
    gzip.executableURL = URL(filePath: "/usr/bin/gzip")
    gzip.arguments = ["-1", "-k", path]
    try gzip.run()
    gzip.waitUntilExit()
    let (fast, summary) = try decisions(path)
    let (slow, expected) = try decisions(path + ".gz")
    #expect(fast == slow)
    #expect(fast.count > 100)
    #expect(summary.lines == expected.lines)
    #expect(summary.failures == expected.failures)
    #expect(summary.matched == expected.matched)
  }

  /// A store that cannot be opened is told before anything is decided.
  @Test(arguments: [1, 20]) func noDecisionWithoutTheStore(megabytes: Int) throws {
    let path = try log(megabytes: megabytes)
    let replay = try Replay(settings(), database: directory("none/bailiff.db"))
    var decisions = 0
    #expect(throws: StoreError.self) { _ = try replay.run([path]) { _ in decisions += 1 } }
    #expect(decisions == 0)
  }

  /// The store is closed when a replay has ended: another one with it is an error, and does not wait permanently.
  @Test(.timeLimit(.minutes(1))) func aReplayThatHasEndedRecordsNoMore() throws {
    let path = try log(megabytes: 1)
    let replay = try Replay(settings(), database: directory("bailiff.db"))
    #expect(try replay.run([path]) { _ in }.bans > 0)
    #expect(throws: StoreError.self) { _ = try replay.run([path]) { _ in } }
  }

  @Test func aFileThatAJailWatchesIsReadByThatJail() throws {
    let path = try log(megabytes: 1)
    var two = settings()
    var other = two.jails[0]
    other.name = "other"
    other.limits.name = "other"
    other.logpath = [directory("*.log")]
    two.jails.append(other)
    var jails = Set<String>()
    _ = try Replay(two).run([path]) { jails.insert($0.jail) }
    #expect(jails == ["other"])
    two.jails[1].logpath = ["/nonexistent/other.log"]
    jails = []
    _ = try Replay(two).run([path]) { jails.insert($0.jail) }
    #expect(jails == ["sshd", "other"])
  }

  /// A jail that counts bans: the second ban within its time bans for longer (fail2ban's recidive).
  @Test func bansAreCounted() throws {
    let path = try log(megabytes: 1)
    var settings = settings()
    settings.jails[0].limits.bantime = .seconds(1)
    settings.jails.append(
      JailSettings(
        name: "recidive", source: .bans,
        limits: Jail(name: "recidive", maxretry: 2, findtime: .hours(24), bantime: .hours(24 * 7))))
    var recidive: [Decision] = []
    _ = try Replay(settings).run([path]) { if $0.jail == "recidive" { recidive.append($0) } }
    #expect(!recidive.isEmpty)
    #expect(Set(recidive.map(\.identity)).count == recidive.count)
    #expect(recidive.allSatisfy { $0.count == 2 })
  }

  /// As `run` does: lists are read, names resolved, and a name without an address is told.
  @Test func listsAndNamesInIgnoreipAreIgnored() throws {
    let path = try log(megabytes: 1)
    let list = try directory.write("offices", "203.0.113.0/26 # all of them\n")
    var settings = settings()
    settings.jails[0].ignoreip = [.file(list), .name("office.example"), .name("gone.example")]
    let home = Address("203.0.113.100")!
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    let resolver = NameResolver(limits: NameResolver.Limits(), clock: { Instant(seconds: 0) }) {
      $0 == "office.example." ? .addresses([home]) : .none("not there")
    }
    let replay = try Replay(settings, resolver: resolver)
    #expect(replay.unresolved == ["gone.example"])
    var banned: Set<String> = []
    _ = try replay.run([path]) { banned.insert($0.identity.description) }
    let others = Set(stride(from: 64, to: 250, by: 2).filter { $0 != 100 }.map { "203.0.113.\($0)" })
    // Every address of the log's fails often enough.
    #expect(banned == others)
  }
}

@Suite struct AttemptTests {
  /// What sshd writes about two guesses, one of them at a user that does not exist: two count, not six.
  @Test func linesOfOneGuessCountOnce() throws {
    let directory = try TestDirectory("attempts")
    let path = directory("auth.log")
    let guesses = """
      2026-11-20T05:24:01Z web sshd[1]: Failed password for root from 192.0.2.7 port 4711 ssh2
      2026-11-20T05:24:02Z web sshd[1]: Connection closed by authenticating user root 192.0.2.7 port 4711 [preauth]
      2026-11-20T05:24:03Z web sshd[2]: Invalid user x from 192.0.2.7 port 4712
      2026-11-20T05:24:04Z web sshd[2]: Failed password for invalid user x from 192.0.2.7 port 4712 ssh2
      2026-11-20T05:24:05Z web sshd[2]: Connection closed by invalid user x 192.0.2.7 port 4712 [preauth]

      """
    try guesses.write(toFile: path, atomically: true, encoding: .utf8)
    var settings = Settings()
    settings.ignoreself = false
    for (maxretry, bans) in [(2, 1), (3, 0)] {
      settings.jails = [
        JailSettings(
          name: "sshd", definition: try FilterLibrary(directories: []).load("sshd"), logpath: [path],
          limits: Jail(name: "sshd", maxretry: maxretry))
      ]
      #expect(try Replay(settings).run([path], onDecision: { _ in }).bans == bans)
    }
  }
}
