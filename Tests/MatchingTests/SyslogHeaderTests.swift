import Fail2banMatching
import Filters
import Model
import Testing

@testable import Matching

/// What daemons and devices put before a message.
@Suite struct SyslogHeaderTests {
  private static func clock() -> LogClock {
    LogClock(now: Instant(rfc3339: "2026-11-28T12:00:00Z")!, zone: ZoneOffsets(name: "Europe/Berlin")!)
  }

  /// Program, message and time; nil: there is no header.
  private static func parse(_ line: String) -> (program: String, message: String, time: Instant?)? {
    var clock = clock()
    let bytes = Array(line.utf8)
    guard let header = SyslogHeader.parse(bytes.span, clock: &clock) else { return nil }
    return (
      String(decoding: bytes[header.program], as: UTF8.self), String(decoding: bytes[header.message...], as: UTF8.self),
      header.time
    )
  }

  @Test(arguments: [
    // RFC 3164, with the host's name in the forms that relays write.
    "Nov 28 04:35:01 web sshd[812]: Failed", "<38>Nov 28 04:35:01 web sshd[812]: Failed",
    "Nov 28 04:35:01 sshd[812]: Failed",
    "Nov 28 04:35:01 s_src@web sshd[812]: Failed", "Nov 28 04:35:01 s_src@web/relay sshd[812]: Failed",
    "Nov 28 04:35:01 2001:db8::1 sshd: Failed", "<38>Nov 28 04:35:01 U7LT,f09fc2000000,v4.3 sshd[812]: Failed",
    // The facility: BusyBox, FreeBSD with -v and -vv, Solaris, OpenWrt.
    "Nov 28 04:35:01 web auth.info sshd[812]: Failed", "Nov 28 04:35:01 web authpriv.notice sshd: Failed",
    "Nov 28 04:35:01 <auth.info> web sshd[812]: Failed", "Nov 28 04:35:01 <4.6> web sshd[812]: Failed",
    "Nov 28 04:35:01 web <auth.info> sshd[812]: Failed", "Nov 28 04:35:01 auth.info sshd[812]: Failed",
    "Nov 28 04:35:01 web sshd[812]: [ID 800047 auth.info] Failed",
    "Sat Nov 28 04:35:01 2026 authpriv.info sshd[812]: Failed", "Sat Nov 28 04:35:01 2026 daemon.err sshd: Failed",
    "Sat Nov 28 04:35:01 2026 web auth.info sshd[812]: Failed",
    // ISO and journalctl: short-iso, short-precise, short-full.
    "2026-11-28T04:35:01+01:00 web sshd[812]: Failed", "2026-11-28T04:35:01+0100 web sshd[812]: Failed",
    "Nov 28 04:35:01.000000 web sshd[812]: Failed", "Sat 2026-11-28 03:35:01 UTC web sshd[812]: Failed",
    "Sat 2026-11-28 04:35:01 CET web sshd[812]: Failed",
    "1795836901.000000 web sshd[812]: Failed",
    // syslog-ng's ts-format(full), AIX.
    "2026 Nov 28 04:35:01 web sshd[812]: Failed", "Nov 28 04:35:01 web auth|security:info sshd[812]: Failed",
    // Other languages: French, Swedish, Polish, Russian, Greek, Japanese, Korean.
    "nov. 28 04:35:01 web sshd[812]: Failed", "nov 28 04:35:01 web sshd[812]: Failed",
    "lis 28 04:35:01 web sshd[812]: Failed", "ноя 28 04:35:01 web sshd[812]: Failed",
    "Νοε 28 04:35:01 web sshd[812]: Failed", "11月 28 04:35:01 web sshd[812]: Failed",
    "11월 28 04:35:01 web sshd[812]: Failed", "nov. 28 2026 04:35:01 web sshd[812]: Failed",
    // metalog; a program that calls itself by its path.
    "Nov 28 04:35:01 [sshd] Failed", "Nov 28 04:35:01 web /usr/sbin/sshd[812]: Failed",
    "<38>1 2026-11-28T03:35:01Z web sshd 812 - - Failed", "1 2026-11-28T03:35:01Z web sshd 812 - [a b=\"]\"] Failed",
  ])
  func dated(_ line: String) throws {
    let found = try #require(Self.parse(line))
    #expect(found.program == "sshd")
    #expect(found.message == "Failed")
    #expect(found.time == Instant(rfc3339: "2026-11-28T03:35:01Z"))
  }

  @Test(arguments: ["<38>sshd: Failed", "<38>sshd[812]: Failed", "<38>web sshd[812]: Failed", "web sshd[812]: Failed"])
  func withoutAStamp(_ line: String) throws {
    let found = try #require(Self.parse(line))
    #expect(found.program == "sshd")
    #expect(found.message == "Failed")
    #expect(found.time == nil)
  }

