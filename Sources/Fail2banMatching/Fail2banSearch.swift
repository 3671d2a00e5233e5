internal import Matching
internal import Model

/// The machinery of a `Fail2banMatcher`: a struct that nobody copies, so that what every line touches costs no check for
/// exclusive access and no reference count. As in `LineScanner`, all methods are mutating.
struct Fail2banSearch: ~Copyable {
  typealias Outcome = Fail2banMatcher.Outcome

  /// Ten times what native patterns get. Many of fail2ban's stock patterns take quadratic time or worse: at 100,000 a user
  /// name of some hundred equal letters can make them give up, at this limit it takes more. The price is up to 108 ms (the
  /// slowest line seen, on a busy machine) for such a line and pattern; both are counted.
  static let matchLimit: UInt32 = 1_000_000

  let filter: Fail2banFilter
  var counts = Fail2banMatcher.Counts()
  /// What was found, when the last line was a failure.
  var failure: Fail2banFailure
  var sessions = Fail2banSessions()
  private var stopped: [Int] = []
  private var scratch = MatchScratch(matchLimit: Fail2banSearch.matchLimit)
  private var dates: Fail2banDates
  private var lastDate: Instant?
  private var window: LineWindow
  /// What `prefregex` captured.
  private var prefix: CapturedFields
  // Used again for every line.
  private var decoded: [UInt8] = []
  private var whole: [UInt8] = []
  private var content: [UInt8] = []

  init(_ filter: Fail2banFilter) {
    self.filter = filter
    dates = Fail2banDates(filter.templates, zone: filter.zone)
    window = LineWindow(limit: filter.maxlines)
    failure = Fail2banFailure(filter)
    prefix = CapturedFields(count: filter.fields.names.count)
  }

  /// Which of `failregex` may match: `first` is the place of the first one.
  private struct Wanted {
    let bits: PatternBits
    let first: Int
  }

