import Fail2banMatching
import Filters
import Foundation
import Matching
import Model
import Settings

/// What the tests share: the shipped filters, the fixtures, and one way to run lines through filters.
enum Shipped {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

  static let files: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: "filters").path())) ?? [])
    .filter { $0.hasSuffix(".yaml") }.sorted()

  static func definition(_ file: String) throws -> FilterDefinition {
    try FilterFile.load(path: root.appending(path: "filters/\(file)").path())
  }

  static func filters() throws -> [Filter] { try files.map { try Filter(definition($0)) } }

  static func fixture(_ path: String) throws -> Data {
    try Data(contentsOf: root.appending(path: "fixtures/\(path)"))
  }

  static func fixtures(_ directory: String, _ suffix: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "fixtures/\(directory)").path())
      .filter { $0.hasSuffix(suffix) }.sorted()
  }
}

/// One report of one filter.
struct Report: Equatable {
  var filter: String
  var pattern: String
  var address: String
  var count: Int
  var weight: Int
  var time: Instant
  var captures: [String: String]
  /// What the line tells of somebody who was let in.
  var event: String?
}

/// A line of a log, or a journal's entry.
struct LogLine {
  var bytes: [UInt8]
  /// The journal's program; nil for a line of a file.
  var program: String?
}

/// Filters that are run over one source after the other. Making their set costs far more than running it.
struct Reporter {
  let filters: [Filter]
  private let set: FilterSet

  init(_ filters: [Filter], readsActivity: Bool = false) {
    self.filters = filters
    set = FilterSet(filters, keepsCaptures: true, readsActivity: readsActivity)
  }

  /// Every shipped filter.
  static func shipped() throws -> Reporter { Reporter(try Shipped.filters()) }

  /// What each line of one source was reported for.
  func reports(_ lines: [LogLine]) -> [[Report]] {
    var clock = LogClock(now: Instant(rfc3339: "2026-11-29T12:00:00Z")!, zone: ZoneOffsets(name: "UTC")!)
    var found = [[Report]](repeating: [], count: lines.count)
    var text: [UInt8] = []
    var places: [Int: Int] = [:]
    for (index, line) in lines.enumerated() {
      if let program = line.program {
        let name = Array(program.utf8)
        let now = clock.now
        // swift-format-ignore: OnlyOneTrailingClosureArgument
        set.scan(
          message: line.bytes.span,
          program: {
            $1 += name
            return true
          }, time: { now }, clock: &clock, header: { _, _ in },
          history: LineHistory()
        ) { match, line in found[index].append(report(match, line)) }
      } else {
        places[text.count] = index
        text += line.bytes
        text.append(UInt8(ascii: "\n"))
      }
    }
    set.scan(text.span, clock: &clock, history: LineHistory()) { match, line, offset in
      found[places[offset]!].append(report(match, line))
    }
    return found
  }

  func reports(_ lines: [String]) -> [[Report]] { reports(lines.map { LogLine(bytes: Array($0.utf8)) }) }

  private func report(_ match: borrowing Match, _ line: borrowing Span<UInt8>) -> Report {
    let filter = filters[match.filter]
    var captures: [String: String] = [:]
    for capture in match.captures where captures[capture.name] == nil {
      captures[capture.name] = String(decoding: capture.value, as: UTF8.self)
    }
    // In a format with fields the user is a field, whatever that is called.
    let user = String(decoding: match.bytes(match.user, in: line), as: UTF8.self)
    if !user.isEmpty, captures["user"] == nil { captures["user"] = user }
    return Report(
      filter: filter.definition.name, pattern: filter.patternNames[match.pattern], address: match.address.description,
      count: match.count, weight: match.weight, time: match.time, captures: captures,
      event: match.event?.rawValue)
  }
}

/// Runs lines through filters, as one source: what each line was reported for.
func reports(_ lines: [LogLine], _ filters: [Filter]) -> [[Report]] { Reporter(filters).reports(lines) }

func reports(_ lines: [String], _ filters: [Filter]) -> [[Report]] { Reporter(filters).reports(lines) }
