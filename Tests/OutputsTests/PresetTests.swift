import AuditLog
import Foundation
import Model
import Settings
import TestSupport
import Testing

@testable import Outputs

/// The requests as each service wants them, and what is written into them by attackers.
struct PresetTests {
  static func output(
    _ preset: WebhookSettings.Preset, _ receiver: Receiver, _ change: (inout WebhookSettings) -> Void = { _ in }
  ) -> OutputSettings {
    webhook(receiver) {
      $0.preset = preset
      $0.token = .text("s3cret")
      change(&$0)
    }
  }

  private struct Request {
    var method: String
    var path: String
    var headers: [String: String]
    var body: [String: Any]
    var text: String
  }

  /// What the receiver got of a test message.
  private static func request(_ output: OutputSettings, _ receiver: Receiver) throws -> Request {
    _ = try Outputs(version: "1.2.3") { _ in }.test(output)
    let seen = try #require(receiver.seen.last)
    let text = seen["body"] as? String ?? ""
    return Request(
      method: seen["method"] as! String, path: seen["path"] as! String, headers: seen["headers"] as! [String: String],
      body: (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:], text: text)
  }

  @Test func eachServiceGetsItsOwnForm() throws {
    let receiver = try Receiver("http_receiver.py")
    let plain = try Self.request(Self.output(.json, receiver), receiver)
    #expect(plain.method == "POST" && plain.path == "/hook" && plain.headers["user-agent"] == "bailiff/1.2.3")
    #expect(plain.headers["content-type"] == "application/json" && plain.headers["idempotency-key"] == "test")
    #expect(plain.body["count"] as? Int == 1 && plain.body["severity"] as? String == "notice")
    let event = try #require((plain.body["events"] as? [[String: Any]])?.first)
    #expect(
      event["id"] as? String == "192.0.2.1" && event["kind"] as? String == "ban" && event["jail"] as? String == "test")

    let slack = try Self.request(Self.output(.slack, receiver), receiver)
    #expect((slack.body["text"] as? String)?.contains("a test of output ops") == true)
    let discord = try Self.request(Self.output(.discord, receiver), receiver)
    #expect((discord.body["content"] as? String)?.contains("a test of output ops") == true)
    // A message that pings nobody, whatever an attacker's user name says.
    #expect((discord.body["allowed_mentions"] as? [String: Any])?["parse"] as? [String] == [])

    let telegram = try Self.request(Self.output(.telegram, receiver) { $0.recipient = "-100123" }, receiver)
    #expect(telegram.path == "/hook/bots3cret/sendMessage" && telegram.body["chat_id"] as? String == "-100123")
    #expect((telegram.body["text"] as? String)?.contains("a test") == true && telegram.body["parse_mode"] == nil)

    let ntfy = try Self.request(Self.output(.ntfy, receiver), receiver)
    #expect(ntfy.headers["authorization"] == "Bearer s3cret" && ntfy.headers["priority"] == "3")
    #expect(ntfy.headers["title"]?.contains("a test of output ops") == true && ntfy.text.contains("192.0.2.1"))

    let gotify = try Self.request(Self.output(.gotify, receiver), receiver)
    #expect(gotify.path == "/hook/message" && gotify.headers["x-gotify-key"] == "s3cret")
    #expect(gotify.body["priority"] as? Int == 5 && gotify.body["message"] as? String != nil)

    let matrix = try Self.request(Self.output(.matrix, receiver) { $0.recipient = "!room:example.org" }, receiver)
    #expect(matrix.method == "PUT" && matrix.headers["authorization"] == "Bearer s3cret")
    #expect(matrix.path == "/hook/_matrix/client/v3/rooms/%21room%3Aexample.org/send/m.room.message/bailiff-ops-test")
    #expect(matrix.body["msgtype"] as? String == "m.text" && matrix.body["m.mentions"] != nil)

    let pager = try Self.request(Self.output(.pagerduty, receiver), receiver)
    #expect(pager.body["routing_key"] as? String == "s3cret" && pager.body["event_action"] as? String == "trigger")
    #expect((pager.body["payload"] as? [String: Any])?["severity"] as? String == "info")
  }

  /// Names of a template are filled in as JSON wants it; what an attacker wrote ends no string.
  @Test func aTemplateIsSafeInJSON() throws {
    var row = AuditRow(kind: .failure, number: 1, time: Instant(seconds: 1_795_840_000), action: "failure")
    (row.id, row.jail, row.user) = ("192.0.2.7", "sshd", "x\",\"admin\":true,\"\u{1b}[2J\u{202e}\n")
    let settings = OutputSettings(name: "ops", destination: .file(.init(path: "/dev/null")))
    let message = Message([Event(row)], of: settings, host: "web")
    let body = message.render(try MessageTemplate(#"{"user": "{user}", "who": "{id}", "n": {count}}"#), escaping: .json)
    let object = try #require(JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
    #expect(object.count == 3 && object["who"] as? String == "192.0.2.7" && object["n"] as? Int == 1)
    let user = try #require(object["user"] as? String)
    #expect(
      user.hasPrefix("x\",\"admin\"") && !user.contains("\u{1b}") && !user.contains("\n") && !user.contains("\u{202e}"))
  }

  /// Slack's markup and mentions cannot be written by who fails to log in.
  @Test func slackMarkupIsText() throws {
    var row = AuditRow(kind: .failure, number: 1, time: Instant(seconds: 1_795_840_000), action: "failure")
    (row.id, row.jail, row.user, row.line) = ("192.0.2.7", "sshd", "<!channel>", "<https://evil.example|click> & <@U1>")
    let receiver = try Receiver("http_receiver.py")
    let output = Self.output(.slack, receiver)
    guard case .webhook(let settings) = output.destination else { return }
    _ = try Webhook(settings, version: "1").deliver(Message([Event(row)], of: output, host: "web"))
    let text = try #require(receiver.bodies.last?["text"] as? String)
    #expect(!text.contains("<") && text.contains("&lt;!channel&gt;") && text.contains("&amp;"))
  }

  @Test func whatCameBackIsSaidAndTheSecretIsNot() throws {
    let receiver = try Receiver("http_receiver.py")
    let output = Self.output(.telegram, receiver) { $0.recipient = "1" }
    let outputs = Outputs(version: "1") { _ in }
    #expect(try outputs.test(output) == #"200 {"said": "ok"}"#)
    try receiver.answer("401", "redirect http://127.0.0.1:1/")
    for expected in ["401", "302"] {
      let failure = #expect(throws: OutputTestFailure.self) { try outputs.test(output) }
      #expect(failure?.description.contains(expected) == true && failure?.description.contains("s3cret") == false)
    }
    receiver.stop()
    let failure = #expect(throws: OutputTestFailure.self) { try outputs.test(output) }
    #expect(failure?.description.contains("127.0.0.1") == true && failure?.description.contains("s3cret") == false)
  }
}
