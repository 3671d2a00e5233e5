import Matching
import Model

/// What one line came to.
struct LineResult {
  enum Verdict: String { case failure, none, ignored }

  var verdict: Verdict
  var failures: [FoundFailure] = []
}

/// A failure with everything that it captured.
struct FoundFailure {
  var id: String
  var host: String
  var time: Instant
  var user: String?
  var pattern: String
  /// How many failures the line stands for (native), or how many lines stand behind it (fail2ban).
  var attempts: Int
  var weight = 1
  /// All users of a fail2ban session, when there are several.
  var users: [String] = []
  /// Every named group, in order.
  var captures: [(name: String, value: String)] = []

  var members: [(String, JSON)] {
    var members: [(String, JSON)] = [
      ("id", .string(id)), ("host", .string(host)), ("time", .double(time.epoch)),
    ]
    if let user { members.append(("user", .string(user))) }
    members.append(("pattern", .string(pattern)))
    for capture in captures where !members.contains(where: { $0.0 == capture.name }) {
      members.append((capture.name, .string(capture.value)))
    }
    if !users.isEmpty { members.append(("users", .texts(users))) }
    members.append(("attempts", .number(attempts)))
    if weight != 1 { members.append(("weight", .number(weight))) }
    return members
  }
}

/// Runs one filter over lines, one at a time, as the engine would.
final class LineTester {
  private let filter: Filter
  private let filterSet: FilterSet
  /// fail2ban's filters are asked directly: only their own matcher tells of sessions.
  private let matcher: Fail2banMatcher?
  private let history = LineHistory()
  private var clock: LogClock
  private let hasTimestamps: Bool
  private let stamp: [UInt8]

  /// Without time stamps every line happened at `clock.now`.
  init(_ filter: Filter, clock: LogClock, hasTimestamps: Bool) throws {
    self.filter = filter
    self.clock = clock
    self.hasTimestamps = hasTimestamps
    // Lines come one at a time, so that there is nothing to scan ahead.
    filterSet = FilterSet([filter], keepsCaptures: true, isPrefiltered: false)
    switch filter.definition.rules {
    case .native(let rules):
      matcher = nil
      // Syslog filters find the program behind a stamp; lines that come without one get this.
      stamp = hasTimestamps || rules.programs.isEmpty ? [] : Array((clock.now.rfc3339() + " ").utf8)
    case .fail2ban(let rules):
      do {
        matcher = Fail2banMatcher(
          try Fail2banFilter(rules, name: filter.definition.name, file: filter.definition.file))
      } catch {
        throw CommandFailure(.usage, error.description)
      }
      stamp = []
    }
  }

  /// Patterns that were stopped at their limit.
  var gaveUp: Int { filterSet.counts.gaveUp + (matcher?.counts.gaveUp ?? 0) }

  func test(_ line: borrowing Span<UInt8>) -> LineResult {
    if let matcher { return test(line, matcher) }
    var bytes = stamp
    for i in 0..<line.count { bytes.append(line[i]) }
    bytes.append(UInt8(ascii: "\n"))
    var failures: [FoundFailure] = []
    // Read before the clock is lent.
    let now = clock.now
    let ignored = filterSet.counts.ignored
    let distrusted = filterSet.counts.distrusted
    filterSet.scan(bytes.span, clock: &clock, history: history) { match, _, _ in
      var failure = FoundFailure(match, pattern: filter.patternNames[match.pattern])
      if !hasTimestamps { failure.time = now }
      failures.append(failure)
    }
    guard failures.isEmpty else { return LineResult(verdict: .failure, failures: failures) }
    return LineResult(
      verdict: filterSet.counts.ignored > ignored || filterSet.counts.distrusted > distrusted ? .ignored : .none)
  }

  private func test(_ line: borrowing Span<UInt8>, _ matcher: Fail2banMatcher) -> LineResult {
    var failures: [FoundFailure] = []
    let time = hasTimestamps ? nil : clock.now
    let outcome = matcher.tryLine(line, clock: &clock, time: time) { failure in
      failures.append(FoundFailure(failure, pattern: filter.patternNames[failure.pattern]))
    }
    guard failures.isEmpty else { return LineResult(verdict: .failure, failures: failures) }
    if case .ignored = outcome { return LineResult(verdict: .ignored) }
    return LineResult(verdict: .none)
  }
}

extension FoundFailure {
  init(_ match: Match, pattern: String) {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    self.init(
      id: match.name.isEmpty ? match.address.description : text(match.name), host: text(match.host), time: match.time,
      user: match.user.isEmpty ? nil : text(match.user), pattern: pattern, attempts: match.count, weight: match.weight,
      captures: match.captures.map { ($0.name, text($0.value)) })
  }

  init(_ failure: Fail2banFailure, pattern: String) {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    self.init(
      id: failure.id, host: text(failure.host), time: failure.time, user: failure.user.map(text), pattern: pattern,
      attempts: failure.attempts, users: failure.users.count > 1 ? failure.users.map(text) : [])
    failure.forEachCapture { name, value in
      var bytes: [UInt8] = []
      for i in 0..<value.count { bytes.append(value[i]) }
      captures.append((name, text(bytes)))
    }
  }
}
