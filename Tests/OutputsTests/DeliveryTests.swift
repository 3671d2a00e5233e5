import AuditLog
import Foundation
import Model
import Settings
import TestSupport
import Testing

@testable import Outputs

/// At least once, in order, to receivers that fail in every way.
@Suite(.timeLimit(.minutes(3))) struct DeliveryTests {
  @Test func everythingArrivesInOrderWhateverTheReceiverDoes() throws {
    let receiver = try Receiver("http_receiver.py")
    let log = try Log()
    try receiver.answer("500", "200", "cut", "429 1", "403", "200")
    try log.start(webhook(receiver) { $0.body = nil })
    try log.ban(0..<250)
    try pollBlocking("all arrive") { ids(receiver.bodies).contains(address(249)) }
    log.stop()
    let answered = receiver.seen.filter { ["200", "cut"].contains($0["answer"] as? String) }
    // What was cut off has arrived, and comes again: the same key tells that it is the same.
    #expect(answered.count == 4)
    let keys = answered.compactMap { ($0["headers"] as? [String: String])?["idempotency-key"] }
    #expect(Set(keys).count == 3)
    var distinct: [String] = []
    for id in ids(receiver.bodies) where !distinct.contains(id) { distinct.append(id) }
    #expect(distinct == (0..<250).map(address))
    // It is said once that the receiver refuses, and once that it is back.
    #expect(log.notices.values.filter { if case .refused = $0 { true } else { false } }.count <= 3)
    #expect(log.notices.values.last == .recovered("ops"))
    let status = try #require(log.outputs.status.first)
    #expect(status.events == 250 && status.messages == 3 && status.refused == 4 && status.problem == nil)
    #expect(status.dropped == 0)
  }

  /// A receiver that is down delays nobody and costs no memory: what is not told yet is in the log. It goes on after a restart
  /// where it was.
  @Test func aDeadReceiverIsToldAfterwards() throws {
    let receiver = try Receiver("http_receiver.py")
    let (port, directory) = (receiver.port, receiver.directory)
    let settings = webhook(receiver)
    let log = try Log()
    try log.start(settings)
    try log.ban(0..<10)
    // Not only seen: a receiver that ends before it has answered is told again.
    try pollBlocking("the first are taken") { log.outputs.status.first?.events == 10 }
    receiver.stop()
    try log.ban(10..<20)
    try pollBlocking("it is noticed") { log.outputs.status.first?.problem != nil }
    log.stop()
    try log.ban(20..<30)
    let second = try Receiver("http_receiver.py", port: port, directory: directory)
    try log.start(settings)
    try pollBlocking("the rest arrives") { ids(second.bodies).count >= 30 }
    #expect(ids(second.bodies) == (0..<30).map(address))
  }

  @Test func whatIsTooOldIsDroppedCountedAndSaid() throws {
    let receiver = try Receiver("http_receiver.py")
    var settings = webhook(receiver)
    settings.keep = .seconds(1)
    let log = try Log()
    try receiver.answer("always 500")
    let hoursAgo = Instant(seconds: Int64(Date().timeIntervalSince1970) - 7200)
    try log.ban(0..<3, at: hoursAgo)
    try log.start(settings)
    try pollBlocking("dropped") { log.outputs.status.first?.dropped == 3 }
    try receiver.answer("200")
    try log.ban(3..<5)
    try pollBlocking("the new ones arrive") { ids(receiver.bodies).contains(address(4)) }
    let dropped = log.notices.values.compactMap { if case .dropped(_, let what) = $0 { what } else { nil } }
    #expect(dropped == ["3 events dropped, not delivered within 1s: 500 {\"said\": \"ok\"}"])
  }

  /// A message that the receiver does not want does not keep the others from it.
  @Test func whatTheReceiverDoesNotWantIsDropped() throws {
    let receiver = try Receiver("http_receiver.py")
    var settings = webhook(receiver) { $0.body = try? MessageTemplate("{id}") }
    settings.kinds = [.ban]
    let log = try Log()
    try receiver.answer("400", "400", "400", "200")
    try log.ban(0..<2)
    try log.start(settings)
    try pollBlocking("the second arrives") { receiver.seen.last?["body"] as? String == address(1) }
    #expect(receiver.seen.compactMap { $0["body"] as? String } == [address(0), address(0), address(0), address(1)])
    #expect(log.outputs.status.first?.dropped == 1)
  }

  @Test func aDigestIsOneMessage() throws {
    let receiver = try Receiver("http_receiver.py")
    var settings = webhook(receiver) {
      $0.preset = .slack
    }
    settings.digest = .seconds(2)
    let log = try Log()
    try log.start(settings)
    try log.ban(0..<20)
    try log.ban(20..<30)
    try pollBlocking("it comes") { !receiver.seen.isEmpty }
    let text = try #require(receiver.bodies.first?["text"] as? String)
    #expect(text.contains("30 bans") && text.contains("ban 10.0.0.0 until") && text.contains("ban 10.0.0.29 until"))
    // The next event begins the next digest.
    try log.ban(60..<61)
    try pollBlocking("the next comes") { receiver.seen.count == 2 }
    #expect((receiver.bodies.last?["text"] as? String)?.contains("10.0.0.60") == true)
  }

  /// Beyond the limit messages wait, and come as one.
  @Test func aRateLimitHoldsAFloodBack() throws {
    let receiver = try Receiver("http_receiver.py")
    var settings = webhook(receiver) { $0.preset = .discord }
    settings.rate = .init(count: 2, span: .seconds(3))
    let log = try Log()
    try log.start(settings)
    for number in 0..<6 {
      try log.ban(number..<number + 1)
      try pollBlocking("the first two at once") { number >= 2 || receiver.seen.count == number + 1 }
    }
    try pollBlocking("the others") { (receiver.bodies.last?["content"] as? String)?.contains("10.0.0.5") == true }
    #expect(receiver.seen.count == 3)
    let times = receiver.seen.compactMap { $0["time"] as? Double }
    #expect(times[2] - times[0] >= 2.9)
    let last = try #require(receiver.bodies.last?["content"] as? String)
    #expect(last.contains("4 bans") && last.contains("10.0.0.2"))
  }

  @Test func outputsAreToldWhatTheyAskedFor() throws {
    let receiver = try Receiver("http_receiver.py")
    var bans = webhook(receiver)
    bans.jails = ["web"]
    var health = webhook(receiver)
    health.name = "health"
    health.kinds = [.health]
    health.severity = .warning
    let log = try Log()
    try log.start(bans, health)
    try log.event(.start)
    try log.ban(0..<1, jail: "sshd")
    try log.ban(1..<2, jail: "web")
    try log.event(.sourceFailed, "/var/log/auth.log", "permission denied")
    try log.event(.reload, "", "jail web added")
    try log.event(.shed, "", "12 failures")
    try pollBlocking("what was asked for") {
      receiver.bodies.contains { $0["output"] as? String == "ops" }
        && receiver.bodies.flatMap { ($0["events"] as? [[String: Any]])?.compactMap { $0["action"] as? String } ?? [] }
          .contains("shed")
    }
    let told = receiver.bodies.flatMap { body in
      (body["events"] as? [[String: Any]] ?? []).map { "\(body["output"]!) \($0["action"] as? String ?? "")" }
    }
    #expect(Set(told) == ["ops ban", "health source-failed", "health shed"])
    #expect(ids(receiver.bodies) == [address(1)])
  }

  /// What breaks the quiet comes through it; the rest waits without loss.
  @Test func quietHoursHoldBackWhatCanWait() throws {
    let receiver = try Receiver("http_receiver.py")
    var settings = webhook(receiver)
    settings.kinds = [.health]
    let now = CivilTimeOfDay.minute
    settings.quiet = QuietHours(from: (now + 1430) % 1440, to: (now + 30) % 1440, except: .critical)
    let log = try Log()
    try log.start(settings)
    try log.event(.sourceFailed, "a", "b")
    try log.event(.shed, "", "12 failures")
    try pollBlocking("the grave one comes") { !receiver.seen.isEmpty }
    log.stop()
    #expect(
      receiver.bodies.flatMap { ($0["events"] as? [[String: Any]] ?? []).compactMap { $0["action"] as? String } } == [
        "shed"
      ])
    settings.quiet = nil
    try log.start(settings)
    try pollBlocking("the other comes with the day") { receiver.seen.count == 2 }
    #expect("\(receiver.bodies[1])".contains("source-failed"))
  }
}

/// The machine's own.
private enum CivilTimeOfDay {
  static var minute: Int {
    let parts = Calendar.current.dateComponents([.hour, .minute], from: Date())
    return parts.hour! * 60 + parts.minute!
  }
}
