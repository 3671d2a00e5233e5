internal import Fail2banMatching
internal import Filters
internal import JSON
public import Matching
public import Model

/// What one line came to.
public struct LineResult: Sendable {
  public enum Verdict: String, Sendable, Encodable { case failure, activity, none, ignored }

  public var verdict: Verdict
  public var failures: [FoundFailure] = []
  public var activities: [FoundActivity] = []

  init(verdict: Verdict, failures: [FoundFailure] = []) {
    self.verdict = verdict
    self.failures = failures
  }

  mutating func add(_ failure: FoundFailure, event: ActivityEvent?) {
    guard let event else {
      verdict = .failure
      failures.append(failure)
      return
    }
    if verdict != .failure { verdict = .activity }
    activities.append(FoundActivity(event: event, found: failure))
  }
}

/// An activity with everything that its pattern captured; without a host where the line says none.
public struct FoundActivity: Sendable, Encodable {
  public var event: ActivityEvent
  public var found: FoundFailure

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: RawKey.self)
    try members.encode(event.rawValue, forKey: RawKey("event"))
    try members.encode(found.time.epoch, forKey: RawKey("time"))
    try members.encode(found.pattern, forKey: RawKey("pattern"))
    if !found.host.isEmpty { try members.encode(found.host, forKey: RawKey("host")) }
    var known: Set = ["event", "time", "pattern", "host"]
    if let user = found.user {
      known.insert("user")
      try members.encode(user, forKey: RawKey("user"))
    }
    for capture in found.captures where known.insert(capture.name).inserted {
      try members.encode(capture.value, forKey: RawKey(capture.name))
    }
  }
}

/// A failure with everything that it captured.
public struct FoundFailure: Sendable {
  public var id: String
  public var host: String
  public var time: Instant
  public var user: String?
  public var pattern: String
  /// How many failures the line represents (native), or how many lines follow it (fail2ban).
  public var attempts: Int
  public var weight = 1
  /// All users of a fail2ban session, when there are several.
  public var users: [String] = []
  /// Every named group, in order.
  public var captures: [(name: String, value: String)] = []
}

extension FoundFailure: Encodable {
  /// `time` is in seconds since 1970, and every named group of the pattern is a member.
  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: RawKey.self)
    var known: Set = ["id", "host", "time", "pattern"]
    try members.encode(id, forKey: RawKey("id"))
    try members.encode(host, forKey: RawKey("host"))
    try members.encode(time.epoch, forKey: RawKey("time"))
    if let user {
      known.insert("user")
      try members.encode(user, forKey: RawKey("user"))
    }
    try members.encode(pattern, forKey: RawKey("pattern"))
    for capture in captures where known.insert(capture.name).inserted {
      try members.encode(capture.value, forKey: RawKey(capture.name))
    }
    if !users.isEmpty { try members.encode(users, forKey: RawKey("users")) }
    try members.encode(attempts, forKey: RawKey("attempts"))
    if weight != 1 { try members.encode(weight, forKey: RawKey("weight")) }
  }
}

/// Runs one filter over lines as the engine would, and says what each came to.
public final class LineTester {
  private let filter: Filter
  private let filterSet: FilterSet
  /// For lines taken out of their surroundings.
  private let single: FilterSet
  /// fail2ban's filters are asked directly: only their own matcher tells of sessions.
  private let matcher: Fail2banMatcher?
  private let history = LineHistory()
  private var clock: LogClock
  private let hasTimestamps: Bool
  /// What must precede each line of a batch: syslog filters find the program behind a stamp.
  public let prefix: [UInt8]
  /// Whose messages lines without time stamps and program are; empty where lines have them.
  private let bareProgram: [UInt8]

  /// Without time stamps every line happened at `clock.now`.
  public init(_ filter: Filter, clock: LogClock, hasTimestamps: Bool) throws(RequestError) {
    self.filter = filter
    self.clock = clock
    self.hasTimestamps = hasTimestamps
    filterSet = FilterSet([filter], keepsCaptures: true, isPrefiltered: false, readsActivity: true)
    single = FilterSet([filter], isPrefiltered: false)
    switch filter.definition.rules {
    case .native(let rules):
      matcher = nil
      prefix = hasTimestamps || rules.programs.isEmpty ? [] : Array((clock.now.rfc3339() + " ").utf8)
      bareProgram = hasTimestamps ? [] : Array((rules.programs.first ?? "").utf8)
    case .fail2ban(let rules):
      do {
        matcher = Fail2banMatcher(
          try Fail2banFilter(rules, name: filter.definition.name, file: filter.definition.file))
      } catch {
        throw RequestError(.invalid, error.description)
      }
      prefix = []
      bareProgram = []
    }
  }

