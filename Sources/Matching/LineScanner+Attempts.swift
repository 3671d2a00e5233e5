internal import Filters
internal import Model

/// A filter's patterns, tried on what they see of a line.
extension LineScanner {
  /// What a line came to.
  struct Verdict {
    var matched = false
    var ignored = false
    var isActivity = false

    mutating func note(isActivity: Bool) {
      if isActivity { self.isActivity = true } else { matched = true }
    }
  }

  mutating func count(_ outcome: Verdict) {
    counts.candidates += 1
    if outcome.matched {
      counts.matched += 1
    } else if outcome.isActivity {
      counts.activities += 1
    } else if outcome.ignored {
      counts.ignored += 1
    }
  }

  /// Tries another engine's filter; true when `match` holds a failure.
  mutating func attempt(
    _ matcher: any ForeignMatcher, _ filter: Int, _ line: borrowing Span<UInt8>, _ time: Instant?,
    _ clock: inout LogClock, _ wanted: PatternBits, _ outcome: inout Verdict
  ) -> Bool {
    let (result, gaveUp) = matcher.tryLine(
      line, &clock, time, wanted: stopped.affordable(wanted, line.count, counts.candidates, clock.now),
      from: slots[filter], into: &match,
      captures: keepsCaptures)
    if gaveUp > 0 {
      counts.gaveUp += gaveUp
      for pattern in matcher.takeStopped() { report(filter, pattern, clock.now) }
    }
    switch result {
    case .failure:
      match.filter = filter
      outcome.matched = true
      return true
    case .ignored: outcome.ignored = true
    case .none, .noted, .pending: break
    }
    return false
  }

  /// Tries the filter's patterns in their order; true when one matched and nothing ignores the line.
  mutating func attempt(
    _ native: NativeFilter, _ filter: Int, _ line: borrowing Span<UInt8>, _ range: Range<Int>,
    after pattern: Int = -1, isComposed: Bool = false, _ now: Instant, _ outcome: inout Verdict
  ) -> Bool {
    let subject = line.extracting(range)
    if let plan = native.fields {
      if keepsCaptures { fieldNames = plan.slots.map(\.name) }
      guard read(plan, subject) else { return false }
    }
    var next = wanted.next(from: slots[filter] + pattern + 1)
    while let slot = next, slot < slots[filter + 1] {
      next = wanted.next(from: slot + 1)
      guard stopped.mayTry(slot, subject.count, counts.candidates, now) else { continue }
      let index = slot - slots[filter]
      switch attempt(native.patterns[index], subject, at: isComposed ? nil : range.lowerBound) {
      case .none: continue
      case .gaveUp:
        counts.gaveUp += 1
        report(filter, index, now)
        continue
      case .matched: break
      }
      match.filter = filter
      match.pattern = index
      if match.event != nil { return true }
      if !native.ignore.isEmpty {
        for ignored in native.ignore where isIgnored(ignored, subject) {
          outcome.ignored = true
          return false
        }
      }
      return true
    }
    return false
  }

  private mutating func isIgnored(_ ignored: NativePattern, _ subject: borrowing Span<UInt8>) -> Bool {
    if let expression = ignored.expression, scratch.match(expression.pattern, subject) != .matched { return false }
    for condition in ignored.conditions where holds(condition, nil, subject, at: nil) != .matched { return false }
    return true
  }

  /// The same with `composed` as the line.
  mutating func attemptComposed(
    _ native: NativeFilter, _ filter: Int, _ now: Instant, _ outcome: inout Verdict
  ) -> Bool {
    // Taken out while it is lent, and put back.
    var line: [UInt8] = []
    swap(&line, &composed)
    defer { swap(&line, &composed) }
    return attempt(native, filter, line.span, 0..<line.count, isComposed: true, now, &outcome)
  }

  /// Says that a pattern was stopped at its limit.
  private mutating func report(_ filter: Int, _ pattern: Int, _ now: Instant) {
    stopped.add(slots[filter] + pattern, counts.candidates, now)
    onGiveUp?(filter, pattern)
  }
}