  /// Logs of services' own, and text that a client could have begun.
  @Test(arguments: [
    "Sat Nov 28 04:35:01 2026 [pid 812] [alice] FAIL LOGIN: Client \"192.0.2.7\"",
    "[Sat Nov 28 04:35:01.123456 2026] [auth_basic:error] [pid 812] [client 192.0.2.7:4711] x",
    "sshd: Failed", "web sshd: Failed", "web auth.info sshd: Failed", "x.y auth.info: sshd: a", "Sat sshd: Failed",
    "Sat Nov 28 04:35:01 2026 sshd[812]: Failed", "Nov 28 04:35:01 [812] sshd text", "Nov 28 04:35:01 web no.level x y",
    "", "<", "<38>", "Nov 28 04:35:01", "Nov 28 04:35:01 ", "Nov 28 04:35:01 [", "Nov 28 04:35:01 web auth.info",
    "Nov 28 04:35:01 <auth.info>", "Sat 2026-11-28 04:35:01 CET", "Sat Nov 28 04:35:01 2026 auth.info",
  ])
  func noHeader(_ line: String) { #expect(Self.parse(line) == nil) }

  /// What follows a tag is the message, whatever it looks like.
  @Test func messagesStayWhole() {
    #expect(Self.parse("Nov 28 04:35:01 web sshd[812]: auth.info x[1]: y")?.message == "auth.info x[1]: y")
    #expect(Self.parse("Nov 28 04:35:01 web sshd[812]: [ID x auth.info] y")?.message == "[ID x auth.info] y")
    #expect(Self.parse("Nov 28 04:35:01 web su: [ID 1 auth.info]")?.message == "[ID 1 auth.info]")
  }

  /// `postfix-*` is every instance of a Postfix with several.
  @Test func programsByTheirBeginning() throws {
    let rules = FieldConditionTests.self
    let filter = try rules.filter(
      .text, programs: ["postfix", "postfix-*"], [.init(name: "x", match: "^failed from <host>$")])
    for (program, isFound) in [
      ("postfix/smtpd", true), ("postfix-out/smtpd", true), ("postfix-out", true), ("postfixer/smtpd", false),
      ("postfix-", false),
    ] {
      let found = rules.found(filter, "Nov 28 04:35:01 web \(program)[812]: failed from 192.0.2.7")
      #expect((found != nil) == isFound, "\(program)")
    }
  }

  /// German, French, Spanish, Italian, Turkish, Czech.
  @Test(arguments: [
    "Mär": 3, "Mai": 5, "Okt": 10, "Dez": 12, "févr.": 2, "août": 8, "déc.": 12, "ene": 1, "ago": 8, "gen": 1, "mag": 5,
    "giu": 6, "Şub": 2, "Ağu": 8, "úno": 2, "říj": 10,
  ]) func monthsOfOtherLanguages(name: String, month: Int) throws {
    let header = try #require(Self.parse("\(name)  1 04:35:01 web sshd[812]: Failed"))
    #expect(header.program == "sshd" && header.message == "Failed")
    let time = try #require(header.time)
    // The last one of that name, in Berlin's winter or summer.
    let year = month == 12 ? 2025 : 2026
    let hour = (4...10).contains(month) ? "02" : "03"
    #expect(time == Instant(rfc3339: "\(year)-\(month < 10 ? "0" : "")\(month)-01T\(hour):35:01Z"), "\(time)")
  }

  /// `journalctl -o short-monotonic` and -o with-unit.
  @Test func otherFormsOfJournalctl() throws {
    let counted = try #require(Self.parse("[   12.345678] web sshd[812]: Failed"))
    #expect(counted.program == "sshd" && counted.message == "Failed" && counted.time == nil)
    for line in [
      "[   12.345678] web sshd: Failed", "[12:34] web sshd[812]: Failed", "1795836901 web sshd[812]: Failed",
    ] {
      #expect(Self.parse(line) == nil, "\(line)")
    }
    let filter = try Filter(
      FilterDefinition(
        name: "t", file: "t.yaml",
        rules: .native(
          NativeRules(programs: ["sshd"], patterns: [PatternDefinition(name: "failed", match: "^Failed from <host>$")])),
        journalmatch: ["_SYSTEMD_UNIT=ssh.service"]))
    let set = FilterSet([filter])
    var clock = Self.clock()
    var found = 0
    for unit in ["ssh.service", "sshd", "cron.service"] {
      let line = Array("Sat 2026-11-28 03:35:01 UTC web \(unit)[812]: Failed from 192.0.2.7\n".utf8)
      set.scan(line.span, clock: &clock, history: LineHistory()) { _, _, _ in found += 1 }
    }
    #expect(found == 2)
  }

  /// A log of a service's own may have words in brackets behind its stamp, as metalog has programs.
  @Test func metalogOrAnOwnLog() throws {
    let patterns = [PatternDefinition(name: "x", match: #"^(?:\S+ \S+ \S+ \[auth\] )?failed from <host>$"#)]
    let own = try Filter(
      FilterDefinition(
        name: "t", file: "t.yaml", rules: .native(NativeRules(programs: ["ftpd"], hasOwnLog: true, patterns: patterns)))
    )
    #expect(FieldConditionTests.found(own, "Nov 28 04:35:01 [auth] failed from 192.0.2.7") != nil)
    #expect(FieldConditionTests.found(own, "Nov 28 04:35:01 [ftpd] failed from 192.0.2.7") != nil)
    let syslog = try FieldConditionTests.filter(.text, programs: ["ftpd"], patterns)
    #expect(FieldConditionTests.found(syslog, "Nov 28 04:35:01 [ftpd] failed from 192.0.2.7") != nil)
    #expect(FieldConditionTests.found(syslog, "Nov 28 04:35:01 [auth] failed from 192.0.2.7") == nil)
  }
}
