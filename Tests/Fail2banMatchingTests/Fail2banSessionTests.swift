import Model
import Testing

@testable import Fail2banMatching
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
      let place = sessions.begin(fields, 0, at: now)
      #expect(sessions.find(fields, 0, at: now) == place)
      sessions.end(place)
      #expect(sessions.find(fields, 0, at: now) == nil)
    }
    #expect(sessions.count == 0)
    #expect(sessions.all.count == 1)
    #expect(sessions.evicted == 0)
    #expect(sessions.remembered <= 4 * Fail2banSessions.limit)
  }

  /// Thousands of sessions that begin, are found and end in no order, beside a dictionary of the same.
  @Test func sessionsAreFoundAsInADictionary() throws {
    var sessions = Fail2banSessions()
    var known: [Int: Int] = [:]
    var fields = CapturedFields(count: 2)
    var random = SystemRandomNumberGenerator()
    let start = Instant(seconds: 1_795_000_000)
    for step in 0..<60_000 {
      let key = Int.random(in: 0..<3000, using: &random)
      fields.removeAll()
      fields.set(0, Array("web sshd[\(key)]: ".utf8).span)
      let found = sessions.find(fields, 0, at: start)
      #expect(found == known[key], "step \(step)")
      if let found {
        #expect(sessions.all[found].matches == key)
        if Bool.random(using: &random) {
          sessions.end(found)
          known[key] = nil
        }
      } else {
        let place = sessions.begin(fields, 0, at: start)
        #expect(sessions.all[place].matches == 0 && sessions.all[place].users.isEmpty)
        sessions.all[place].matches = key
        sessions.all[place].users = [[1]]
        known[key] = place
      }
    }
    #expect(sessions.count == known.count)
    #expect(Set(known.values).count == known.count)
    // Nothing was heard of them for too long.
    for key in known.keys {
      fields.removeAll()
      fields.set(0, Array("web sshd[\(key)]: ".utf8).span)
      #expect(sessions.find(fields, 0, at: start.adding(.minutes(11))) == nil)
    }
    #expect(sessions.count == 0)
  }

  @Test func whatIsKeptDoesNotGrowWithTheLines() throws {
    let bench = try bench()
    let user = String(repeating: "x", count: 20_000)
    for _ in 0..<200 { _ = bench.outcome(line("Too many failures for \(user)")) }
    var attempts = 0
    bench.failure(Array(line("Closed by 192.0.2.7").utf8)) {
      attempts = $0.attempts
      #expect($0.users.map(\.count) == [Fail2banSessions.longest])
    }
    #expect(attempts == 201)
  }

  @Test func noFailureWithoutASession() throws {
    let bench = try Fail2banBench("^\\s*<F-NOFAIL>Connection from</F-NOFAIL> <HOST>$")
    #expect(bench.outcome("Connection from 192.0.2.7") == .noted)
  }
}
