import Model
import Testing

@testable import Matching

/// Lines of one session, as sshd writes them: `<F-MLFID>` and its companions.
struct Fail2banSessionTests {
  typealias Finding = Fail2banBench.Finding

  /// A small sshd: one line names the user, another the address.
  func bench() throws -> Fail2banBench {
    try Fail2banBench(
      prefregex: "^<F-MLFID>\\s*\\S+ sshd\\[\\d+\\]: </F-MLFID><F-CONTENT>.+</F-CONTENT>$",
      "^Failed for <F-USER>\\S+</F-USER> from <HOST>$",
      "^<F-NOFAIL>Connection from</F-NOFAIL> <HOST>$",
      "^Too many failures for <F-USER>\\S+</F-USER>$",
      "^<F-NOFAIL><F-MLFFORGET>Closed</F-MLFFORGET></F-NOFAIL>(?: by <HOST>)?$",
      "^<F-MLFFORGET><F-MLFGAINED>Accepted</F-MLFGAINED></F-MLFFORGET> for <F-USER>\\S+</F-USER> from <HOST>$")
  }

  func line(_ text: String, pid: Int = 1, at time: String = "12:00:00") -> String {
    "2024-03-05 \(time) web sshd[\(pid)]: \(text)"
  }

  @Test func aPendingFailureGetsItsAddressLater() throws {
    let bench = try bench()
    #expect(bench.outcome(line("Too many failures for root")) == .pending)
    #expect(
      bench.findings(line("Closed by 192.0.2.7")) == [Finding(id: "192.0.2.7", user: "root", attempts: 2)])
    #expect(bench.findings(line("Closed by 192.0.2.7")) == [])
  }

  @Test func anAddressKnownBeforeServesALaterFailure() throws {
    let bench = try bench()
    #expect(bench.outcome(line("Connection from 192.0.2.7")) == .noted)
    #expect(
      bench.findings(line("Too many failures for root")) == [Finding(id: "192.0.2.7", user: "root", attempts: 2)])
  }

  @Test func sessionsDoNotMix() throws {
    let bench = try bench()
    #expect(bench.outcome(line("Too many failures for root", pid: 1)) == .pending)
    #expect(bench.findings(line("Closed by 192.0.2.9", pid: 2)) == [])
  }

  @Test func successForgetsWhatWasPending() throws {
    let bench = try bench()
    #expect(bench.outcome(line("Too many failures for root")) == .pending)
    #expect(bench.outcome(line("Accepted for root from 192.0.2.7")) == .noted)
    #expect(bench.findings(line("Closed by 192.0.2.7")) == [])
  }

  @Test func successAsAnotherUserDoesNotMakeUpForFailures() throws {
    let bench = try bench()
    #expect(bench.findings(line("Failed for root from 192.0.2.7")).count == 1)
    var users: [String] = []
    bench.failure(Array(line("Accepted for alice from 192.0.2.7").utf8)) {
      users = $0.users.map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(users == ["root", "alice"])
  }

  /// A process id that is in use again, by another address: fail2ban adds the old session's users to the new one and calls
  /// the new one's successful login a failure.
  @Test func aReusedProcessIdIsANewSession() throws {
    let bench = try bench()
    #expect(bench.findings(line("Failed for root from 192.0.2.7")).count == 1)
    #expect(bench.findings(line("Accepted for alice from 192.0.2.200", at: "12:01:00")) == [])
  }

  /// The other family's address is another one too: fail2ban would ban the first.
  @Test func aProcessIdReusedByTheOtherFamilyIsANewSession() throws {
    for (first, second) in [("192.0.2.7", "2001:db8::7"), ("2001:db8::7", "192.0.2.7")] {
      let bench = try bench()
      #expect(bench.findings(line("Failed for root from \(first)")).map(\.id) == [first])
      #expect(bench.findings(line("Failed for alice from \(second)", at: "12:01:00")).map(\.id) == [second])
      #expect(bench.findings(line("Accepted for alice from \(first)", at: "12:02:00")) == [])
    }
  }

  @Test func aSessionEndsWhenNothingWasHeardOfItForLong() throws {
    let bench = try bench()
    #expect(bench.outcome(line("Too many failures for root")) == .pending)
    #expect(bench.findings(line("Closed by 192.0.2.7", at: "12:10:01")) == [])
    #expect(bench.outcome(line("Too many failures for root", pid: 2)) == .pending)
    #expect(bench.findings(line("Closed by 192.0.2.7", pid: 2, at: "12:09:59")).count == 1)
  }

  /// fail2ban keeps a hundred sessions; a flood of connections makes it forget who fails.
  @Test func aFloodOfSessionsLosesNothing() throws {
    let bench = try bench()
    for pid in 1...5000 { #expect(bench.outcome(line("Too many failures for root", pid: pid)) == .pending) }
    var found = 0
    for pid in 1...5000 { found += bench.findings(line("Closed by 192.0.2.7", pid: pid)).count }
    #expect(found == 5000)
    #expect(bench.matcher.counts.evictedSessions == 0)
  }

  @Test func sessionsAreBoundedAndEvictionsCounted() throws {
    let bench = try bench()
    let limit = Fail2banSessions.limit
    for pid in 1...limit + 10 { _ = bench.outcome(line("Too many failures for root", pid: pid)) }
    #expect(bench.matcher.counts.evictedSessions == 10)
    #expect(bench.findings(line("Closed by 192.0.2.7", pid: 10)) == [])
    #expect(bench.findings(line("Closed by 192.0.2.7", pid: 11)).count == 1)
  }

  /// Sessions that come and go leave nothing behind.
  @Test func endedSessionsTakeNoRoom() throws {
    var sessions = Fail2banSessions()
    var fields = CapturedFields(count: 1)
    let now = Instant(microseconds: 0)
    for number in 0..<10 * Fail2banSessions.limit {
      fields.removeAll()
      fields.set(0, Array("\(number)".utf8).span)
      sessions.put(sessions.begin(fields, 0, at: now))
      #expect(sessions.take(fields, 0, at: now) != nil)
    }
    #expect(sessions.count == 0)
    #expect(sessions.evicted == 0)
    #expect(sessions.places <= 4 * Fail2banSessions.limit)
  }

  @Test func whatIsKeptDoesNotGrowWithTheLines() throws {
    let bench = try bench()
    let user = String(repeating: "x", count: 20_000)
    for _ in 0..<200 { _ = bench.outcome(line("Too many failures for \(user)")) }
    var attempts = 0
    var longest = 0
    bench.failure(Array(line("Closed by 192.0.2.7").utf8)) {
      attempts = $0.attempts
      longest = $0.lines.map(\.count).max() ?? 0
      #expect($0.lines.count == MatchedLines.most)
    }
    #expect(attempts == 201)
    #expect(longest == MatchedLines.longest)
  }

  @Test func noFailureWithoutASession() throws {
    let bench = try Fail2banBench("^\\s*<F-NOFAIL>Connection from</F-NOFAIL> <HOST>$")
    #expect(bench.outcome("Connection from 192.0.2.7") == .noted)
  }
}
