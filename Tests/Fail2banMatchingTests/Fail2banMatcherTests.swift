import Fail2banMatching
import Filters
import Model
import Testing

@testable import Fail2banMatching
@testable import Matching

/// A line's way: decoded, dated and cut, matched, ignored, named.
struct Fail2banMatcherTests {
  @Test func theDateIsCutOutOfTheMiddle() throws {
    let bench = try Fail2banBench("^\\[\\] \\[client <ADDR>\\] failed$")
    bench.failure(Array("[2024-03-05 11:00:00] [client 192.0.2.7] failed".utf8)) {
      #expect($0.id == "192.0.2.7")
      #expect($0.isDated)
      #expect($0.time == Instant(rfc3339: "2024-03-05T11:00:00Z"))
      #expect($0.attempts == 1)
    }
    #expect(bench.matcher.counts.failures == 1)
  }

  @Test func aLineWithoutADateHasTheTimeOfTheOneBeforeOrNow() throws {
    let bench = try Fail2banBench("^\\s*failed <ADDR>$")
    var times: [Instant] = []
    for line in ["failed 192.0.2.1", "2024-03-05 11:59:30 failed 192.0.2.2", "failed 192.0.2.3"] {
      bench.failure(Array(line.utf8)) { times.append($0.time) }
    }
    #expect(times == [bench.clock.now, Instant(rfc3339: "2024-03-05T11:59:30Z")!, times.last])
    #expect(times.last == Instant(rfc3339: "2024-03-05T11:59:30Z"))
    let now = Instant(rfc3339: "2024-03-05T12:00:31Z")!
    bench.clock.now = now
    bench.failure(Array("failed 192.0.2.3".utf8)) {
      #expect($0.time == now)
      #expect(!$0.isDated)
    }
  }

  @Test func theJournalKnowsTheTime() throws {
    let bench = try Fail2banBench("^web sshd\\[1\\]: 2001-01-01 00:00:00 failed <ADDR>$")
    let time = Instant(rfc3339: "2024-03-05T11:59:30Z")!
    var found: [Instant] = []
    bench.matcher.tryLine(
      Array("web sshd[1]: 2001-01-01 00:00:00 failed 192.0.2.1".utf8).span, clock: &bench.clock, time: time
    ) { found.append($0.time) }
    #expect(found == [time])
  }

  @Test func theFirstExpressionWins() throws {
    let bench = try Fail2banBench("^x <F-USER>.*</F-USER> <ADDR>$", "^x \\S+ <ADDR>$")
    var patterns: [Int] = []
    bench.failure(Array("x a 192.0.2.1".utf8)) { patterns.append($0.pattern) }
    #expect(patterns == [0])
  }

  @Test func ignoreregexCancels() throws {
    let bench = try Fail2banBench("^failed for \\S+ from <ADDR>$", ignore: ["for probe "])
    #expect(bench.outcome("failed for probe from 192.0.2.1") == .ignored)
    #expect(bench.outcome("failed for root from 192.0.2.1") == .failure)
    #expect(bench.outcome("passed for probe from 192.0.2.1") == .none)
  }

  /// With prefregex, a few ignoreregex look at its content only; with many failregex the whole line is looked at too.
  @Test func ignoreregexLooksAtTheContent() throws {
    let few = try Fail2banBench(prefregex: "^host: <F-CONTENT>.+</F-CONTENT>$", "^failed <ADDR>$", ignore: ["host"])
    #expect(few.outcome("host: failed 192.0.2.1") == .failure)
    let many = try Fail2banBench(
      prefregex: "^host: <F-CONTENT>.+</F-CONTENT>$", "^failed <ADDR>$", "^a <ADDR>", "^b <ADDR>", "^c <ADDR>",
      ignore: ["host"])
    #expect(many.outcome("host: failed 192.0.2.1") == .ignored)
  }

