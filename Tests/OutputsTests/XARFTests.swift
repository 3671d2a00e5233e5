import AuditLog
import Foundation
import Model
import Settings
import TestSupport
import Testing

@testable import Outputs

/// Reports in X-ARF: whom they go to, by RDAP, and what is in them, by a mail server.
struct XARFTests {
  private static func row(_ id: String) -> AuditRow {
    var row = AuditRow(kind: .ban, number: 7, time: Instant(rfc3339: "2026-11-28T05:24:01Z")!, action: "ban")
    (row.id, row.jail, row.count, row.cause) = (id, "sshd", 5, "limit")
    (row.user, row.line) = ("alice", "Failed password for alice")
    return row
  }

  private static func settings(_ mail: Receiver, _ registry: Receiver) -> AbuseSettings {
    var settings = AbuseSettings(service: .xarf)
    settings.mail = MailSettings(
      to: [], from: "abuse@web.example.org",
      way: .server(.init(host: "127.0.0.1", port: mail.port, security: .none)))
    settings.url = "http://127.0.0.1:\(registry.port)/boot"
    return settings
  }

  private static func send(_ id: String, _ settings: AbuseSettings, isTest: Bool = false) throws -> String {
    var message = Message(
      [Event(row(id))], of: OutputSettings(name: "x", destination: .abuse(settings)), host: "web.example.org")
    message.isTest = isTest
    return try XARFReport(settings, settings.mail!, version: "1").deliver(message)
  }

  @Test func theNetworkIsTold() throws {
    let (mail, registry) = (try Receiver("smtp_receiver.py"), try Receiver("rdap_receiver.py"))
    let settings = Self.settings(mail, registry)
    #expect(try Self.send("5.6.7.8", settings).hasSuffix("for abuse@example.com"))
    #expect(try Self.send("2a00::1", settings).hasSuffix("for abuse@example.net"))
    // Who has no contact gets no mail, and neither does a network of nobody's.
    #expect(try Self.send("9.9.9.9", settings) == "no contact is known for the network of 9.9.9.9")
    #expect(try Self.send("7.7.7.7", settings) == "no contact is known for the network of 7.7.7.7")
    #expect(try Self.send("192.0.2.1", settings, isTest: true).hasSuffix("for abuse@web.example.org"))
    #expect(mail.seen.count == 3)
    let got = try #require(mail.seen.first)
    #expect(
      got["recipients"] as? [String] == ["abuse@example.com"] && got["sender"] as? String == "abuse@web.example.org")
    let text = try #require(got["text"] as? String)
    for line in [
      "X-XARF: PLAIN", "To: abuse@example.com", "Auto-Submitted: auto-generated", "Report-Type: login-attack",
      "Source: 5.6.7.8", "Source-Type: ip-address", "Service: sshd", "Date: Sat, 28 Nov 2026 05:24:01 +0000",
      "Reported-From: abuse@web.example.org",
    ] { #expect(text.contains("\r\n\(line)\r\n"), "\(line)") }
    #expect(!text.contains("alice") && !text.contains("Failed password"))
  }

  /// As a mail program reads it: two parts, the second of which is YAML.
  @Test func programsCanReadIt() async throws {
    let (mail, registry) = (try Receiver("smtp_receiver.py"), try Receiver("rdap_receiver.py"))
    _ = try Self.send("5.6.7.8", Self.settings(mail, registry))
    let directory = try TestDirectory("xarf")
    let file = try directory.write("mail", try #require(mail.seen.first?["text"] as? String))
    let program = """
      import email, email.policy, sys
      m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
      parts = list(m.iter_parts())
      print(m.get_content_type(), len(parts), parts[1].get_filename() or parts[1].get_param('name'), m.defects)
      print(dict(l.split(': ', 1) for l in parts[1].get_content().strip().splitlines()[1:])['Source'])
      """
    let result = try await Shell.run("\(Receiver.python) -c \(Shell.quoted(program)) \(file)")
    #expect(result.text == "multipart/mixed 2 report.txt []\n5.6.7.8\n", "\(result.text)")
  }
}