  /// Patterns that were stopped at their limit.
  public var gaveUp: Int { filterSet.counts.gaveUp + (matcher?.counts.gaveUp ?? 0) }

  /// A result for each line of the batch.
  public func test(_ batch: LineBatch) -> [LineResult] {
    if let matcher {
      return batch.starts.indices.map { test(batch.line($0).span, matcher) }
    }
    var results = [LineResult](repeating: LineResult(verdict: .none), count: batch.starts.count)
    // Read before the clock is lent.
    let now = clock.now
    let before = filterSet.counts
    var number = 0
    history.ahead = []
    filterSet.scan(batch.bytes.span, clock: &clock, history: history) { match, line, offset in
      while number + 1 < batch.starts.count, batch.starts[number + 1] <= offset { number += 1 }
      var failure = FoundFailure(match, in: line, pattern: filter.patternNames[match.pattern])
      if !hasTimestamps { failure.time = now }
      results[number].add(failure, event: match.event)
    }
    if !bareProgram.isEmpty {
      for number in results.indices where results[number].verdict == .none { testMessage(batch, number, &results) }
    }
    if filterSet.counts.ignored > before.ignored || filterSet.counts.distrusted > before.distrusted {
      for number in results.indices where results[number].verdict == .none && matchesAlone(batch.line(number)) {
        results[number].verdict = .ignored
      }
    }
    return results
  }

  /// The line as a journal's bare message, of the filter's own program.
  private func testMessage(_ batch: LineBatch, _ number: Int, _ results: inout [LineResult]) {
    let message = Array(batch.line(number).dropFirst(prefix.count))
    let (program, now) = (bareProgram, clock.now)
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    filterSet.scan(
      message: message.span,
      program: {
        $1 += program
        return true
      }, time: { now }, clock: &clock, header: { _, _ in }, history: history
    ) { match, line in
      results[number].add(
        FoundFailure(match, in: line, pattern: filter.patternNames[match.pattern]), event: match.event)
    }
  }

  /// Does the line match, or is it ignored, without the lines around it? The counts of a batch do not say which line it was.
  private func matchesAlone(_ line: [UInt8]) -> Bool {
    var clock = clock
    let before = single.counts
    single.scan(line.span, clock: &clock, history: LineHistory()) { _, _, _ in }
    let after = single.counts
    return after.matched + after.ignored + after.distrusted > before.matched + before.ignored + before.distrusted
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

extension LineBatch {
  /// A line without its LF.
  fileprivate func line(_ number: Int) -> [UInt8] {
    let end = number + 1 < starts.count ? starts[number + 1] : bytes.count
    return Array(bytes[starts[number]..<end - 1])
  }
}

extension FoundFailure {
  init(_ match: borrowing Match, in line: borrowing Span<UInt8>, pattern: String) {
    let name = match.name.isEmpty ? match.address.description : Self.text(match.bytes(match.name, in: line))
    let user = match.user.isEmpty ? nil : Self.text(match.bytes(match.user, in: line))
    self.init(
      id: name, host: Self.text(match.bytes(match.host, in: line)), time: match.time, user: user, pattern: pattern,
      attempts: match.count, weight: match.weight, captures: match.captures.map { ($0.name, Self.text($0.value)) })
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  init(_ failure: Fail2banFailure, pattern: String) {
    // The host as the line has it, as fail2ban's annotations do; the id is the address in its shortest form.
    let host = failure["ip4"] ?? failure["ip6"] ?? failure.host
    self.init(
      id: failure.id, host: Self.text(host), time: failure.time, user: failure.user.map(Self.text), pattern: pattern,
      attempts: failure.attempts, users: failure.users.count > 1 ? failure.users.map(Self.text) : [])
    failure.forEachCapture { name, value in
      var bytes: [UInt8] = []
      for i in 0..<value.count { bytes.append(value[i]) }
      captures.append((name, Self.text(bytes)))
    }
  }
}
