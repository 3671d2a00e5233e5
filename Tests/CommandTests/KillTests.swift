import Foundation
import TestSupport
import Testing

/// The built daemon loses its process at any instant while its log is written and rotated.
@Suite(.serialized, .timeLimit(.minutes(5))) struct KillTests {
  @Test func everyFailureIsInTheAuditExactlyOnce() async throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    let result = try await survive(kills: 15, rotation: .rename, seed: seed)
    print(
      "\(result.kills) kills, \(result.rotations) rotations, \(result.lines) lines: \(result.lost.count) lost, "
        + "\(result.doubled.count) doubled, \(result.bans) bans (seed \(seed))")
    #expect(result.lost.isEmpty, "seed \(seed): \(result.lost.prefix(5)) \(result.events)")
    #expect(result.doubled.isEmpty, "seed \(seed): \(result.doubled.prefix(5))")
  }

  /// Between copying and truncating there is a moment whose lines nobody can have: what may be lost is said.
  @Test func afterCopyTruncateLossIsSaid() async throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    let result = try await survive(kills: 5, rotation: .copyTruncate, seed: seed)
    print(
      "copytruncate: \(result.kills) kills, \(result.rotations) rotations, \(result.lines) lines: "
        + "\(result.lost.count) lost, \(result.doubled.count) doubled, loss reported \(result.events.count) times (seed \(seed))"
    )
    #expect(result.lost.isEmpty || !result.events.isEmpty, "seed \(seed): \(result.lost.prefix(5))")
    #expect(result.doubled.isEmpty, "seed \(seed): \(result.doubled.prefix(5))")
  }

  /// What was rotated while nobody watched is read from where it was compressed to.
  @Test func whatWasCompressedAwayIsReadOrSaid() async throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    let result = try await survive(kills: 6, rotation: .compress, seed: seed)
    print(
      "compressed: \(result.kills) kills, \(result.rotations) rotations, \(result.lines) lines: "
        + "\(result.lost.count) lost, \(result.doubled.count) doubled, loss reported \(result.events.count) times (seed \(seed))"
    )
    #expect(result.lost.isEmpty || !result.events.isEmpty, "seed \(seed): \(result.lost.prefix(5))")
    #expect(result.doubled.isEmpty, "seed \(seed): \(result.doubled.prefix(5))")
  }

  /// A jail that only counts stores nothing: after SIGKILL its windows are as they would have been, and the ban shows its last lines.
  @Test func windowsOfAJailThatOnlyCountsGoOn() async throws {
    let scratch = try TestDirectory()
    let log = scratch.path + "/auth.log"
    let config = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      ignoreself: false
      jails:
        sshd: {filter: sshd, logpath: [\(log)], port: [ssh], limit: 30/1h, record: counts, bantime: 1d}
      """)
    let format = ISO8601DateFormatter()
    var written = 0
    func write(_ count: Int) throws {
      let lines = (written..<written + count).map {
        "\(format.string(from: Date())) web sshd[812]: Failed password for u\($0) from 198.51.100.7 port 4711 ssh2\n"
      }
      written += count
      if written == count { _ = FileManager.default.createFile(atPath: log, contents: nil) }
      let handle = try #require(FileHandle(forWritingAtPath: log))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(lines.joined().utf8))
      try handle.close()
    }
    func isRead() async throws -> Bool {
      let status = try await Binary.run("status", "--json", "--config", config)
      guard let jails = try status.objects.first?["jails"] as? [[String: Any]] else { return false }
      return jails.contains { $0["name"] as? String == "sshd" && $0["failures"] as? Int ?? 0 >= 1 }
    }
    try write(11)
    var daemon = try RunningDaemon(config)
    defer { daemon.kill() }
    try await poll("the first lines") { try await isRead() }
    for count in [9, 9] {
      daemon.kill()
      try write(count)
      daemon = try RunningDaemon(config)
      try await poll("what was written meanwhile") { try await isRead() }
    }
    #expect(try await Binary.run("bans", "--json", "--config", config).objects.isEmpty)
    daemon.kill()
    daemon = try RunningDaemon(config)
    try write(1)
    try await poll("the ban") { try await !Binary.run("bans", "--json", "--config", config).output.isEmpty }
    let explained = try #require(
      try await Binary.run("explain", "198.51.100.7", "--json", "--config", config).objects.first)
    let ban = try #require((explained["bans"] as? [[String: Any]])?.first)
    #expect(ban["count"] as? Int == 30)
    let shown = (ban["failures"] as? [[String: Any]] ?? []).compactMap { $0["user"] as? String }
    #expect(Set(shown) == Set((10..<30).map { "u\($0)" }) && shown.count == 20)
    #expect(daemon.terminate() == 0)
  }

  /// Accounts and applications that are counted by themselves: after SIGKILL their windows are as they would have been, from the store
  /// or from the log, and the ban says of what it is, by its lines.
  @Test(arguments: [("user", "each"), ("user", "counts"), ("app", "each"), ("app", "counts")])
  func windowsOfPartsGoOn(per: String, record: String) async throws {
    let scratch = try TestDirectory()
    try FileManager.default.createDirectory(atPath: scratch.path + "/filters", withIntermediateDirectories: true)
    try scratch.write(
      "filters/requests.yaml",
      """
      service: requests
      format: combined
      patterns:
        - {name: request, where: {method: {absent: false}}}
      """)
    let log = scratch.path + "/access.log"
    let config = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      filters: [\(scratch.path)/filters]
      ignoreself: false
      jails:
        web: {filter: requests, logpath: [\(log)], limit: 5/1h, per: [address, \(per)], record: \(record), bantime: 1d}
      """)
    let format = DateFormatter()
    (format.locale, format.dateFormat) = (Locale(identifier: "C"), "dd/MMM/yyyy:HH:mm:ss Z")
    func write(_ parts: [String]) throws {
      let stamp = format.string(from: Date())
      let lines = parts.map { part in
        (per == "app" ? "\(part):80 198.51.100.7 - -" : "198.51.100.7 - \(part)")
          + " [\(stamp)] \"GET /\(part) HTTP/1.1\" 200 3 \"-\" \"-\"\n"
      }
      if !FileManager.default.fileExists(atPath: log) {
        _ = FileManager.default.createFile(atPath: log, contents: nil)
      }
      let handle = try #require(FileHandle(forWritingAtPath: log))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(lines.joined().utf8))
      try handle.close()
    }
    func isRead() async throws -> Bool {
      let status = try await Binary.run("status", "--json", "--config", config)
      let sources = try status.objects.first?["sources"] as? [[String: Any]] ?? []
      return sources.contains { ($0["lag"] as? Int ?? -1) == 0 }
    }
    let counted = per == "app" ? "app two:80" : "user two"
    try write(["one", "two", "one", "two", "six"])
    var daemon = try RunningDaemon(config)
    defer { daemon.kill() }
    try await poll("the first lines") { try await isRead() }
    for parts in [["one", "two", "six"], ["one", "six", "two"]] {
      daemon.kill()
      try write(parts)
      daemon = try RunningDaemon(config)
      try await poll("what was written meanwhile") { try await isRead() }
    }
    try await Task.sleep(for: .milliseconds(500))
    #expect(try await Binary.run("bans", "--json", "--config", config).objects.isEmpty, "4, 4 and 3")
    daemon.kill()
    daemon = try RunningDaemon(config)
    try write(["six", "two"])
    try await poll("the ban") { try await !Binary.run("bans", "--json", "--config", config).output.isEmpty }
    let explained = try #require(
      try await Binary.run("explain", "198.51.100.7", "--json", "--config", config).objects.first)
    let ban = try #require((explained["bans"] as? [[String: Any]])?.first)
    #expect(
      ban["count"] as? Int == 5 && ban["command"] as? String == counted && ban["cause"] as? String == "limit")
    let lines = (ban["failures"] as? [[String: Any]] ?? []).compactMap { $0["line"] as? String }
    #expect(lines.count == 5 && lines.allSatisfy { $0.contains("GET /two ") }, "\(lines)")
    let audit = try #require(try await Binary.run("audit", "--json", "--kind", "ban", "--config", config).objects.first)
    #expect(audit["command"] as? String == counted)
    let text = try await Binary.run("explain", "198.51.100.7", "--config", config).output
    #expect(text.contains("5 failures of \(counted) reached the limit"))
    #expect(daemon.terminate() == 0)
    #expect(try await Binary.run("audit", "verify", "--config", config).status == 0)
  }

  struct Result {
    var kills = 0
    var rotations = 0
    var lines = 0
    var lost: [String] = []
    var doubled: [String] = []
    var bans = 0
    /// What the audit says about sources that failed.
    var events: [String] = []
  }

  private func survive(kills: Int, rotation: Attack.Rotation, seed: UInt64) async throws -> Result {
    let scratch = try TestDirectory()
    let logs = scratch.path + "/log"
    try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
    let attack = try Attack(in: logs, rotation: rotation, seed: seed)
    let config = try settings(scratch, "live", logs)
    var random = Random(state: seed)

    var daemon = try RunningDaemon(config)
    defer { daemon.kill() }
    try attack.write(10)
    // Its position is stored now; without one, a log that was renamed before the daemon ever saw it is nobody's.
    try await poll("the first lines") { try await users(config).count == 10 }
    attack.start()
    for _ in 0..<kills {
      usleep(UInt32(200_000 + random.next() % 900_000))
      daemon.kill()
      usleep(UInt32(random.next() % 150_000))
      daemon = try RunningDaemon(config)
    }
    let written = attack.stop()
    #expect(written.problem == nil)

    var result = Result(kills: kills, rotations: written.rotations, lines: written.lines.count)
    let expected = Set(written.lines.indices.map { "u\($0)" })
    var found: [String] = []
    var last = -1
    var unchanged = 0
    // All there, or, where lines may be lost, no more to come.
    try await poll("every failure") {
      found = try await users(config)
      unchanged = found.count == last ? unchanged + 1 : 0
      last = found.count
      return found.count >= expected.count || unchanged > 10
    }
    var times: [String: Int] = [:]
    for user in found { times[user, default: 0] += 1 }
    result.lost = expected.subtracting(times.keys).sorted()
    result.doubled = times.filter { $0.value > 1 }.keys.sorted()
    let operators = try await Binary.run("audit", "--json", "--kind", "operator", "--config", config)
    for line in operators.output.split(separator: "\n") where line.contains("source-failed") {
      result.events.append(String(line))
    }

    // The bans in force are those of one that was never disturbed.
    let bans = try await Binary.run("bans", "--json", "--config", config).objects
    result.bans = bans.count
    if result.lost.isEmpty {
      let other = try settings(scratch, "replay", logs)
      // In the order in which they were written, which is that of the files.
      let all = try scratch.write("all.log", written.lines.joined())
      let replay = try await Binary.run("replay", "--record", "--json", "--config", other, all)
      #expect(replay.status == 0, "\(replay.error)")
      let wanted = try replay.objects.filter { $0["action"] as? String == "ban" }
      #expect(!wanted.isEmpty)
      #expect(described(bans) == described(wanted))
      #expect(Set(try await users(other)) == expected)
    }
    let recorded = try await Binary.run("audit", "--json", "--kind", "ban", "--config", config).objects
    #expect(described(recorded) == described(bans), "each ban is in the audit once")
    #expect(try await Binary.run("audit", "verify", "--config", config).status == 0)
    #expect(daemon.terminate() == 0)
    return result
  }

  /// Ids with their counts, as often as they are there.
  private func described(_ bans: [[String: Any]]) -> [String] {
    bans.map { "\($0["jail"] ?? "") \($0["id"] ?? "") \($0["count"] ?? "")" }.sorted()
  }

  private func users(_ config: String) async throws -> [String] {
    let audit = try await Binary.run("audit", "--json", "--kind", "failure", "--config", config)
    guard audit.status == 0 else { return [] }
    return try audit.objects.compactMap { $0["user"] as? String }
  }

  private func settings(_ scratch: TestDirectory, _ name: String, _ logs: String) throws -> String {
    let filters = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters")
      .standardizedFileURL
    return try scratch.write(
      "\(name).yaml",
      """
      state: \(scratch.path)/\(name)
      socket: \(scratch.path)/\(name).sock
      filters: [\(filters.path(percentEncoded: false))]
      ignoreself: false
      jails:
        sshd: {filter: sshd, logpath: [\(logs)/auth.log], port: [ssh], maxretry: 4, findtime: 1h, bantime: 1d}

      """)
  }
}
