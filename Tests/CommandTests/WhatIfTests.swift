import Foundation
import TestSupport
import Testing

/// `what-if` against the engine itself: the same log, replayed under the other limits.
@Suite(.timeLimit(.minutes(5))) struct WhatIfTests {
  /// A log that was recorded under one setting, and can be replayed under others.
  private struct Recorded {
    let directory: TestDirectory
    let log: String

    init(_ lines: [String]) async throws {
      directory = try TestDirectory("whatif")
      log = try directory.write("auth.log", lines.joined(separator: "\n") + "\n")
      let done = try await bailiff("replay", "--record", log, limits: "maxretry: 5, findtime: 10m, bantime: 30m")
      try #require(done.status == 0, "\(done)")
    }

    func config(_ limits: String) throws -> String {
      try directory.write(
        "bailiff.yaml",
        """
        state: \(directory("state"))
        socket: \(directory("none"))
        ignoreip: [198.51.100.0/24]
        jails:
          sshd: {filter: sshd, backend: files, logpath: [\(log)], \(limits)}
        """)
    }

    func bailiff(_ arguments: String..., limits: String = "maxretry: 5, findtime: 10m, bantime: 30m") async throws
      -> Finished
    {
      try await Binary.run(arguments + ["--config", try config(limits)])
    }

    /// Whom the engine bans under these limits, and when first.
    func replayed(_ limits: String) async throws -> (bans: Int, first: [String: String]) {
      let bans = try await bailiff("replay", "--json", log, limits: limits).objects.filter {
        $0["action"] as? String == "ban"
      }
      var first: [String: String] = [:]
      for ban in bans where first[ban["id"] as? String ?? ""] == nil {
        first[ban["id"] as? String ?? ""] = ban["time"] as? String
      }
      return (bans.count, first)
    }
  }

  private static func line(_ time: Date, _ text: String) -> String {
    "\(ISO8601DateFormatter().string(from: time)) web sshd[812]: \(text)"
  }

  private static func failure(_ time: Date, _ address: String) -> String {
    line(time, "Failed password for invalid user admin from \(address) port 4711 ssh2")
  }

  /// Two days of a hundred addresses with their own pace, in the order of time.
  private static func noise() -> [String] {
    var random = SystemRandomNumberGenerator()
    var lines: [(Date, String)] = []
    for number in 0..<120 {
      // The last ones are spared by ignoreip.
      let address = number < 110 ? "203.0.113.\(number + 1)" : "198.51.100.\(number)"
      var time = Date(timeIntervalSinceNow: -2 * 86_400 + Double.random(in: 0..<40_000, using: &random))
      for _ in 0..<Int.random(in: 1...25, using: &random) {
        lines.append((time, failure(time, address)))
        time += Double.random(in: 1...Double(30 + number * 5), using: &random).rounded()
      }
    }
    return lines.sorted { $0.0 < $1.0 }.map(\.1)
  }

  @Test(arguments: [
    (["--maxretry", "3"], "maxretry: 3, findtime: 10m, bantime: 30m"),
    (["--maxretry", "8"], "maxretry: 8, findtime: 10m, bantime: 30m"),
    (["--findtime", "4m"], "maxretry: 5, findtime: 4m, bantime: 30m"),
    (["--findtime", "1h", "--bantime", "permanent"], "maxretry: 5, findtime: 1h, bantime: permanent"),
    (["--bantime", "1m", "--maxretry", "1"], "maxretry: 1, findtime: 10m, bantime: 1m"),
  ])
  func itIsWhatTheEngineDecides(options: [String], limits: String) async throws {
    let recorded = try await Recorded(Self.noise())
    let now = try await recorded.replayed("maxretry: 5, findtime: 10m, bantime: 30m")
    let then = try await recorded.replayed(limits)
    let answer = try await Binary.run(
      [
        "what-if", "--jail", "sshd", "--json", "--limit", "1000", "--config",
        try recorded.config("maxretry: 5, findtime: 10m, bantime: 30m"),
      ]
        + options)
    #expect(answer.status == 0, "\(answer.error)")
    let reply = try #require(try answer.objects.first)
    func side(_ name: String) -> [String: Any] { reply[name] as? [String: Any] ?? [:] }
    #expect(side("now")["bans"] as? Int == now.bans && side("now")["banned"] as? Int == now.first.count)
    #expect(side("then")["bans"] as? Int == then.bans && side("then")["banned"] as? Int == then.first.count)
    func named(_ key: String) -> [String: String] {
      Dictionary(
        uniqueKeysWithValues: (reply[key] as? [[String: Any]] ?? []).map {
          ($0["id"] as? String ?? "", $0["time"] as? String ?? "")
        })
    }
    #expect(named("more") == then.first.filter { now.first[$0.key] == nil })
    #expect(named("fewer") == now.first.filter { then.first[$0.key] == nil })
    // It would show nothing if no limit banned anybody.
    #expect(now.bans > 5 && then.bans > 5)
  }

  @Test func whoMayBeHonestIsMarked() async throws {
    let start = Date(timeIntervalSinceNow: -86_400)
    var lines = (0..<4).map { Self.failure(start + Double($0 * 30), "203.0.113.7") }
    lines.append(Self.line(start + 150, "Accepted password for alice from 203.0.113.7 port 4712 ssh2"))
    lines += (0..<4).map { Self.failure(start + 200 + Double($0 * 30), "203.0.113.8") }
    let recorded = try await Recorded(lines)
    let answer = try await recorded.bailiff("what-if", "--jail", "sshd", "--maxretry", "4", "--json")
    // Something speaks for one of them.
    #expect(answer.status == 4)
    let more = try #require(try answer.objects.first?["more"] as? [[String: Any]])
    #expect(more.map { $0["id"] as? String } == ["203.0.113.7", "203.0.113.8"])
    #expect(more.map { ($0["honest"] as? [String])?.joined() } == ["logged in: alice", ""])
    let one = try await recorded.bailiff("what-if", "--jail", "sshd", "--maxretry", "4", "--id", "203.0.113.8")
    #expect(one.status == 0 && one.output.contains("banned in addition: 1"), "\(one)")
    for wrong in [
      ["--jail", "nowhere", "--maxretry", "4"], ["--jail", "sshd"], ["--jail", "sshd", "--maxretry", "0"],
    ] {
      let refused = try await Binary.run(
        ["what-if"] + wrong + ["--config", try recorded.config("maxretry: 5, findtime: 10m, bantime: 30m")])
      #expect(refused.status == 2, "\(refused)")
    }
  }
}
