import AuditLog
import Foundation
import LogSources
import Model
import System
import TestSupport
import Testing

@testable import Pipeline

/// A line that was just written is about now, whatever its stamp: a container in another zone once had nobody banned.
@Suite(.timeLimit(.minutes(3))) struct SourceClockTests {
  private func line(_ offset: Int64, _ address: String, port: Int = 1) -> String {
    let stamp = SystemClock.now().adding(.seconds(offset)).rfc3339()
    return "\(stamp) web sshd[812]: Failed password for root from \(address) port \(port) ssh2"
  }

  @Test(arguments: [-7200, 7200, -86_400 * 365] as [Int64])
  func stampsThatAreOffBanNow(offset: Int64) async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 3, bantime: "10m", findtime: "10m")
    // What was there before goes by its stamps.
    try bench.append((0..<4).map { line(-7200, "192.0.2.9", port: $0) })
    let daemon = try bench.daemon()
    daemon.start()
    try await poll("the old failures") { daemon.sources.first?.matched == 4 }
    try await poll("the end of the log") { daemon.sources.first?.status.lag == 0 }
    #expect(daemon.sources[0].clockOffset == nil)
    let before = SystemClock.now()
    try bench.append((0..<3).map { line(offset, "192.0.2.10", port: $0) })
    try await poll("a ban in force") {
      try await daemon.bans(jail: "sshd").contains { $0.identity == Identity("192.0.2.10") }
    }
    let bans = try await daemon.bans(jail: "sshd")
    let ban = try #require(bans.first { $0.identity == Identity("192.0.2.10") })
    let until = try #require(ban.until)
    #expect(until >= before.adding(.minutes(10)), "the ban lasts its whole time")
    #expect(until <= SystemClock.now().adding(.minutes(10)))
    #expect(!bans.contains { $0.identity == Identity("192.0.2.9") }, "old lines ban nobody")
    let measured = try #require(daemon.sources[0].clockOffset)
    #expect(abs(measured.seconds - offset) < 60)
    await stop(daemon)
  }

  /// The same failures spread over hours by stamps that jump about: the window goes by arrival.
  @Test func aWindowGoesByArrival() async throws {
    let bench = try Bench()
    try bench.configure(maxretry: 3, bantime: "10m", findtime: "10m")
    try bench.append([])
    let daemon = try bench.daemon()
    daemon.start()
    try await poll("the end of the log") { daemon.sources.first?.status.state == .reading }
    try await Task.sleep(for: .milliseconds(100))
    for offset in [-7200, 0, 3600] as [Int64] { try bench.append([line(offset, "192.0.2.10")]) }
    try await poll("the ban") { try await daemon.bans(jail: "sshd").count == 1 }
    await stop(daemon)
  }

  @Test func aSingleStampSaysNothing() {
    var clock = SourceClock()
    let now = Instant(microseconds: 1_800_000_000_000_000)
    #expect(clock.time(now.adding(.seconds(-30)), arrived: now) == now.adding(.seconds(-30)))
    #expect(clock.time(now.adding(.hours(2)), arrived: now) == now && clock.offset == nil)
    #expect(clock.time(now.adding(.hours(-2)), arrived: now) == now && clock.offset == .hours(-2))
    #expect(clock.time(now, arrived: now) == now && clock.offset == .hours(-2), "another machine writes the same log")
    let later = now.adding(.minutes(11))
    #expect(clock.time(later, arrived: later) == later && clock.offset == nil)
  }

  /// The machine's own clock.
  @Test func aClockThatIsSetIsSaid() {
    var watch = ClockWatch()
    let start = Instant(seconds: 1_800_000_000)
    func look(_ wall: Int64, _ steady: Int64) {
      watch.look(wall: start.adding(.seconds(wall)), steady: .seconds(steady))
    }
    for second in 0..<3 { look(Int64(second), Int64(second)) }
    // A suspended machine's steady clock goes on.
    look(4000, 4000)
    #expect(watch.problem == nil)
    look(401, 4001)
    #expect(watch.problem?.hasPrefix("this machine's clock was set back by 1h at ") == true, "\(watch.problem ?? "")")
    look(402, 4002)
    #expect(watch.problem != nil)
    look(1200, 4800)
    #expect(watch.problem == nil)
    look(10_000, 4801)
    #expect(watch.problem?.contains("ahead by 2h 26m") == true, "\(watch.problem ?? "")")
  }
}
