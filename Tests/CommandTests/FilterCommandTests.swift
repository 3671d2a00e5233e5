import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct FilterCommandTests {
  static let log = """
    Nov 21 05:24:01 web sshd[812]: Failed password for root from 192.0.2.7 port 4711 ssh2
    Nov 21 05:24:02 web sshd[812]: Accepted publickey for root from 192.0.2.7 port 4711 ssh2
    Nov 21 05:24:03 web sshd[813]: message repeated 5 times: [ Failed password for \u{1b}[2Jx from 2001:db8::7 port 9 ssh2]
    Nov 21 05:24:04 web sshd[814]: Failed password for root from 192.0.2.7 port 4712 ssh2
    """

  @Test func everyLineGivesAnObjectInOrder() async throws {
    let scratch = try TestDirectory()
    let file = try scratch.write("auth.log", Self.log)
    let finished = try await Binary.run(
      "filter", "test", "sshd", file, "--json", "--now", "2026-11-22T00:00:00Z", "--timezone", "Europe/Berlin")
    #expect(finished.status == 0)
    let objects = try finished.objects
    #expect(objects.map { $0["line"] as? Int } == [1, 2, 3, 4])
    #expect(objects.map { $0["result"] as? String } == ["failure", "activity", "failure", "failure"])
    let first = try #require((objects[0]["failures"] as? [[String: Any]])?.first)
    #expect(first["id"] as? String == "192.0.2.7")
    #expect(first["host"] as? String == "192.0.2.7")
    #expect(first["user"] as? String == "root")
    #expect(first["pattern"] as? String == "failed-password")
    #expect(first["port"] as? String == "4711")
    // 05:24:01 in Berlin's winter is 04:24:01 in UTC.
    #expect(first["time"] as? Double == 1_795_235_041)
    let repeated = try #require((objects[2]["failures"] as? [[String: Any]])?.first)
    #expect(repeated["attempts"] as? Int == 5)
    #expect(repeated["user"] as? String == "\u{1b}[2Jx")
    #expect(!finished.output.contains("\u{1b}"))
    #expect((objects[1]["failures"] as? [Any])?.isEmpty == true)
  }

  @Test func peopleGetATable() async throws {
    let scratch = try TestDirectory()
    let table = try await Binary.run(
      "filter", "test", "sshd", try scratch.write("auth.log", Self.log), "--now", "2026-11-22T00:00:00Z")
    #expect(table.output.contains("   3  2026-11-21 05:24:03 UTC  2001:db8::7  \\x1b[2Jx      5  failed-password\n"))
    #expect(table.output.hasSuffix("4 lines: 3 with failures of 2 ids, 1 with activities, 0 ignored, 0 without\n"))
    #expect(table.output.contains("   2  2026-11-21 05:24:02 UTC  192.0.2.7    root      login  accepted\n"))
  }

  @Test func linesWithoutTimeStampsHappenNow() async throws {
    let scratch = try TestDirectory()
    let file = try scratch.write("m", "web sshd[812]: Failed password for root from 192.0.2.7 port 4711 ssh2\n")
    for filter in ["sshd", "sshd.conf"] {
      let objects = try await Binary.run(
        "filter", "test", filter, file, "--json", "--no-timestamps", "--now", "2026-11-21T06:00:00Z"
      ).objects
      let failure = try #require((objects.first?["failures"] as? [[String: Any]])?.first)
      #expect(failure["id"] as? String == "192.0.2.7")
      #expect(failure["time"] as? Double == 1_795_240_800)
    }
  }

  /// What `journalctl -o cat` and `-o json` print; in the message of one entry stands a line end and a line of its own.
  @Test func theJournalsEntries() async throws {
    let scratch = try TestDirectory()
    let bare = try scratch.write("cat", "Failed password for root from 192.0.2.7 port 4711 ssh2\nServer listening\n")
    let objects = try await Binary.run("filter", "test", "sshd", bare, "--json", "--no-timestamps").objects
    #expect(objects.map { $0["result"] as? String } == ["failure", "none"])
    let text = "Failed password for root from 192.0.2.7 port 4711 ssh2"
    let head = #"{"__REALTIME_TIMESTAMP":"1795235041000000","_HOSTNAME":"web","_PID":"812","SYSLOG_IDENTIFIER":"sshd","#
    let json = try scratch.write(
      "json",
      """
      \(head)"MESSAGE":"\(text)"}
      \(head)"MESSAGE":\(Array(text.utf8))}
      \(head)"MESSAGE":"x\\nweb sshd[1]: \(text.replacing("192.0.2.7", with: "192.0.2.8"))"}
      {"MESSAGE":1}
      """)
    for options in [[], ["--no-timestamps"]] {
      let objects = try await Binary.run(["filter", "test", "sshd", json, "--json"] + options).objects
      #expect(objects.map { $0["result"] as? String } == ["failure", "failure", "none", "none"])
      let failure = try #require((objects[0]["failures"] as? [[String: Any]])?.first)
      #expect((failure["time"] as? Double == 1_795_235_041) == options.isEmpty)
    }
    let detected = try await Binary.run("filter", "detect", json, "--json")
    #expect(detected.output == #"{"filter":"sshd","failures":2,"counted":2,"ids":["192.0.2.7"]}"# + "\n")
  }

  @Test func fail2bansOwnFiltersTakeOptions() async throws {
    let scratch = try TestDirectory()
    let file = try scratch.write(
      "auth.log",
      "2026-11-21T05:24:01Z web sshd[812]: Unable to negotiate with 192.0.2.7 port 4711: no matching cipher found. Their offer: aes256-cbc [preauth]\n"
    )
    func results(_ options: String...) async throws -> [String?] {
      try await Binary.run(["filter", "test", "/etc/fail2ban/filter.d/sshd.conf", file, "--json"] + options).objects.map
      {
        $0["result"] as? String
      }
    }
    #expect(try await results("--option", "mode=normal") == ["none"])
    #expect(try await results("--option", "mode=aggressive") == ["failure"])
  }

  @Test func aLogThatCannotBeReadExits2() async throws {
    let scratch = try TestDirectory()
    for missing in ["\(scratch.path)/missing.log", scratch.path] {
      for command in [["replay"], ["filter", "test", "sshd"], ["filter", "detect"]] {
        let finished = try await Binary.run(command + [missing])
        #expect(finished.status == 2, "\(command) \(missing)")
        #expect(finished.error.contains("\(missing) cannot be read: "), "\(finished.error)")
      }
    }
  }

  /// A journal is a directory, which `replay` takes and no other directory.
  @Test func aJournalsDirectoryIsReplayed() async throws {
    let scratch = try TestDirectory()
    let entries = (0..<5).map { number in
      """
      __REALTIME_TIMESTAMP=\(1_795_000_000_000_000 + number * 1_000_000)
      __MONOTONIC_TIMESTAMP=\(1 + number)
      _BOOT_ID=5f1c5d9b5b3c4d0c8d3b1f1f2e3d4c5b
      _HOSTNAME=web
      _PID=812
      _UID=0
      _COMM=sshd
      _SYSTEMD_UNIT=ssh.service
      SYSLOG_IDENTIFIER=sshd
      MESSAGE=Failed password for root from 192.0.2.7 port \(4000 + number) ssh2

      """
    }
    let export = try scratch.write("export", entries.joined(separator: "\n") + "\n")
    let journal = "\(scratch.path)/journal"
    try FileManager.default.createDirectory(atPath: journal, withIntermediateDirectories: true)
    let remote = Process()
    remote.executableURL = URL(filePath: "/lib/systemd/systemd-journal-remote")
    remote.arguments = ["-o", journal + "/past.journal", "--split-mode=none", export]
    remote.standardError = FileHandle.nullDevice
    try remote.run()
    remote.waitUntilExit()
    try #require(remote.terminationStatus == 0)
    let replayed = try await Binary.run("replay", "--json", journal)
    #expect(replayed.status == 0, "\(replayed.error)")
    let bans = try replayed.objects.filter { $0["action"] as? String == "ban" }
    #expect(bans.map { $0["id"] as? String } == ["192.0.2.7"])
  }

  /// Bytes that are no text, lines without an end, lines without end.
  @Test func linesOfAnyKind() async throws {
    let scratch = try TestDirectory()
    var data = Data([0xFF, 0xFE, 0, 10, 13, 10])
    data += Data(repeating: UInt8(ascii: "x"), count: 10 << 20)
    data += Data("\nNov 21 05:24:01 web sshd[812]: Failed password for \u{0} from 192.0.2.7 port 1 ssh2".utf8)
    let objects = try await Binary.run("filter", "test", "sshd", try scratch.write("odd", data), "--json").objects
    #expect(objects.map { $0["result"] as? String } == ["none", "none", "none", "failure"])
    let empty = try await Binary.run("filter", "test", "sshd", "/dev/null", "--json")
    #expect(empty.status == 0)
    #expect(empty.output.isEmpty)
  }

  @Test func everyNativeFiltersSamplesBehave() async throws {
    let filters = try await Binary.run("filter", "list", "--json").objects.compactMap { $0["filter"] as? String }
    #expect(filters.contains("sshd"))
    for filter in filters {
      let finished = try await Binary.run("filter", "test", filter)
      #expect(finished.status == 0, "\(finished.output)")
    }
  }

  @Test func aSampleThatDoesNotBehaveExits1() async throws {
    let scratch = try TestDirectory()
    let filter = try scratch.write(
      "web.yaml",
      """
      service: web
      summary: A test
      patterns:
        - {name: login, match: '^bad login of <user> from <host>$'}
        - {name: unproven, match: '^worse login from <host>$'}
      samples:
        - line: bad login of root from 192.0.2.7
          expect: {pattern: login, host: 192.0.2.7, user: admin}
        - line: bad login of root from 192.0.2.8
          expect: none
        - line: good login of root from 192.0.2.9
          expect: {pattern: login, host: 192.0.2.9}
      """)
    let finished = try await Binary.run("filter", "test", filter)
    #expect(finished.status == 1)
    #expect(finished.output.contains("\(filter):7:"))
    #expect(finished.output.contains("expected user `admin`, got `root`"))
    #expect(finished.output.contains("expected none, got pattern login, host 192.0.2.8, user `root`"))
    #expect(finished.output.contains("expected pattern login, got none"))
    #expect(finished.output.contains("pattern `unproven` has no sample"))
    #expect(finished.output.hasSuffix("web: 0 of 3 samples behave\n"))
    let json = try await Binary.run("filter", "test", filter, "--json")
    #expect(json.status == 1)
    #expect(try json.objects.map { $0["ok"] as? Bool } == [false, false, false])
  }

  @Test func aFilterThatCannotBeUsedExits2() async throws {
    let scratch = try TestDirectory()
    let filter = try scratch.write(
      "web.yaml",
      """
      service: web
      summary: A test
      patterns:
        - {name: login, match: '^bad (login from <host>'}
      samples:
        - {line: x, expect: none}
      """)
    let finished = try await Binary.run("filter", "test", filter)
    #expect(finished.status == 2)
    #expect(finished.error.contains("web.yaml:4:"))
  }

  /// nginx writes a line end in a path as it is, so that a client can write whole lines of its own into the error log. Such
  /// a line is told by the lines around it, which the test of a filter must see as the engine does.
  @Test func aForgedLineIsIgnored() async throws {
    let scratch = try TestDirectory()
    let file = try scratch.write(
      "error.log",
      """
      2026/11/21 07:13:07 [error] 5191#5191: *432 open() "/srv/www/x
      2026/11/21 07:00:00 [error] 1#1: *1 limiting requests, excess: 9.9 by zone "one", client: 192.0.2.99, server: s, \
      request: "GET / HTTP/1.1", host: "x"
      " failed (2: No such file or directory), client: 192.0.2.7, server: www.example.test, request: "GET \
      /x%0a2026/11/21%2007:00:00%20[error]%0a HTTP/1.1", host: "www.example.test"

      """)
    let tested = try await Binary.run("filter", "test", "nginx-error", file, "--json")
    #expect(!tested.output.contains(#""id":"192.0.2.99""#), "\(tested.output)")
    #expect(try tested.objects.dropFirst().first?["result"] as? String == "ignored")
    let detected = try await Binary.run("filter", "detect", file, "--json")
    #expect(!detected.output.contains("192.0.2.99"))
  }

  @Test func detectNamesTheFiltersThatFit() async throws {
    let scratch = try TestDirectory()
    let file = try scratch.write("auth.log", Self.log)
    let objects = try await Binary.run("filter", "detect", file, "--json").objects
    let sshd = try #require(objects.first { $0["filter"] as? String == "sshd" })
    #expect(sshd["failures"] as? Int == 3)
    #expect(sshd["ids"] as? [String] == ["192.0.2.7", "2001:db8::7"])
    let table = try await Binary.run("filter", "detect", file)
    #expect(table.output.contains("192.0.2.7, 2001:db8::7"))
    let none = try await Binary.run("filter", "detect", "/dev/null", "--json")
    #expect(none.status == 0)
    #expect(none.output.isEmpty)
  }

  /// What its author found out, where its lines are, and a line for each pattern.
  @Test func aFilterExplainsItself() async throws {
    let told = try await Binary.run("filter", "explain", "postgresql")
    #expect(told.status == 0)
    #expect(told.output.hasPrefix("postgresql: "))
    for part in ["Where its lines are", "What it finds", "What it leaves alone", "log_line_prefix"] {
      #expect(told.output.contains(part), "\(part)")
    }
    let object = try #require(try await Binary.run("filter", "explain", "postgresql", "--json").objects.first)
    let patterns = try #require(object["patterns"] as? [[String: Any]])
    #expect(!patterns.isEmpty && patterns.allSatisfy { $0["example"] as? String != "" })
    #expect(try await Binary.run("filter", "explain", "nonsense").status == 2)
  }

  /// A filter from a log behaves on its own lines, and finds them.
  @Test func aFilterIsMadeFromALog() async throws {
    let scratch = try TestDirectory()
    let log = try scratch.write(
      "app.log",
      """
      Nov 28 08:20:11 web appd[812]: Failed login for alice from 192.0.2.7 port 4711
      Nov 28 08:20:12 web appd[812]: Failed login for bob from 2001:db8::7 port 4712
      Nov 28 08:20:13 web appd[812]: Session of alice from 192.0.2.3 opened
      Nov 28 08:20:14 web appd[812]: ready

      """)
    let shapes = try await Binary.run("filter", "new", log)
    #expect(shapes.output.contains("appd: Failed login for USER from ADDRESS port N"))
    #expect(!shapes.output.contains("ready"), "nobody is on that line")
    let file = scratch("app.yaml")
    let made = try await Binary.run("filter", "new", log, "--failures", "1", "--write", file)
    #expect(made.status == 0, "\(made.error)")
    #expect(try await Binary.run("filter", "test", file).output == "app: 2 of 2 samples behave\n")
    let found = try await Binary.run("filter", "test", file, log, "--now", "2026-11-28T09:00:00Z")
    #expect(found.output.hasSuffix("4 lines: 2 with failures of 2 ids, 0 ignored, 2 without\n"))
    #expect(try await Binary.run("filter", "new", log, "--failures", "1", "--write", file).status == 2, "it is there")
    #expect(try await Binary.run("filter", "new", log, "--failures", "7").status == 2, "no such group")
  }

  /// What to write into the settings for what was found.
  @Test func whatIsDetectedCanBeWatched() async throws {
    let scratch = try TestDirectory()
    let found = try await Binary.run("filter", "detect", try scratch.write("auth.log", Self.log))
    #expect(found.output.contains("\njails:\n  sshd: {filter: sshd, logpath: [\(scratch("auth.log"))]}\n"))
  }
}
