import Fail2banMatching
import Filters
import Matching
import Model

/// A matcher and what it found, for tests that feed it lines of text.
final class Fail2banBench {
  struct Finding: Equatable {
    var id: String
    var user: String?
    var attempts: Int
  }

  let matcher: Fail2banMatcher
  var clock = LogClock(now: Instant(rfc3339: "2024-03-05T12:00:00Z")!, zone: ZoneOffsets(name: "UTC")!)

  init(_ rules: Fail2banRules) throws {
    matcher = Fail2banMatcher(try Fail2banFilter(rules, name: "test", file: "test.conf"))
  }

  convenience init(
    prefregex: String? = nil, _ failregex: String..., ignore: [String] = [], datepattern: String? = nil,
    maxlines: Int = 1, usedns: Fail2banRules.DNS = .warn, logencoding: String = "auto"
  ) throws {
    try self.init(
      Fail2banRules(
        prefregex: prefregex, failregex: failregex, ignoreregex: ignore, datepattern: datepattern, maxlines: maxlines,
        usedns: usedns, logencoding: logencoding))
  }

  /// What one line comes to.
  func outcome(_ line: String) -> Fail2banMatcher.Outcome { outcome(Array(line.utf8)) }

  func outcome(_ line: [UInt8]) -> Fail2banMatcher.Outcome { matcher.tryLine(line.span, clock: &clock) { _ in } }

  /// The failures that lines come to.
  func findings(_ lines: String...) -> [Finding] {
    var found: [Finding] = []
    for line in lines {
      failure(Array(line.utf8)) { failure in
        found.append(
          Finding(
            id: failure.id, user: failure.user.map { String(decoding: $0, as: UTF8.self) }, attempts: failure.attempts))
      }
    }
    return found
  }

  func failure(_ line: [UInt8], _ body: (Fail2banFailure) -> Void) {
    _ = matcher.tryLine(line.span, clock: &clock, body)
  }

  func ids(_ lines: String...) -> [String] {
    var found: [String] = []
    for line in lines { failure(Array(line.utf8)) { found.append($0.id) } }
    return found
  }
}
