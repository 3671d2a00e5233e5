import Fail2banMatching
import Filters
import Foundation
import Matching
import Model
import Testing

/// Lines that attackers would like to see in a log: they name victims, who must not be reported for them.
@Suite struct HostileTests {
  struct Attempt: Decodable {
    var filter: String
    /// What is in the log, one after the other.
    var lines: [String]
    /// Who really connected; nil where the text is all that there is.
    var real: String?
    var why: String
  }

  static func attempts() throws -> [Attempt] {
    try Shipped.fixtures("hostile", ".jsonl").flatMap { file in
      try Shipped.fixture("hostile/\(file)").split(separator: UInt8(ascii: "\n")).map {
        try JSONDecoder().decode(Attempt.self, from: Data($0))
      }
    }
  }

  @Test func victimsAreNotReported() throws {
    let shipped = try Reporter.shipped()
    let attempts = try Self.attempts()
    for attempt in attempts {
      let found = shipped.reports(attempt.lines).flatMap(\.self)
      for report in found where report.address != attempt.real {
        Issue.record(
          "\(report.filter) (\(report.pattern)) reported \(report.address): \(attempt.why): \(attempt.lines)")
      }
      if attempt.real != nil {
        #expect(found.contains { $0.filter == attempt.filter }, "not reported: \(attempt.why): \(attempt.lines)")
      }
    }
    // Every filter has hostile lines of its own.
    for name in shipped.filters.map(\.definition.name) {
      #expect(attempts.contains { $0.filter == name }, "no hostile lines for \(name)")
    }
    print("\(attempts.count) hostile attempts tried")
  }

  /// The same where activities are read: nobody is said to have come in from a victim's address, nor anybody whom a client only
  /// names.
  @Test func nobodyIsSaidToHaveComeIn() throws {
    let shipped = Reporter(try Shipped.filters(), readsActivity: true)
    // Some of them are logins that speak of failures.
    for attempt in try Self.attempts() where !attempt.why.hasPrefix("a login") {
      for report in shipped.reports(attempt.lines).flatMap(\.self) where report.event == "login" {
        Issue.record("\(report.filter) (\(report.pattern)): \(report.captures): \(attempt.why): \(attempt.lines)")
      }
    }
  }

  /// nginx 1.22 itself wrote this file, for requests of 127.0.0.1 that forge lines about 10.9.9.9 in every way found: with
  /// and without a quote before the line end, with a whole false end of the record, cut at 2048 bytes. The two honest
  /// failures at its end are found.
  @Test func recordsTornApartInNginx() throws {
    let log = try Shipped.fixture("hostile/nginx-torn.log")
    let lines = log.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { LogLine(bytes: Array($0)) }
    let found = reports(lines, try Shipped.filters()).flatMap(\.self)
    #expect(!found.contains { $0.address == "10.9.9.9" }, "\(found)")
    #expect(found.filter { $0.filter == "nginx-http-auth" && $0.captures["user"] == "alice" }.count == 2)
  }

  /// Where a chunk ends, what ends a record may not have been read yet: a line that may belong to one is not believed.
  @Test func recordsThatReachBeyondAChunk() throws {
    let failure = #"2026/11/21 06:56:39 [error] 7#7: *31 user "alice": password mismatch, client: 192.0.2.7, server: s"#
    let opened = #"2026/11/21 06:56:39 [error] 7#7: *32 open() "/srv/www/x" failed, client: 192.0.2.9, server: s"#
    let filter = try Filter(Shipped.definition("nginx-http-auth.yaml"))
    let many = [String](repeating: failure, count: (128 << 10) / failure.utf8.count + 1)
    #expect(reports(many + [failure], [filter]).last!.count == 1)
    #expect(reports(many + [opened, failure], [filter]).last!.isEmpty)
    #expect(reports([opened, failure], [filter]).last!.count == 1)
  }
}
