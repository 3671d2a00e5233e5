import Foundation
import TestSupport
import Testing

/// A store that `replay --record` wrote, asked while no daemon is there.
@Suite(.timeLimit(.minutes(3))) struct AuditCommandTests {
  /// Three guesses of one address, one of another with a user name that a terminal would act on, a minute apart.
  static func log(end: Date) -> String {
    let format = ISO8601DateFormatter()
    func line(_ secondsAgo: Double, _ user: String, _ address: String) -> String {
      let stamp = format.string(from: end.addingTimeInterval(-secondsAgo))
      return "\(stamp) web sshd[812]: Failed password for \(user) from \(address) port 4711 ssh2\n"
    }
    return line(290, "root", "192.0.2.7") + line(280, "root", "192.0.2.7") + line(270, "admin", "192.0.2.7")
      + line(200, "\u{1b}[2J,\"x", "2001:db8::8")
  }

  final class Recorded: Sendable {
    let scratch: TestDirectory
    let config: String
    let log: String

    init() async throws {
      scratch = try TestDirectory()
      log = try scratch.write("auth.log", AuditCommandTests.log(end: Date()))
      config = try scratch.write(
        "bailiff.yaml",
        """
        state: \(scratch.path)/state
        socket: \(scratch.path)/s
        firewall: {backend: dry-run}
        jails:
          sshd: {filter: sshd, logpath: [\(log)], backend: files, maxretry: 3, findtime: 10m, bantime: 1h}
        """)
      let replay = try await Binary.run("replay", "--record", "--config", config, log)
      try #require(replay.status == 0, "\(replay)")
    }

    func run(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", config])
    }
  }

  @Test func theAuditIsFiltered() async throws {
    let store = try await Recorded()
    let all = try await store.run("audit", "--json")
    #expect(all.status == 0)
    #expect(!all.output.contains("\u{1b}"))
    let objects = try all.objects
    #expect(objects.map { $0["kind"] as? String } == ["failure", "ban", "failure", "failure", "failure"])
    let newest = try #require(objects.first)
    #expect(newest["id"] as? String == "2001:db8::8")
    #expect(newest["user"] as? String == "\u{1b}[2J,\"x")
    #expect(newest["pattern"] as? String == "failed-password")
    #expect(newest["source"] as? String == store.log)
    #expect(newest["jail"] as? String == "sshd")
    #expect(newest["count"] as? Int == 1)
    #expect((newest["line"] as? String)?.hasSuffix("port 4711 ssh2") == true)
    #expect((newest["time"] as? String)?.hasSuffix("Z") == true)

    func count(_ options: String...) async throws -> Int {
      let finished = try await Binary.run(["audit", "--json"] + options + ["--config", store.config])
      #expect(finished.status == 0, "\(finished)")
      return try finished.objects.count
    }
    #expect(try await count("--ip", "192.0.2.0/24") == 4)
    #expect(try await count("--ip", "2001:db8::/32") == 1)
    #expect(try await count("--user", "root") == 2)
    #expect(try await count("--kind", "ban") == 1)
    #expect(try await count("--kind", "ban", "--kind", "failure") == 5)
    #expect(try await count("--jail", "none") == 0)
    #expect(try await count("--since", "24h") == 5)
    #expect(try await count("--since", "240s") == 1)
    #expect(try await count("--until", "240s") == 4)
    #expect(try await count("--limit", "2") == 2)
  }

  @Test func peopleGetATableAndPages() async throws {
    let store = try await Recorded()
    let table = try await store.run("audit", "--limit", "2")
    let lines = table.output.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("TIME"))
    #expect(lines[1].contains(#"\x1b[2J,"x"#))
    #expect(lines[1].contains(" UTC "))
    let cursor = try #require(lines.last?.split(separator: " ").last)
    let older = try await store.run("audit", "--json", "--before", String(cursor))
    #expect(try older.objects.count == 3)
    let csv = try await store.run("audit", "--csv")
    #expect(csv.output.split(separator: "\n").count == 6)
    #expect(csv.output.hasPrefix("time,kind,action,jail,id,user"))
    #expect(csv.output.contains(#""\x1b[2J,""x""#))
  }

  @Test(arguments: [
    (["audit", "--since", "yesterdayish"], "2026-11-21"), (["audit", "--since", "1h", "--until", "2h"], "swap them"),
    (["audit", "--ip", "192.0.2.7/33"], "192.0.2.0/24"), (["audit", "--before", "x"], "cursor"),
    (["audit", "verify", "--checkpoint", "x"], "NUMBER:HASH"), (["top", "--since", "soon"], "24h"),
    (["top", "--since", "1h", "--until", "2h"], "swap them"),
  ])
  func badInputIsOneLine(_ arguments: [String], _ remedy: String) async throws {
    let store = try await Recorded()
    let finished = try await Binary.run(arguments + ["--config", store.config])
    #expect(finished.status == 2)
    #expect(finished.output.isEmpty)
    #expect(finished.error.split(separator: "\n").count == 1)
    #expect(finished.error.contains(remedy), "\(finished.error)")
  }

  @Test func topCounts() async throws {
    let store = try await Recorded()
    let byAddress = try await store.run("top", "--json").objects
    #expect(byAddress.map { $0["name"] as? String } == ["192.0.2.7", "2001:db8::8"])
    #expect(byAddress.map { $0["failures"] as? Int } == [3, 1])
    #expect(byAddress.first?["bans"] as? Int == 1)
    for key in ["ip", "prefix", "user", "jail", "pattern", "source", "hour"] {
      let finished = try await store.run("top", "--by", key)
      #expect(finished.status == 0)
      #expect(finished.output.contains("█"), "\(finished)")
      #expect(!finished.output.contains("\u{1b}"))
    }
  }

  @Test func explainTellsTheStory() async throws {
    let store = try await Recorded()
    let banned = try await store.run("explain", "192.0.2.7")
    #expect(banned.status == 0)
    #expect(banned.output.hasPrefix("192.0.2.7 is banned: in sshd until "))
    #expect(banned.output.contains("3 failures reached the limit"))
    #expect(banned.output.contains("\(store.log) at byte 0"))
    #expect(banned.output.contains("failed-password of "))
    #expect(banned.output.components(separatedBy: " from 192.0.2.7 port 4711").count == 4)
    let object = try #require(try await store.run("explain", "192.0.2.7", "--json").objects.first)
    #expect(object["banned"] as? Bool == true)
    let ban = try #require((object["bans"] as? [[String: Any]])?.first)
    #expect((ban["failures"] as? [Any])?.count == 3)

    let close = try await store.run("explain", "2001:db8::8")
    #expect(close.status == 0)
    #expect(close.output.contains("is not banned"))
    #expect(close.output.contains(#"\x1b[2J"#))
    let unknown = try await store.run("explain", "203.0.113.1")
    #expect(unknown.status == 1)
  }

  @Test func theRecordIsVerified() async throws {
    let store = try await Recorded()
    let whole = try await store.run("audit", "verify", "--json")
    #expect(whole.status == 0)
    let object = try #require(whole.objects.first)
    #expect(object["whole"] as? Bool == true)
    #expect(object["failures"] as? Int == 4)
    let checkpoint = try #require(object["checkpoint"] as? String)
    let again = try await store.run("audit", "verify", "--checkpoint", checkpoint)
    #expect(again.status == 0)
    #expect(again.output.hasPrefix("whole: 4 rows of failures, 1 decision"))
    // A checkpoint of another history is not part of this one.
    let forged = "1:" + String(repeating: "0", count: 64)
    #expect(try await store.run("audit", "verify", "--checkpoint", forged).status == 1)
  }

  @Test func withoutAStore() async throws {
    let scratch = try TestDirectory()
    let config = try scratch.write("bailiff.yaml", "state: \(scratch.path)/none\n")
    for command in [["audit"], ["audit", "verify"], ["top"], ["explain", "192.0.2.7"]] {
      let finished = try await Binary.run(command + ["--config", config])
      #expect(finished.status == 2)
      #expect(finished.error.contains("there is no store yet"))
    }
  }

  /// Rows that come while it waits are shown; when its reader has left, the next one ends it.
  @Test func followWaitsForNewRows() async throws {
    let store = try await Recorded()
    func log(_ name: String, _ address: String) throws -> String {
      let stamp = ISO8601DateFormatter().string(from: Date())
      return try store.scratch.write(
        name, "\(stamp) web sshd[9]: Failed password for eve from \(address) port 1 ssh2\n")
    }
    let second = try log("second.log", "192.0.2.98")
    let third = try log("third.log", "192.0.2.99")
    let followed = try await Binary.shell(
      """
      (sleep 1; bailiff replay --record --config \(store.config) \(second) > /dev/null
       sleep 1; bailiff replay --record --config \(store.config) \(third) > /dev/null) &
      timeout -s KILL 60 bailiff audit --follow --json --limit 1 --config \(store.config) | head -n 2
      echo "{\\"status\\":${PIPESTATUS[0]}}"; wait
      """)
    let objects = try followed.objects
    #expect(objects.count == 3, "\(followed)")
    #expect(objects.dropFirst().first?["id"] as? String == "192.0.2.98")
    #expect(objects.last?["status"] as? Int == 0)
  }

  /// A program that keeps the last cursor misses nothing and is told nothing twice, whether it waits or not.
  @Test func aCursorGoesOn() async throws {
    let store = try await Recorded()
    let now = try await store.run("audit", "--after", "now")
    #expect(now.status == 0 && now.output.isEmpty)
    #expect(now.error.hasPrefix("go on with: --after "))
    let cursor = now.error.split(separator: " ").last.map(String.init)?.trimmingCharacters(in: .newlines) ?? ""

    let all = try await store.run("audit", "--after", "beginning", "--json").objects
    #expect(all.map { $0["kind"] as? String } == ["failure", "failure", "failure", "failure", "ban"])
    #expect(all.last?["after"] as? String == cursor)
    let second = try #require(all[1]["after"] as? String)
    let rest = try await store.run("audit", "--after", second, "--json").objects
    #expect(rest.map { $0["after"] as? String } == all[2...].map { $0["after"] as? String })
    #expect(
      try await store.run("audit", "--after", second, "--csv", "--kind", "ban").output.split(separator: "\n").count == 2
    )

    // It begins with what is new, and says at its end where to go on.
    let stamp = ISO8601DateFormatter().string(from: Date())
    let more = try store.scratch.write(
      "more.log", "\(stamp) web sshd[9]: Failed password for eve from 192.0.2.98 port 1 ssh2\n")
    let followed = try await Binary.shell(
      """
      bailiff audit --follow --config \(store.config) > \(store.scratch.path)/out 2> \(store.scratch.path)/err & follower=$!
      sleep 1; bailiff replay --record --config \(store.config) \(more) > /dev/null
      for i in $(seq 600); do grep -q 192.0.2.98 \(store.scratch.path)/out && break; sleep 0.1; done
      kill -INT $follower; wait $follower; echo "status $?"; cat \(store.scratch.path)/out \(store.scratch.path)/err
      """)
    let lines = followed.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 3 && lines.first == "status 0", "\(followed)")
    #expect(lines[1].contains("192.0.2.98  eve"))
    let end = try #require(lines.last?.split(separator: " ").last.map(String.init))
    #expect(try await store.run("audit", "--after", end, "--json").output.isEmpty)
    #expect(
      try await store.run("audit", "--after", cursor, "--json").objects.map { $0["id"] as? String } == ["192.0.2.98"])

    for wrong in ["", "x", "00000000-1-1-1", "12-1-1-1"] {
      let refused = try await store.run("audit", "--after", wrong)
      #expect(refused.status == 2, "\(refused)")
      #expect(refused.error.contains("cursor") || refused.error.contains("of another store"))
    }
  }
}
