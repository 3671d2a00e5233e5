import Model
import System
import TestSupport
import Testing

@testable import Pipeline

/// A service in trouble refuses everybody: that is said, with the number.
@Suite(.timeLimit(.minutes(2))) struct NewcomerTests {
  @Test func manyWithoutAPastAreSaid() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 5)
    try bench.append([])
    let daemon = try bench.daemon()
    daemon.start()
    try bench.append((0..<40).map { Bench.failure("203.0.113.\($0)", user: "root") })
    try await poll("all failures") { daemon.jailReports.first?.failures == 40 }
    #expect(!daemon.activeWarnings.contains { $0.code == .jailManyNew })
    // Those who fail again are no news.
    try bench.append((0..<40).map { Bench.failure("203.0.113.\($0)", user: "root") })
    try await poll("all failures") { daemon.jailReports.first?.failures == 80 }
    #expect(!daemon.activeWarnings.contains { $0.code == .jailManyNew })
    try bench.append((40..<100).map { Bench.failure("203.0.113.\($0)", user: "root") })
    try await poll("the warning") { daemon.activeWarnings.contains { $0.code == .jailManyNew && $0.subject == "sshd" } }
    let warning = try #require(daemon.activeWarnings.first { $0.code == .jailManyNew })
    #expect(warning.text.contains("addresses that had not failed before failed within a minute"), "\(warning)")
    await stop(daemon)
  }

  @Test func whatIsUsualIsNotSaid() {
    var watch = NewcomerWatch()
    var now = Instant(seconds: 1_800_000_000)
    // An hour with forty a minute, then sixty.
    for _ in 0..<120 {
      #expect(watch.add(40, of: "sshd", at: now) == nil)
      now = now.adding(.seconds(61))
    }
    #expect(watch.add(60, of: "sshd", at: now) == nil)
    #expect(watch.add(500, of: "sshd", at: now)?.contains("usually is 3") == true)
    #expect(watch.calmed(at: now.adding(.minutes(5))).isEmpty)
    #expect(watch.calmed(at: now.adding(.minutes(11))) == ["sshd"])
  }
}