  @Test func whatIsNoUTF8CannotHideALine() throws {
    let bench = try Fail2banBench("^failed for <F-USER>.*</F-USER> from <ADDR>$")
    let cases: [([UInt8], [UInt8])] = [
      ([0xFF], [0xEF, 0xBF, 0xBD]),
      ([0xC3], [0xEF, 0xBF, 0xBD]),
      ([0xC3, 0xA9], [0xC3, 0xA9]),
      // Half a character, then one that could not follow.
      ([0xE2, 0x82, 0x41], [0xEF, 0xBF, 0xBD, 0x41]),
      ([0xF0, 0x9F, 0x98, 0x80], [0xF0, 0x9F, 0x98, 0x80]),
      // A surrogate, too long a form, and beyond the last character.
      ([0xED, 0xA0, 0x80], [0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD]),
      ([0xC0, 0xAF], [0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD]),
      ([0xF4, 0x90, 0x80, 0x80], Array(repeating: [0xEF, 0xBF, 0xBD] as [UInt8], count: 4).flatMap { $0 }),
    ]
    for (bytes, text) in cases {
      var users: [[UInt8]?] = []
      bench.failure(Array("failed for ".utf8) + bytes + Array(" from 192.0.2.1".utf8)) { users.append($0.user) }
      #expect(users == [text], "\(bytes)")
      // What Swift makes of it is what Python makes of it.
      #expect(Array(String(decoding: bytes, as: UTF8.self).utf8) == text)
    }
  }

  @Test(arguments: [
    ("latin-1", "é"), ("ISO-8859-1", "é"), ("ascii", "\u{FFFD}"), ("cp1252", "é"), ("utf-8", "\u{FFFD}"),
  ])
  func logencoding(_ name: String, _ user: String) throws {
    let bench = try Fail2banBench("^failed for <F-USER>\\S</F-USER> from <ADDR>$", logencoding: name)
    var users: [String] = []
    bench.failure(Array("failed for ".utf8) + [0xE9] + Array(" from 192.0.2.1".utf8)) {
      users.append(String(decoding: $0.user ?? [], as: UTF8.self))
    }
    #expect(users == [user])
  }

