import AuditLog
import Foundation
import Model
import Settings
import TestSupport
import Testing

@testable import Outputs

/// Programs and files, as their readers find them.
struct ProgramTests {
  private static func rows() -> [AuditRow] {
    ["192.0.2.7", "2001:db8::/64"].map { id in
      var row = AuditRow(kind: .ban, number: 1, time: Instant(seconds: 1_795_840_000), action: "ban")
      (row.id, row.jail, row.count, row.banNumber, row.cause) = (id, "sshd", 3, 1, "limit")
      return row
    }
  }

  private static func message(_ rows: [AuditRow]) -> Message {
    Message(
      rows.map(Event.init), of: OutputSettings(name: "tell", destination: .program(.init(command: ["/bin/true"]))),
      host: "web")
  }

  private static func run(_ script: String, timeout: TimeSpan = .seconds(30), _ rows: [AuditRow] = rows()) throws
    -> Result<String, DeliveryError>
  {
    var settings = ProgramSettings(command: ["/bin/sh", "-c", script])
    settings.timeout = timeout
    do { return .success(try ProgramOutput(settings: settings).deliver(message(rows))) } catch {
      return .failure(error)
    }
  }

  @Test func aProgramGetsFactsAndLines() throws {
    let directory = try TestDirectory("program")
    let result = try Self.run("env > \(directory("env")); cat > \(directory("in")); echo told")
    #expect(result == .success("sh ended with 0: told"))
    let facts = try String(contentsOfFile: directory("env"), encoding: .utf8).split(separator: "\n")
    for fact in [
      "BAILIFF_ID=192.0.2.7", "BAILIFF_JAIL=sshd", "BAILIFF_COUNT=2", "BAILIFF_ACTION=ban", "BAILIFF_OUTPUT=tell",
    ] {
      #expect(facts.contains(Substring(fact)))
    }
    let lines = try String(contentsOfFile: directory("in"), encoding: .utf8).split(separator: "\n")
    let ids = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }.map {
      $0?["id"] as? String
    }
    #expect(ids == ["192.0.2.7", "2001:db8::/64"])
  }

  /// Neither a shell nor a terminal meets what attackers write.
  @Test func whatAttackersWriteStaysData() throws {
    let directory = try TestDirectory("program")
    var rows = Self.rows()
    rows[0].user = "$(touch \(directory("owned")))`touch \(directory("owned"))`;touch \(directory("owned"))\n\u{1b}[2J"
    let settings = ProgramSettings(command: ["/usr/bin/env"])
    let said = try ProgramOutput(settings: settings).deliver(Self.message(rows))
    #expect(!said.contains("\u{1b}"))
    #expect(!FileManager.default.fileExists(atPath: directory("owned")))
    let facts = ProgramOutput.environment(Self.message(rows)).first { $0.hasPrefix("BAILIFF_USER=") }
    #expect(facts?.contains("\n") == false && facts?.contains("\u{1b}") == false)
  }

  @Test func statusesAreToldApart() throws {
    #expect(try Self.run("echo no >&2; exit 3") == .failure(.rejected("sh ended with 3: no")))
    #expect(try Self.run("exit 75") == .failure(.unreachable("sh ended with 75")))
    let late = try Self.run("sleep 30", timeout: .seconds(1))
    guard case .failure(.unreachable) = late else {
      Issue.record("a program that hangs is killed, and tried again: \(late)")
      return
    }
    #expect(throws: DeliveryError.self) {
      try ProgramOutput(settings: .init(command: ["/no/such/program"])).deliver(Self.message(Self.rows()))
    }
  }

  /// fail2ban's own recidive jail reads our lines; a block is no <HOST> to it.
  @Test func fail2banReadsItsOwnFormat() throws {
    let directory = try TestDirectory("file")
    var settings = FileOutputSettings(path: directory("fail2ban.log"))
    settings.format = .fail2ban
    var rows = Self.rows()
    var failure = rows[0]
    failure = AuditRow(kind: .failure, number: 2, time: failure.time, action: "failure")
    (failure.id, failure.jail) = ("192.0.2.7", "sshd")
    rows.append(failure)
    _ = try FileOutput(settings: settings).deliver(Self.message(rows))
    let result = try Shell.runBlocking(
      "fail2ban-regex \(directory("fail2ban.log")) /etc/fail2ban/filter.d/recidive.conf")
    #expect(result.text.contains("Lines: 3 lines, 0 ignored, 1 matched, 2 missed"), "\(result.text)")
  }

  /// What is in the way is not followed or overwritten; half a line is taken back.
  @Test func filesAreTreatedWithCare() throws {
    let directory = try TestDirectory("file")
    let (target, link) = (try directory.write("target", "precious\n"), directory("link"))
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
    #expect(throws: DeliveryError.self) {
      try FileOutput(settings: .init(path: link)).deliver(Self.message(Self.rows()))
    }
    #expect(try String(contentsOfFile: target, encoding: .utf8) == "precious\n")
    #expect(throws: DeliveryError.self) {
      try FileOutput(settings: .init(path: directory("no/such"))).deliver(Self.message(Self.rows()))
    }
    let path = directory("bans.log")
    for _ in 0..<2 { _ = try FileOutput(settings: .init(path: path)).deliver(Self.message(Self.rows())) }
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 4 && lines.allSatisfy { $0.hasPrefix("{\"time\":") })
  }
}
