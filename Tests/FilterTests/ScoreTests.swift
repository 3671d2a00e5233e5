import Fail2banMatching
import Foundation
import Matching
import Testing

/// How the filters do on lines that real daemons printed while they were used and abused (fixtures/truth/README.md).
/// All filters run over every file, as `bailiff filter detect` does; a report by any of them counts.
@Suite struct ScoreTests {
  /// A line of a fixture, with what was done when it was written.
  struct Labelled: Decodable {
    var line: String
    var abuse: Bool
    var action: Int
    var isActionAbuse: Bool
    var note: String

    enum CodingKeys: String, CodingKey {
      case line, abuse, action, note
      case isActionAbuse = "action_abuse"
    }
  }

  static let abusers: Set<String> = ["10.78.0.2", "fd00:78::2"]
  /// Addresses that appear in attackers' text only.
  static let victims: Set<String> = ["10.9.9.9", "10.9.9.10"]

  /// Acts that cannot be recognised from the lines alone, by what their note begins with, and why.
  static let unrecognisable: [(file: String, note: String, reason: String)] = [
    ("pam", "sudo by a user not in sudoers", "done on a terminal: no line has an address"),
    ("proftpd.auth", "IPv6 [SystemLog file] right password, shell not in /etc/shells", "PAM's lines have no address"),
    ("sshd", "IPv4 LoginGraceTime timeout, no banner sent", "only `Connection from`, as for any connection"),
    ("sshd.journal", "IPv4 LoginGraceTime timeout, no banner sent", "only `Connection from`, as for any connection"),
    ("vsftpd", "IPv4 [log file] binary garbage", "only CONNECT, as for any connection"),
    ("vsftpd", "IPv4 [log file] connect and close", "only CONNECT, as for any connection"),
    ("vsftpd", "IPv6 [log file] binary garbage", "only CONNECT, as for any connection"),
    ("vsftpd", "IPv6 [log file] connect and close", "only CONNECT, as for any connection"),
    ("exim", "IPv6 sender domain does not exist", "only a DNS remark, as for any client without a name"),
    ("exim", "IPv6 connect and close", "only a DNS remark, as for any client without a name"),
    ("exim", "IPv6 EHLO then drop", "only a DNS remark, as for any client without a name"),
    ("nginx", "IPv6 basic auth empty user and password", "a 401 without a name, as every browser's first request"),
    ("nginx", "IPv6 basic auth malformed header", "a 401 without a name, as every browser's first request"),
    ("nginx.error", "IPv6 hostile user agent", "a missing page; the user agent stands in the access log only"),
    ("nginx_detinfo", "[DetectionOnly, error_log info] log4shell header", "the rules let it pass; no line about it"),
    (
      "nginx_detinfo", "[DetectionOnly, error_log info] IPv6 log4shell header",
      "the rules let it pass; no line about it"
    ),
  ]

  /// An abuser's line that was written, nine seconds late, while a legitimate act was recorded.
  static let strays = ["dovecot": "session=<Phf8B8RgUZ4KTgAC>"]

  @Test func acts() throws {
    let shipped = try Reporter.shipped()
    var totals = Score()
    var unused = Set(Self.unrecognisable.indices)
    for file in try Shipped.fixtures("truth", ".jsonl") {
      let name = String(file.dropLast(".jsonl".count))
      let labelled = try Self.read("truth/\(file)")
      let lines = try labelled.map { try Self.logLine($0.line, journal: name.hasSuffix(".journal")) }
      let found = shipped.reports(lines)
      var score = Score()
      var caught: Set<Int> = []
      var acts: [Int: Labelled] = [:]
      for (line, reports) in zip(labelled, found) {
        if line.isActionAbuse { acts[line.action] = line }
        for report in reports {
          if Self.victims.contains(report.address) {
            score.injections += 1
            Issue.record("\(file): \(report.filter) believed \(line.line)")
          } else if line.isActionAbuse {
            #expect(Self.abusers.contains(report.address), "\(file): \(report) in \(line.line)")
            caught.insert(line.action)
          } else if let stray = Self.strays[name], line.line.contains(stray) {
            #expect(Self.abusers.contains(report.address))
          } else {
            score.falseAlarms += 1
            Issue.record("\(file): \(report.filter) (\(report.pattern)) reported a legitimate act: \(line.line)")
          }
        }
      }
      score.acts = acts.count
      score.found = caught.count
      var excused: [String] = []
      for (number, act) in acts.sorted(by: { $0.key < $1.key }) where !caught.contains(number) {
        let index = Self.unrecognisable.firstIndex { $0.file == name && act.note.hasPrefix($0.note) }
        if let index {
          unused.remove(index)
          excused.append("  not recognisable: \(act.note.prefix(70)): \(Self.unrecognisable[index].reason)")
        } else {
          Issue.record("\(file): act \(number) was not found: \(act.note)")
        }
      }
      print("\(name): \(score)")
      for line in excused { print(line) }
      totals.add(score)
    }
    print("all: \(totals)")
    #expect(totals.acts > 800)
    for index in unused { Issue.record("recognised after all: \(Self.unrecognisable[index])") }
  }

