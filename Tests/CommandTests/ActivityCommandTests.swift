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
}