  mutating func tryLine(
    _ line: borrowing Span<UInt8>, _ clock: inout LogClock, _ time: Instant?, wanted: PatternBits, from first: Int
  ) -> Outcome {
    var end = line.count
    while end > 0, line[end - 1] == 13 || line[end - 1] == 10 { end -= 1 }
    let line = line.extracting(0..<end)
    let wanted = Wanted(bits: wanted, first: first)
    // Taken out while it is lent, and put back.
    var buffer: [UInt8] = []
    swap(&buffer, &decoded)
    let outcome =
      filter.decoding.decode(line, into: &buffer)
      ? tryText(buffer.span, isASCII: false, &clock, time, wanted)
      : tryText(line, isASCII: true, &clock, time, wanted)
    swap(&buffer, &decoded)
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

  mutating func tryLine(
    _ line: borrowing Span<UInt8>, _ clock: inout LogClock, _ time: Instant?, wanted: PatternBits, from first: Int,
    into match: inout Match, captures: Bool
  ) -> (outcome: Outcome, gaveUp: Int) {
    let before = counts.gaveUp
    let outcome = tryLine(line, &clock, time, wanted: wanted, from: first)
    if outcome == .failure { match.take(failure, captures: captures) }
    return (outcome, counts.gaveUp - before)
  }

  private mutating func tryText(
    _ line: borrowing Span<UInt8>, isASCII: Bool, _ clock: inout LogClock, _ time: Instant?, _ wanted: Wanted
  ) -> Outcome {
    var cut = 0..<0
    if let time {
      lastDate = time
      failure.time = time
      failure.isDated = true
    } else {
      cut = date(line, isASCII, &clock)
    }
    // Taken out while they are lent, and put back.
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
    // Lines before this one may hold other characters.
    let isASCII = isASCII && filter.maxlines == 1
    guard let prefregex = filter.prefregex else { return match(text, in: text, isASCII, nil, wanted) }
    guard isMatch(prefregex, text.span, isASCII, -1) else { return .none }
    prefregex.capture(text.span, scratch, into: &prefix)
    guard prefix.says(filter.keys.content) else { return match(text, in: text, isASCII, prefregex, wanted) }
    part.removeAll(keepingCapacity: true)
    _ = prefix.withSpan(filter.keys.content) { part.append($0, 0..<$0.count) }
    prefix.remove(filter.keys.content)
    part.append(10)
    return match(part, in: text, isASCII, prefregex, wanted)
  }

  /// Dates the line; returns what is to be cut out of it.
  private mutating func date(_ line: borrowing Span<UInt8>, _ isASCII: Bool, _ clock: inout LogClock) -> Range<Int> {
    let now = clock.now
    failure.isDated = false
    failure.time = now
    var cut = 0..<0
    if let found = dates.find(line, isASCII: isASCII, now: now, &scratch) {
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

  private mutating func recentDate(_ now: Instant) -> Instant? {
    lastDate.flatMap { $0 > now.subtracting(.seconds(60)) ? $0 : nil }
  }

  mutating func takeStopped() -> [Int] {
    defer { stopped.removeAll() }
    return stopped
  }

  private mutating func isMatch(
    _ pattern: Fail2banPattern, _ text: borrowing Span<UInt8>, _ isASCII: Bool, _ index: Int
  ) -> Bool {
    switch scratch.match(isASCII ? pattern.forASCII : pattern.pattern, text) {
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
  private mutating func match(
    _ text: [UInt8], in whole: [UInt8], _ isASCII: Bool, _ prefregex: Fail2banPattern?, _ wanted: Wanted
  ) -> Outcome {
    var next = wanted.bits.next(from: wanted.first)
    while let place = next, place - wanted.first < filter.failregex.count {
      next = wanted.bits.next(from: place + 1)
      let index = place - wanted.first
      let pattern = filter.failregex[index]
      guard isMatch(pattern, text.span, isASCII, index), let match = scratch.group(0) else { continue }
      pattern.capture(text.span, scratch, into: &failure.fields)
      if prefregex != nil {
        for field in prefix.indices
        where prefix[field] != nil && !pattern.owns(field) && failure.fields[field] == nil {
          failure.fields.take(field, from: prefix)
        }
      }
      // With few ignoreregex fail2ban asks them first, about the whole line; what else happened does not depend on it.
      if filter.ignoreregex.count < filter.failregex.count - 2, isIgnored(whole.span, isASCII) { return .ignored }
      var matched: [[UInt8]] = []
      if filter.maxlines > 1 {
        matched = window.take(match, in: text, skipped: skipped(pattern, text))
        if !filter.ignoreregex.isEmpty, isIgnored(Self.joined(matched).span, false) { return .ignored }
      } else if isIgnored(text.span, isASCII) {
        return .ignored
      }
      failure.pattern = index
      return conclude(lines: max(1, matched.count))
    }
    if filter.maxlines > 1, text.count != whole.count { window.replace(with: text.span.extracting(0..<text.count - 1)) }
    return .none
  }

  private mutating func isIgnored(_ text: borrowing Span<UInt8>, _ isASCII: Bool) -> Bool {
    for pattern in filter.ignoreregex where isMatch(pattern, text, isASCII, -1) { return true }
    return false
  }

  private static func joined(_ lines: [[UInt8]]) -> [UInt8] {
    var text: [UInt8] = []
    for line in lines {
      text.append(contentsOf: line)
      text.append(10)
    }
    return text
  }

  /// The lines that `<SKIPLINES>` went over in the last match.
  private mutating func skipped(_ pattern: Fail2banPattern, _ text: [UInt8]) -> [[UInt8]] {
    pattern.skips.flatMap { group -> [[UInt8]] in
      guard let range = scratch.group(group), !range.isEmpty else { return [] }
      var lines = text[range].split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
      if lines.last?.isEmpty == true { lines.removeLast() }
      return lines
    }
  }
}
