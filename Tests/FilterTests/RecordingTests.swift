import Fail2banMatching
import Filters
import Foundation
import Matching
import Model
import Testing

/// How the filters do on what other programs printed while they were used and abused: fixtures/truth2 (47 programs of Debian 12 and
/// PyPI) and fixtures/truth/newest (today's stable and unstable). Many of their acts leave no line that tells, or none with an address
/// (see their README), so each recording has a floor in `found.txt`: NAME FOUND ACTS.
@Suite struct RecordingTests {
  struct Line: Decodable {
    var line: String
    var action: Int
    var isAbusive: Bool
    /// The line has only an address that the client made up: no filter can tell.
    var forged: Bool?

    enum CodingKeys: String, CodingKey {
      case line, action, forged
      case isAbusive = "action_abuse"
    }
  }

  /// Addresses of clients that never connected.
  static let victims: Set<String> = ["10.9.9.9", "10.9.9.10", "203.0.113.9"]
  static let abusers: Set<String> = ["10.78.0.2", "fd00:78::2", "198.51.100.2", "2001:db8:78::2"]
  /// Recordings of programs that were told to believe a header that a client may send,
  /// some of their lines name the victim and nothing else. The filters' comments say which setting of the proxy prevents it.
  static let believers: Set<String> = [
    "phpmyadmin.trusted", "qbittorrent.trusted", "tomcat10.remoteip.access", "synapse.proxied",
  ]

  @Test(arguments: ["truth2", "truth/newest"])
  func actsAreFound(directory: String) throws {
    let shipped = try Reporter.shipped()
    let floors = try String(decoding: Shipped.fixture("\(directory)/found.txt"), as: UTF8.self)
    var total = (found: 0, acts: 0)
    for row in floors.split(separator: "\n") {
      let fields = row.split(separator: " ")
      let name = String(fields[0])
      let lines = try Shipped.fixture("\(directory)/\(name).jsonl").split(separator: UInt8(ascii: "\n")).map {
        try JSONDecoder().decode(Line.self, from: Data(ScoreTests.withoutLoneSurrogates($0)))
      }
      let reports = shipped.reports(lines.map { LogLine(bytes: ScoreTests.bytes($0.line)) })
      var found: Set<Int> = []
      for (line, reports) in zip(lines, reports) {
        for report in reports {
          if Self.victims.contains(report.address) {
            if !Self.believers.contains(name) { Issue.record("\(name): \(report.filter) believed \(line.line)") }
          } else if line.isAbusive, Self.abusers.contains(report.address) {
            found.insert(line.action)
          }
        }
      }
      #expect(found.count >= Int(fields[1])!, "\(name): \(found.count) acts, \(fields[1]) before")
      total = (total.found + found.count, total.acts + Int(fields[2])!)
    }
    print("\(directory): \(total.found) of \(total.acts) acts found")
  }
}
