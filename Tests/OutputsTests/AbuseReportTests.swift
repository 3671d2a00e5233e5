import AuditLog
import Foundation
import Model
import Settings
import TestSupport
import Testing

@testable import Outputs

/// Reports of abuse: what is in them, and what is not reported.
struct AbuseReportTests {
  private static func settings(_ service: AbuseSettings.Service, _ receiver: Receiver, _ directory: TestDirectory)
    throws
    -> AbuseSettings
  {
    let key = try directory.write("key", "s3cret\n")
    try TestDirectory.chmod(key, 0o600)
    var settings = AbuseSettings(service: service, key: .file(key))
    settings.url = "http://127.0.0.1:\(receiver.port)/api"
    return settings
  }

  private static func row(_ id: String, cause: String = "limit", action: String = "ban") -> AuditRow {
    var row = AuditRow(kind: .ban, number: 7, time: Instant(rfc3339: "2026-11-28T05:24:01Z")!, action: action)
    (row.id, row.jail, row.count, row.cause) = (id, "sshd", 5, cause)
    (row.user, row.line) = ("alice", "Failed password for alice")
    return row
  }

  private static func message(_ row: AuditRow, _ settings: AbuseSettings, isTest: Bool = false) -> Message {
    var message = Message([Event(row)], of: OutputSettings(name: "r", destination: .abuse(settings)), host: "web")
    message.isTest = isTest
    return message
  }

  private static func fields(_ request: [String: Any]) -> [String: String] {
    let pairs = (request["body"] as? String ?? "").split(separator: "&").map { $0.split(separator: "=", maxSplits: 1) }
    return Dictionary(
      pairs.map { (String($0[0]), ($0.count > 1 ? String($0[1]) : "").removingPercentEncoding ?? "") },
      uniquingKeysWith: { $1 })
  }

  @Test func abuseIPDBIsTold() throws {
    let receiver = try Receiver("http_receiver.py")
    let directory = try TestDirectory("abuse")
    var settings = try Self.settings(.abuseipdb, receiver, directory)
    settings.categories = [18, 22]
    let report = AbuseReport(settings, version: "1")
    #expect(try report.deliver(Self.message(Self.row("5.6.7.8"), settings)).hasPrefix("200"))
    let request = try #require(receiver.seen.first)
    #expect(request["path"] as? String == "/api/report" && request["method"] as? String == "POST")
    #expect((request["headers"] as? [String: String])?["key"] == "s3cret")
    #expect(
      Self.fields(request) == [
        "ip": "5.6.7.8", "categories": "18,22", "comment": "5 failures in jail sshd, by Bailiff",
        "timestamp": "2026-11-28T05:24:01Z",
      ])
    // A trial reports nothing.
    _ = try report.deliver(Self.message(Self.row("192.0.2.1"), settings, isTest: true))
    #expect(receiver.seen.last?["method"] as? String == "GET" && receiver.seen.count == 2)
    try receiver.answer("401", "429 30")
    #expect(throws: DeliveryError.self) { try report.deliver(Self.message(Self.row("5.6.7.8"), settings)) }
    #expect {
      try report.deliver(Self.message(Self.row("5.6.7.8"), settings))
    } throws: {
      guard case .unreachable(_, 30)? = $0 as? DeliveryError else { return false }
      return true
    }
  }

  @Test func blocklistDeIsTold() throws {
    let receiver = try Receiver("http_receiver.py")
    let directory = try TestDirectory("abuse")
    var settings = try Self.settings(.blocklistDe, receiver, directory)
    settings.sender = "server@example.org"
    let report = AbuseReport(settings, version: "1")
    _ = try report.deliver(Self.message(Self.row("2a00:1450::1"), settings))
    let fields = Self.fields(try #require(receiver.seen.first))
    #expect(fields["server"] == "server@example.org" && fields["apikey"] == "s3cret" && fields["service"] == "sshd")
    #expect(fields["ip"] == "2a00:1450::1" && fields["format"] == "text")
    // No user, and no line that may hold one.
    #expect(fields.values.allSatisfy { !$0.contains("alice") && !$0.contains("password") })
    #expect(throws: DeliveryError.self) {
      try report.deliver(Self.message(Self.row("192.0.2.1"), settings, isTest: true))
    }
    #expect(receiver.seen.count == 1)
  }

  @Test(arguments: [
    ("5.6.7.8", "limit", "ban", true), ("2a00:1450::1", "limit", "ban", true), ("5.6.7.8", "operator", "ban", false),
    ("5.6.7.8", "reconciled", "ban", false), ("5.6.7.8", "limit", "extend", false),
    ("5.6.7.0/24", "limit", "ban", false),
    ("2a00:1450::/64", "limit", "ban", false), ("192.168.1.2", "limit", "ban", false),
    ("10.1.2.3", "limit", "ban", false),
    ("192.0.2.7", "limit", "ban", false), ("2001:db8::1", "limit", "ban", false), ("fe80::1", "limit", "ban", false),
    ("alice", "limit", "ban", false),
  ]) func whatIsReported(_ id: String, _ cause: String, _ action: String, _ expected: Bool) {
    let report = AbuseReport(AbuseSettings(service: .abuseipdb, key: .text("x")), version: "1")
    #expect(report.wants(Event(Self.row(id, cause: cause, action: action))) == expected)
  }
}
