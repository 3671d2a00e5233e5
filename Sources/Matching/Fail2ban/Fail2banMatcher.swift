public import Model

/// Matches lines the way fail2ban does: decode, find the date and cut it out, `prefregex`, the first `failregex` that fits,
/// `ignoreregex`, sessions, the id.
///
/// ```swift
/// let filter = try Fail2banFilter(rules, name: "sshd", file: "/etc/fail2ban/filter.d/sshd.conf")
/// let matcher = Fail2banMatcher(filter)
/// matcher.tryLine(line, clock: &clock) { failure in … }
/// ```
/// It belongs to one thread and to one source: dates and sessions of different logs must not meet. A line that comes to
/// nothing costs no allocation.
public final class Fail2banMatcher {
  public enum Outcome: Sendable {
    case none
    case failure
    /// An `ignoreregex` cancelled the match.
    case ignored
    /// No failure by itself: it carries data for its session, or tells of a success.
    case noted
    /// A failure that waits for a line of its session to bring the address.
    case pending
  }

  /// What became of the lines; only ever grows.
  public struct Counts: Sendable, Equatable {
    public var failures = 0
    public var ignored = 0
    public var noted = 0
    public var pending = 0
    /// Patterns that were stopped at a limit.
    public var gaveUp = 0
    /// Sessions given up for want of room.
    public var evictedSessions = 0
    /// Failures of a host name where names are not asked for (`usedns = no`).
    public var unresolved = 0
  }

  /// Ten times what native patterns get. Many of fail2ban's stock patterns take quadratic time or worse: at 100,000 a user
  /// name of some hundred equal letters can make them give up, at this limit it takes more. The price is up to 108 ms (the
  /// slowest line seen, on a busy machine) for such a line and pattern; both are counted.
  static let matchLimit: UInt32 = 1_000_000

  public let filter: Fail2banFilter
  public internal(set) var counts = Counts()
  /// Those of `failregex` that were stopped at their limit since they were last asked for.
  private var stopped: [Int] = []
  /// Those that are not tried any more.
  private var quarantined: Set<Int> = []

  private var scratch = MatchScratch(matchLimit: Fail2banMatcher.matchLimit)
  private var dates: Fail2banDates
  private var lastDate: Instant?
  private var window: LineWindow
  var sessions = Fail2banSessions()
  let failure: Fail2banFailure
  /// What `prefregex` captured.
  private var prefix: CapturedFields
  // Used again for every line.
  private var decoded: [UInt8] = []
  private var whole: [UInt8] = []
  private var content: [UInt8] = []

  public init(_ filter: Fail2banFilter) {
    self.filter = filter
    dates = Fail2banDates(filter.templates, zone: filter.zone)
    window = LineWindow(limit: filter.maxlines)
    failure = Fail2banFailure(filter)
    prefix = CapturedFields(count: filter.fields.names.count)
  }

  /// Tries one line, without its line end. With `time`, the line carries no date and this is it, as from the journal.
  @discardableResult
  public func tryLine(
    _ line: borrowing Span<UInt8>, clock: inout LogClock, time: Instant? = nil, _ body: (Fail2banFailure) -> Void
  ) -> Outcome {
    var end = line.count
    while end > 0, line[end - 1] == 13 || line[end - 1] == 10 { end -= 1 }
    let line = line.extracting(0..<end)
    // Taken out while it is lent, and put back.
    var buffer: [UInt8] = []
    swap(&buffer, &decoded)
    defer { swap(&buffer, &decoded) }
    let outcome =
      filter.decoding.decode(line, into: &buffer)
      ? tryText(buffer.span, &clock, time, body) : tryText(line, &clock, time, body)
    switch outcome {
    case .none: break
    case .failure: counts.failures += 1
    case .ignored: counts.ignored += 1
    case .noted: counts.noted += 1
    case .pending: counts.pending += 1
    }
    counts.evictedSessions = sessions.evicted
    return outcome
  }

  private func tryText(
    _ line: borrowing Span<UInt8>, _ clock: inout LogClock, _ time: Instant?, _ body: (Fail2banFailure) -> Void
  ) -> Outcome {
    var cut = 0..<0
    if let time {
      lastDate = time
      failure.time = time
      failure.isDated = true
    } else {
      cut = date(line, &clock)
    }
    var text: [UInt8] = []
    var part: [UInt8] = []
    swap(&text, &whole)
    swap(&part, &content)
    defer {
      swap(&text, &whole)
      swap(&part, &content)
    }
    if filter.maxlines > 1 {
      window.append(line, without: cut)
      window.join(into: &text)
    } else {
      text.removeAll(keepingCapacity: true)
      text.append(line, 0..<cut.lowerBound)
      text.append(line, cut.upperBound..<line.count)
      text.append(10)
    }
    guard let prefregex = filter.prefregex else { return match(text, in: text, nil, body) }
    guard isMatch(prefregex, text.span, -1) else { return .none }
    prefregex.capture(text.span, scratch, into: &prefix)
    guard prefix.says(filter.keys.content) else { return match(text, in: text, prefregex, body) }
    part.removeAll(keepingCapacity: true)
    _ = prefix.withSpan(filter.keys.content) { part.append($0, 0..<$0.count) }
    prefix.remove(filter.keys.content)
    part.append(10)
    return match(part, in: text, prefregex, body)
  }