  struct Score: CustomStringConvertible {
    var acts = 0
    var found = 0
    var falseAlarms = 0
    var injections = 0

    mutating func add(_ other: Score) {
      acts += other.acts
      found += other.found
      falseAlarms += other.falseAlarms
      injections += other.injections
    }

    var description: String {
      "\(found) of \(acts) acts found, \(falseAlarms) false alarms, \(injections) injections"
    }
  }

  /// "message repeated N times" and "N more authentication failures" count N.
  @Test func repeatedLinesCount() throws {
    let labelled = try Self.read("truth/sshd_repeated.jsonl")
    let lines = try labelled.map { try Self.logLine($0.line, journal: false) }
    let found = reports(lines, [try Filter(Shipped.definition("sshd.yaml"))])
    var seen = 0
    for (line, reports) in zip(labelled, found)
    where line.line.contains("message repeated 5 times") || line.line.contains("PAM 5 more") {
      #expect(reports.map(\.count) == [5], "\(line.line)")
      seen += 1
    }
    #expect(seen == 4)
  }

  static func read(_ path: String) throws -> [Labelled] {
    try Shipped.fixture(path).split(separator: UInt8(ascii: "\n")).map {
      try JSONDecoder().decode(Labelled.self, from: Data(Self.withoutLoneSurrogates($0)))
    }
  }

  /// The line as the log has it, or as the journal hands it on.
  static func logLine(_ text: String, journal: Bool) throws -> LogLine {
    guard journal else { return LogLine(bytes: bytes(text)) }
    let entry = try JSONDecoder().decode(Entry.self, from: Data(text.utf8))
    return LogLine(bytes: entry.message, program: entry.identifier ?? "")
  }

  private struct Entry: Decodable {
    var identifier: String?
    var message: [UInt8]

    enum CodingKeys: String, CodingKey {
      case identifier = "SYSLOG_IDENTIFIER"
      case message = "MESSAGE"
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      identifier = try values.decodeIfPresent(String.self, forKey: .identifier)
      // journalctl writes what is no text as an array of numbers.
      if let text = try? values.decode(String.self, forKey: .message) {
        message = Array(text.utf8)
      } else {
        message = try values.decode([UInt8].self, forKey: .message)
      }
    }
  }

  /// Bytes that are no UTF-8 are in the fixtures as lone surrogates, `\udcff` for 0xff, which a JSON decoder refuses: they
  /// are moved to the private use area and back.
  static func withoutLoneSurrogates(_ line: Data.SubSequence) -> [UInt8] {
    var out: [UInt8] = []
    let bytes = Array(line)
    var at = 0
    while at < bytes.count {
      if bytes[at] == UInt8(ascii: "\\"), at + 5 < bytes.count, bytes[at + 1] == UInt8(ascii: "u"),
        String(decoding: bytes[at + 2..<at + 4], as: UTF8.self).lowercased() == "dc"
      {
        out += Array("\\uf7".utf8) + bytes[at + 4..<at + 6]
        at += 6
      } else if bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count {
        out += bytes[at...at + 1]
        at += 2
      } else {
        out.append(bytes[at])
        at += 1
      }
    }
    return out
  }

  static func bytes(_ text: String) -> [UInt8] {
    text.unicodeScalars.flatMap { scalar -> [UInt8] in
      (0xf780...0xf7ff).contains(scalar.value) ? [UInt8(scalar.value & 0xff)] : Array(String(scalar).utf8)
    }
  }
}
