import Matching
import Model
import Testing

/// Logs that people brought because a filter read them wrong (fixtures/reported): who weighs what in them, by all filters together.
@Suite struct ReportedTests {
  @Test(arguments: [
    // IPv6 in brackets, with its port cut short. Lines that end an attempt count where nothing of their connection has: two are left.
    ("dropbear-2026-ipv6", ["2001:db8::2": 6, "2001:db8::3": 1]),
    // HTTP/2's own connections are written as [remote …].
    ("apache-remote", ["192.0.2.171": 1, "192.0.2.172": 1]),
    // ProFTPD's own log up to 1.3.5.
    ("proftpd-syslog-stamp", ["192.0.2.194": 1]),
    // Dovecot's own log has the process where syslog has the program.
    ("dovecot-own-log", ["192.0.2.113": 3]),
    // One `ssh-keyscan HOST` is no failure.
    ("keyscan", [:]),
    // Whoever says a name with a probe may be a user whose page is gone: it weighs less.
    ("web-logs-through-syslog", ["192.0.2.222": 1, "192.0.2.223": 1]),
    // What stands behind required= is the account holder's.
    ("authorized-keys-from", ["192.0.2.7": 3]),
  ])
  func weighsWhatItShould(name: String, expected: [String: Int]) throws {
    let lines = try Shipped.fixture("reported/\(name).log").split(separator: UInt8(ascii: "\n")).map {
      LogLine(bytes: Array($0))
    }
    var sums: [String: Int] = [:]
    for report in try Reporter.shipped().reports(lines).joined() where report.weight > 0 {
      sums[report.address, default: 0] += report.weight * report.count
    }
    #expect(sums == expected)
  }
}