  /// Dates the line; returns what is to be cut out of it.
  private func date(_ line: borrowing Span<UInt8>, _ clock: inout LogClock) -> Range<Int> {
    let now = clock.now
    failure.isDated = false
    failure.time = now
    var cut = 0..<0
    if let found = dates.find(line, now: now, &scratch) {
      if found.cut.isEmpty {
        // A pattern that says: no date here.
        failure.time = recentDate(now) ?? now
        return cut
      }
      cut = found.cut
      if let time = dates.read(found, line, &clock, scratch) {
        lastDate = time
        failure.time = time
        failure.isDated = true
        return cut
      }
    }
    // No date: that of the line before, if it was not long ago; the line then stays whole.
    if let recent = recentDate(now) {
      failure.time = recent
      cut = 0..<0
    }
    return cut
  }

  private func recentDate(_ now: Instant) -> Instant? {
    lastDate.flatMap { $0 > now.subtracting(.seconds(60)) ? $0 : nil }
  }

  /// Never tries this one of `failregex` again.
  func quarantine(_ index: Int) { quarantined.insert(index) }

  func takeStopped() -> [Int] {
    defer { stopped.removeAll() }
    return stopped
  }

  private func isMatch(_ pattern: Fail2banPattern, _ text: borrowing Span<UInt8>, _ index: Int) -> Bool {
    switch scratch.match(pattern.pattern, text) {
    case .matched: return true
    case .none: return false
    case .gaveUp:
      counts.gaveUp += 1
      // Another expression than those that find failures is only counted: without it the filter would mean something else.
      if index >= 0 { stopped.append(index) }
      return false
    }
  }

  /// Tries the expressions on `text`, which is `whole` or the part of it that `prefregex` chose.
  private func match(
    _ text: [UInt8], in whole: [UInt8], _ prefregex: Fail2banPattern?, _ body: (Fail2banFailure) -> Void
  ) -> Outcome {
    for index in filter.failregex.indices where quarantined.isEmpty || !quarantined.contains(index) {
      let pattern = filter.failregex[index]
      guard isMatch(pattern, text.span, index), let place = scratch.group(0) else { continue }
      pattern.capture(text.span, scratch, into: &failure.fields)
      if prefregex != nil {
        for field in filter.fields.names.indices
        where prefix[field] != nil && !pattern.owns(field) && failure.fields[field] == nil {
          failure.fields.take(field, from: prefix)
        }
      }
      // With few ignoreregex fail2ban asks them first, about the whole line; what else happened does not depend on it.
      if filter.ignoreregex.count < filter.failregex.count - 2, isIgnored(whole.span) { return .ignored }
      let matched: [[UInt8]]
      if filter.maxlines > 1 {
        matched = window.take(place, in: text, skipped: skipped(pattern, text))
        if !filter.ignoreregex.isEmpty, isIgnored(joined(matched).span) { return .ignored }
      } else {
        matched = []
        if isIgnored(text.span) { return .ignored }
      }
      failure.pattern = index
      return conclude(whole, matched, body)
    }
    if filter.maxlines > 1, text.count != whole.count { window.replace(with: text.span.extracting(0..<text.count - 1)) }
    return .none
  }

  private func isIgnored(_ text: borrowing Span<UInt8>) -> Bool {
    for pattern in filter.ignoreregex where isMatch(pattern, text, -1) { return true }
    return false
  }

  private func joined(_ lines: [[UInt8]]) -> [UInt8] {
    var text: [UInt8] = []
    for line in lines {
      text.append(contentsOf: line)
      text.append(10)
    }
    return text
  }

  /// The lines that `<SKIPLINES>` went over in the last match.
  private func skipped(_ pattern: Fail2banPattern, _ text: [UInt8]) -> [[UInt8]] {
    pattern.skips.flatMap { group -> [[UInt8]] in
      guard let range = scratch.group(group), !range.isEmpty else { return [] }
      var lines = text[range].split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
      if lines.last?.isEmpty == true { lines.removeLast() }
      return lines
    }
  }
}
