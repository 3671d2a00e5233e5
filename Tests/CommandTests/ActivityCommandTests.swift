import Foundation
import TestSupport
import Testing

/// Who came in, what they did, and what a person should look at.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ActivityCommandTests {
  /// Lines with the stamps at which they are written.
  private final class Log {
    let path: String
    private var lines: [String] = []
    private let format = ISO8601DateFormatter()

    init(_ path: String) {
      self.path = path
      format.formatOptions.insert(.withFractionalSeconds)
    }

    var text: String { lines.joined() }

    func write(_ messages: [String], program: String = "sshd[812]") throws {
      let new = messages.map { "\(format.string(from: Date())) web \(program): \($0)\n" }
      lines += new
      if !FileManager.default.fileExists(atPath: path) {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
      }
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(new.joined().utf8))
      try handle.close()
    }
  }

  private static func settings(_ scratch: TestDirectory, _ name: String, log: String, more: String = "") throws
    -> String
  {
    let filters = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters")
      .standardizedFileURL
    return try scratch.write(
      "\(name).yaml",
      """
      state: \(scratch.path)/\(name)
      socket: \(scratch.path)/\(name).sock
      filters: [\(filters.path(percentEncoded: false))]
      \(more)
      jails:
        sshd: {filter: sshd, logpath: [\(log)], maxretry: 50}
        again: {filter: sshd, logpath: [\(log)], maxretry: 100}
        pam: {filter: pam, logpath: [\(log)]}

      """)
  }

  private static func failure(_ address: String, _ user: String) -> String {
    "Failed password for \(user) from \(address) port 4711 ssh2"
  }
  private static func login(_ address: String, _ user: String) -> String {
    "Accepted password for \(user) from \(address) port 4711 ssh2"
  }
  private static let command = "   alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/true"

  private static func described(_ alerts: [[String: Any]]) -> [String] {
    alerts.map { "\($0["kind"] ?? "") \($0["user"] ?? "") \($0["address"] ?? "") \($0["count"] ?? "")" }.sorted()
  }

  @Test func aReplayTellsWhoCameInAndWhatToLookAt() async throws {
    let scratch = try TestDirectory()
    let log = Log(scratch.path + "/auth.log")
    try log.write([Self.login("203.0.113.9", "alice"), "Disconnected from user alice 203.0.113.9 port 4711"])
    try log.write((0..<6).map { _ in Self.failure("198.51.100.7", "alice") } + [Self.login("198.51.100.7", "alice")])
    try log.write([Self.command, Self.command], program: "sudo")
    let config = try Self.settings(scratch, "replay", log: log.path)
    let replay = try await Binary.run("replay", "--record", "--alerts", "--json", "--config", config, log.path)
    #expect(replay.status == 0, "\(replay.error)")
    let kinds = try replay.objects.compactMap { $0["kind"] as? String }
    #expect(kinds == ["login-after-failures", "new-network", "first-privilege"])

    let rows = try await Binary.run("activity", "--json", "--config", config).objects
    #expect(
      rows.map { "\($0["event"]!) \($0["user"]!) \($0["address"] as? String ?? "-") \($0["target"] as? String ?? "-")" }
        == [
          "command alice - root", "command alice - root", "login alice 198.51.100.7 -", "logout alice 203.0.113.9 -",
          "login alice 203.0.113.9 -",
        ], "each line once, though two jails have the filter")
    let some = try await Binary.run("activity", "--event", "login", "--ip", "203.0.113.0/24", "--config", config)
    #expect(some.output.contains("203.0.113.9") && !some.output.contains("198.51.100.7"), "\(some)")
    let alerts = try await Binary.run("alerts", "--json", "--kind", "login-after-failures", "--config", config).objects
    #expect(alerts.count == 1 && alerts[0]["count"] as? Int == 5)
    let why = try await Binary.run("alerts", "\(alerts[0]["number"]!)", "--config", config)
    #expect(why.output.contains("Accepted password for alice from 198.51.100.7"))
    // The five that made it; the sixth, too, where its stamp is of the same millisecond.
    let evidence = why.output.split(separator: "\n").count { $0.contains("Failed password for alice") }
    #expect((5...6).contains(evidence), "\(why.output)")
    #expect(try await Binary.run("alerts", "99", "--config", config).status == 1)
    #expect(try await Binary.run("audit", "verify", "--config", config).status == 0)

    // With activities off nothing of that is there, and failures are what they were.
    let off = try Self.settings(scratch, "off", log: log.path, more: "activity: false")
    _ = try await Binary.run("replay", "--record", "--config", off, log.path)
    #expect(try await Binary.run("activity", "--json", "--config", off).output.isEmpty)
    let failures = try await Binary.run("audit", "--json", "--kind", "failure", "--config", off).objects
    #expect(failures.count == 12)
  }

  /// The daemon is killed at any instant: each activity is there once, and the alerts are those of one that was never disturbed.
  @Test func killsLoseNothingAndTellNothingTwice() async throws {
    let scratch = try TestDirectory()
    let log = Log(scratch.path + "/auth.log")
    let config = try Self.settings(scratch, "live", log: log.path)
    try log.write([Self.login("203.0.113.9", "alice")])
    var daemon = try RunningDaemon(config)
    defer { daemon.kill() }
    func count() async throws -> Int {
      try await Binary.run("activity", "--json", "--config", config).output.split(separator: "\n").count
    }
    try await poll("the first login") { try await count() == 1 }
    var random = SystemRandomNumberGenerator()
    for round in 0..<6 {
      for step in 0..<10 {
        let index = round * 10 + step
        try log.write([
          Self.failure("198.51.100.7", "user\(index / 3)"), Self.failure("203.0.113.\(100 + index / 2)", "root"),
          Self.login("203.0.113.9", "user\(index)"),
        ])
        usleep(UInt32.random(in: 0..<30_000, using: &random))
      }
      if round == 2 { try log.write([Self.login("198.51.100.7", "alice")]) }
      if round == 3 { try log.write([Self.command], program: "sudo") }
      daemon.kill()
      if round == 4 { try log.write([Self.command], program: "sudo") }
      daemon = try RunningDaemon(config)
    }
    try await poll("every activity") { try await count() >= 64 }
    #expect(daemon.terminate() == 0)
    let rows = try await Binary.run("activity", "--json", "--config", config).objects
    #expect(rows.count == 64 && Set(rows.map { "\($0["offset"] as? Int ?? -1)" }).count == 64)

    let other = try Self.settings(scratch, "replay", log: log.path)
    _ = try await Binary.run("replay", "--record", "--config", other, log.path)
    let live = try await Binary.run("alerts", "--json", "--config", config).objects
    let replayed = try await Binary.run("alerts", "--json", "--config", other).objects
    #expect(Self.described(live) == Self.described(replayed))
    #expect(
      Set(live.compactMap { $0["kind"] as? String })
        == ["login-after-failures", "new-network", "first-privilege", "many-addresses", "many-accounts"])
    #expect(live.count == 5)
    #expect(try await Binary.run("audit", "verify", "--config", config).status == 0)
  }

  /// `--follow` tells what comes, also after a restart of the daemon, and the API's two routes what is stored.
  @Test func whatComesIsFollowedAndTheAPITellsIt() async throws {
    let scratch = try TestDirectory()
    let log = Log(scratch.path + "/auth.log")
    let config = try Self.settings(scratch, "live", log: log.path)
    try log.write([Self.login("203.0.113.9", "alice")])
    var daemon = try RunningDaemon(config)
    defer { daemon.kill() }
    try await poll("the first login") {
      try await Binary.run("activity", "--json", "--config", config).objects.count == 1
    }
    let rows = scratch.path + "/rows"
    let following = Task {
      try await Binary.shell(
        "timeout -s INT 20 bailiff activity --follow --json --event login --config \(config) > \(rows)")
    }
    func followed() -> [String] {
      let text = (try? String(contentsOfFile: rows, encoding: .utf8)) ?? ""
      return text.split(separator: "\n").compactMap { line in
        (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["user"] as? String
      }
    }
    // The process may not be there yet: a login that it does not know of is written again.
    var number = 0
    try await poll("a login that is followed") {
      number += 1
      try log.write([Self.login("203.0.113.9", "user\(number)")])
      try await Task.sleep(for: .milliseconds(500))
      return !followed().isEmpty
    }
    let begun = number
    daemon.kill()
    try log.write([Self.login("203.0.113.9", "user\(number + 1)"), "Disconnected from user a 203.0.113.9 port 4711"])
    daemon = try RunningDaemon(config)
    try await poll("the login after the restart") { followed().last == "user\(number + 1)" }
    let users = followed()
    #expect(!users.contains("alice") && Set(users).count == users.count && users.count >= 2, "\(users) from \(begun)")
    following.cancel()

    func get(_ path: String) async throws -> [[String: Any]] {
      let answer = try await Command.run([
        "/usr/bin/curl", "-sSf", "--unix-socket", scratch.path + "/live.sock", "http://bailiff/api/v1/\(path)",
      ])
      #expect(answer.status == 0, "\(path): \(answer.error)")
      return try answer.objects
    }
    let all = try await get("activity")
    #expect(all.count == number + 3 && all.last?["user"] as? String == "alice")
    #expect(try await get("activity?event=logout").compactMap { $0["user"] as? String } == ["a"])
    #expect(try await get("activity?user=alice&ip=203.0.113.0/24").count == 1)
    #expect(try await get("activity?ip=198.51.100.7").isEmpty)
    let page = try await get("activity?limit=2")
    #expect(page.count == 2)
    let before = try #require(page.last?["number"] as? Int)
    #expect(try await get("activity?before=\(before)").count == all.count - 2)
    #expect(try await get("activity?after=\(before)").count == 1)

    try log.write((0..<5).map { _ in Self.failure("198.51.100.7", "alice") } + [Self.login("198.51.100.7", "alice")])
    try await poll("the alert") { try await !get("alerts?kind=login-after-failures").isEmpty }
    let alert = try #require(try await get("alerts?kind=login-after-failures&lines=true").first)
    #expect(alert["address"] as? String == "198.51.100.7" && alert["count"] as? Int == 5)
    #expect((alert["failures"] as? [Any])?.count == 5 && (alert["activities"] as? [Any])?.count == 1)
    #expect(try await get("alerts?kind=many-accounts").isEmpty)
    let wrong = try await Command.run([
      "/usr/bin/curl", "-sS", "--unix-socket", scratch.path + "/live.sock", "http://bailiff/api/v1/alerts?kind=none",
    ])
    #expect(try wrong.objects.first?["status"] as? Int == 400)
    #expect(daemon.terminate() == 0)
  }

  /// A jail of alerts bans by them, once; without one, alerts ban nobody.
  @Test func aJailOfAlertsBans() async throws {
    let scratch = try TestDirectory()
    let log = Log(scratch.path + "/auth.log")
    let config = try Self.settings(
      scratch, "live", log: log.path, more: "ignoreself: false\nalerts: {many_accounts: 3/1d}")
    var text = try String(contentsOfFile: config, encoding: .utf8)
    text += "  sprayers: {alerts: [many_accounts, login_after_failures], bantime: 1d}\n"
    try text.write(toFile: config, atomically: false, encoding: .utf8)
    try log.write((0..<3).map { Self.failure("198.51.100.7", "user\($0)") })
    try log.write((0..<5).map { _ in Self.failure("198.51.100.8", "root") } + [Self.login("198.51.100.8", "root")])
    try log.write((0..<5).map { _ in Self.failure("198.51.100.9", "root") })
    var daemon = try RunningDaemon(config)
    defer { daemon.kill() }
    func banned() async throws -> [String] {
      try await Binary.run("bans", "--json", "--config", config).objects
        .map { "\($0["jail"] ?? "") \($0["id"] ?? "")" }.sorted()
    }
    let expected = ["sprayers 198.51.100.7", "sprayers 198.51.100.8"]
    try await poll("the bans") { try await banned() == expected }
    let why = try await Binary.run("explain", "198.51.100.7", "--config", config).output
    #expect(why.contains("198.51.100.7 tried 3 accounts within 24h") && why.contains("alert of"), "\(why)")

    daemon.kill()
    try log.write((3..<6).map { Self.failure("198.51.100.7", "user\($0)") })
    daemon = try RunningDaemon(config)
    try await poll("what came after the restart") {
      try await Binary.run("audit", "--json", "--kind", "failure", "--user", "user5", "--config", config).objects.count
        == 2
    }
    #expect(try await banned() == expected)
    #expect(try await Binary.run("audit", "--json", "--kind", "ban", "--config", config).objects.count == 2)
    #expect(daemon.terminate() == 0)
    #expect(try await Binary.run("audit", "verify", "--config", config).status == 0)
  }

  /// A reload that changes something is an activity of whoever asked for it.
  @Test func ownSettingsAreToldOf() async throws {
    let scratch = try TestDirectory()
    let log = Log(scratch.path + "/auth.log")
    let config = try Self.settings(scratch, "live", log: log.path)
    try log.write([Self.login("203.0.113.9", "alice")])
    let daemon = try RunningDaemon(config)
    defer { daemon.kill() }
    func changes() async throws -> [[String: Any]] {
      try await Binary.run("activity", "--json", "--event", "change", "--config", config).objects
    }
    try await poll("the daemon") { try await Binary.run("status", "--config", config).status == 0 }
    #expect(try await Binary.run("reload", "--config", config).status == 0)
    let text = try String(contentsOfFile: config, encoding: .utf8)
      .replacing("maxretry: 50}", with: "maxretry: 40, bantime: 1h}")
    try text.write(toFile: config, atomically: false, encoding: .utf8)
    let reload = try await Binary.run("reload", "--config", config)
    #expect(reload.status == 0, "\(reload.error)")
    try await poll("both changes") { try await changes().count == 2 }
    let told = try await changes().map { "\($0["user"] ?? "") \($0["target"] ?? "") \($0["detail"] ?? "")" }.sorted()
    let user = NSUserName()
    #expect(told == ["\(user) jails.sshd.bantime not set → 1h", "\(user) jails.sshd.maxretry 50 → 40"])
    #expect(try await changes().allSatisfy { $0["jail"] as? String == "bailiff" })
    #expect(daemon.terminate() == 0)
  }
}