  @Test func whoItWas() throws {
    #expect(try Fail2banBench("^x <HOST>$").ids("x 192.0.2.1", "x ::ffff:192.0.2.1") == ["192.0.2.1", "192.0.2.1"])
    #expect(
      try Fail2banBench("^x <HOST>$").ids("x [2001:DB8::0:7]", "x 2001:db8::7") == ["2001:db8::7", "2001:db8::7"])
    #expect(
      try Fail2banBench("^x <SUBNET>$").ids("x 192.0.2.77/24", "x [2001:db8::1/64]") == [
        "192.0.2.0/24", "2001:db8::/64",
      ])
    #expect(
      try Fail2banBench("^x <ADDR>/<CIDR>$").ids("x 192.0.2.77/24", "x 192.0.2.77/99") == [
        "192.0.2.0/24", "192.0.2.77/99",
      ])
    #expect(
      try Fail2banBench("^x <F-ID>\\S+</F-ID>$").ids("x alice", "x [192.0.2.1]", "x a/b") == [
        "alice", "192.0.2.1", "a/b",
      ])
    // No address, though the pattern lets it through: counted under its text, as fail2ban does; nothing can block it.
    #expect(try Fail2banBench("^x <HOST>$").ids("x 999.1.2.3") == ["999.1.2.3"])
  }

  @Test func anIdBesideTheHost() throws {
    let bench = try Fail2banBench("^x <F-ID>\\S+</F-ID> from <ADDR>$")
    bench.failure(Array("x session-7 from 192.0.2.1".utf8)) {
      #expect($0.identity == .name(Array("session-7".utf8)))
      #expect($0.host == Array("192.0.2.1".utf8))
      #expect($0["ip4"] == Array("192.0.2.1".utf8))
      #expect($0["fid"] == Array("session-7".utf8))
      #expect($0["nothing"] == nil)
    }
    #expect(bench.matcher.counts.failures == 1)
  }

  @Test func namesAreForOthersToResolve() throws {
    func identity(_ usedns: Fail2banRules.DNS) throws -> Fail2banFailure.Identity? {
      let bench = try Fail2banBench("^x (?:<DNS>|<IP4>)$", usedns: usedns)
      var found: Fail2banFailure.Identity?
      bench.failure(Array("x host.example.com".utf8)) { found = $0.identity }
      return found
    }
    let name = Array("host.example.com".utf8)
    #expect(try identity(.yes) == .hostname(name))
    #expect(try identity(.warn) == .hostname(name))
    #expect(try identity(.raw) == .name(name))
    #expect(try identity(.no) == nil)
  }

  @Test func alternatesFillWhatIsEmpty() throws {
    let bench = try Fail2banBench(
      "^x ruser=<F-ALT_USER>\\S*</F-ALT_USER> rhost=<ADDR>(?: user=<F-USER>\\S*</F-USER>)?$")
    #expect(bench.findings("x ruser=a rhost=192.0.2.1 user=b").map(\.user) == ["b"])
    #expect(bench.findings("x ruser=a rhost=192.0.2.1 user=").map(\.user) == ["a"])
    #expect(bench.findings("x ruser=a rhost=192.0.2.1").map(\.user) == ["a"])
  }

  @Test func severalLinesAreOne() throws {
    let bench = try Fail2banBench("^begin <ADDR>$<SKIPLINES>^failed$", maxlines: 3)
    #expect(bench.ids("begin 192.0.2.1", "other", "failed") == ["192.0.2.1"])
    // What was used up is gone, what was gone over is not; beyond three lines nothing is found.
    #expect(bench.ids("failed") == [])
    #expect(bench.ids("begin 192.0.2.2", "a", "b", "failed") == [])
    var attempts = 0
    for line in ["begin 192.0.2.3", "failed"] { bench.failure(Array(line.utf8)) { attempts = $0.attempts } }
    #expect(attempts == 2)
    #expect(bench.matcher.filter.needsEveryLine)
  }

  @Test func aPatternThatGivesUpIsCounted() throws {
    let bench = try Fail2banBench("^(?:a|aa)*(?:a|aa)*(?:a|aa)*b <ADDR>$")
    #expect(bench.outcome(String(repeating: "a", count: 200) + " 192.0.2.1") == .none)
    #expect(bench.matcher.counts.gaveUp == 1)
    #expect(bench.matcher.takeStopped() == [0])
  }

  @Test(arguments: [
    (
      Fail2banRules(failregex: []),
      "test.conf: [Definition] failregex: there is none; write one, or leave the filter out"
    ),
    (
      Fail2banRules(failregex: ["<HOST>", "no one"]),
      "test.conf: [Definition] failregex 2: nothing in it says who failed; "
        + "add <HOST>, <ADDR>, <F-ID>…</F-ID> or <F-MLFID>…</F-MLFID>"
    ),
    (
      Fail2banRules(failregex: ["<HOST>"], datepattern: "%Y-%Q"),
      "test.conf: [Definition] datepattern: \"%Y-%Q\": %Q is not a directive of a datepattern; a percent sign itself is %%; "
        + "see \"datepattern\" in jail.conf(5)"
    ),
    (
      Fail2banRules(failregex: ["<HOST>"], logencoding: "utf-16"),
      "test.conf: [Definition] logencoding: \"utf-16\" is not supported; use utf-8, ascii, latin-1, iso-8859-15 or windows-1252"
    ),
    (
      Fail2banRules(failregex: ["<HOST>"], logtimezone: "Nowhere/Land"),
      "test.conf: [Definition] logtimezone: there is no zone \"Nowhere/Land\"; write UTC+0200, CET or Europe/Berlin"
    ),
  ])
  func whatIsWrongIsSaid(_ rules: Fail2banRules, _ message: String) {
    let error = #expect(throws: FilterError.self) { try Fail2banFilter(rules, name: "test", file: "test.conf") }
    #expect(error?.description == message)
  }

  @Test(arguments: ["(<HOST>", "<HOST> <HOST>", "<F-USER>a <HOST>", "<HOST>(?P<1a>x)", "[<HOST>", "(?<!a*)<HOST>"])
  func whatPCRE2RefusesIsSaid(_ expression: String) {
    let error = #expect(throws: FilterError.self) {
      try Fail2banFilter(Fail2banRules(failregex: [expression]), name: "test", file: "test.conf")
    }
    #expect(error?.description.hasPrefix("test.conf: [Definition] failregex 1: ") == true)
  }
}
