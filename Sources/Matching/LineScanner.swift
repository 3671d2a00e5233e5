internal import Filters
internal import Model

/// The machinery of a `FilterSet`: a struct that nobody copies, so that the state which every candidate line touches costs
/// no check for exclusive access and no reference count. Its methods are mutating, also those that change nothing: for another
/// one, all of its bytes are copied.
struct LineScanner: ~Copyable {
  var counts = FilterSet.Counts()
  /// Called when a pattern was stopped at its limit: filter, pattern.
  var onGiveUp: ((Int, Int) -> Void)?
  /// Patterns that were stopped, by their place among all.
  private var stopped: [Int: StoppedLately] = [:]

  /// Where each filter's patterns stand among all patterns of the set; the last entry is their number.
  private let slots: [Int]
  /// The filter of each of all patterns.
  private let owners: [Int]
  /// Patterns that the prefilter knows nothing of: every line is a candidate for them.
  private let always: PatternBits
  private let triesEveryLine: Bool
  private let prefilter: PrefilterScratch?
  private let literalSlots: LiteralSlots
  /// The patterns that may match the line at hand.
  private var wanted: PatternBits
  private let all: PatternBits
  let keepsCaptures: Bool
  private let keepsHistory: Bool
  /// May the source be nginx's error log? Then a client can write lines that any of the filters would take.
  private let readsNginx: Bool
  private let readsAudit: Bool
  var scratch = MatchScratch()
  /// The lines at hand are one program's, whose headers may be missing.
  var isPayload = false
  /// What was found in the line at hand.
  var match = Match()
  /// The fields of the line at hand, as the filter at hand has them.
  var fields = FieldTable()
  /// Where `has` undoes escapes.
  var decodedText = DecodedText()
  /// Which column of the source is what, while it is scanned.
  var columnHeader = ColumnHeader()
  /// Their names.
  var fieldNames: [String] = []
  /// The native filters, by their place in the set.
  private let natives: [NativeFilter?]
  /// What other engines know of this source, by their filters' place.
  private let matchers: [(any ForeignMatcher)?]
  let hasMatchers: Bool
  /// Who is behind which connection, in the journal.
  private var entryLine: [UInt8] = []
  private var entryProgram: [UInt8] = []
  /// A subject that is not in the log as such.
  private var composed: [UInt8] = []

  /// `continuing`: the matcher that a filter of fail2ban's goes on with; nil for a new one.
  init(
    _ filters: [Filter], keepsCaptures: Bool, isPrefiltered: Bool,
    continuing: (FilterDefinition) -> (any ForeignMatcher)? = { _ in nil }
  ) {
    var slots = [0]
    var required: [RequiredLiterals?] = []
    for filter in filters {
      required += filter.requiredLiterals
      slots.append(required.count)
    }
    self.slots = slots
    owners = filters.indices.flatMap { filter in Array(repeating: filter, count: slots[filter + 1] - slots[filter]) }
    let prefilter = isPrefiltered ? Prefilter(required).flatMap { PrefilterScratch($0) } : nil
    self.prefilter = prefilter
    literalSlots = prefilter?.prefilter.slots ?? LiteralSlots([])
    var always = PatternBits(count: required.count)
    for slot in required.indices where required[slot] == nil || prefilter == nil { always.insert(slot) }
    self.always = always
    triesEveryLine = !always.isEmpty
    wanted = always
    all = PatternBits(count: required.count, all: true)
    self.keepsCaptures = keepsCaptures
    natives = filters.map { filter in
      if case .native(let native) = filter.body { native } else { nil }
    }
    matchers = filters.map { filter in
      guard case .foreign(let foreign) = filter.body else { return nil }
      return continuing(filter.definition) ?? foreign.makeMatcher()
    }
    hasMatchers = matchers.contains { $0 != nil }
    keepsHistory = natives.contains { $0?.readsHistory == true }
    readsNginx = natives.contains { $0?.records == .nginx }
    readsAudit = natives.contains { $0?.records == .modsecurityAudit }
  }

  func matcher(at filter: Int) -> (any ForeignMatcher)? { matchers[filter] }

  /// Matches whole lines, back to back, each ended by LF (the last may lack it). `body` gets each match with its line and
  /// the line's offset in `lines`.
  mutating func scan(
    _ lines: borrowing Span<UInt8>, clock: inout LogClock, history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>, Int) -> Void
  ) {
    if readsAudit { history.enterAudit(lines) }
    swap(&columnHeader, &history.columnHeader)
    defer { swap(&columnHeader, &history.columnHeader) }
    if triesEveryLine || prefilter == nil || !prefilter!.scan(lines) {
      scanEveryLine(lines, &clock, history, body)
    } else {
      scanCandidates(lines, &clock, history, body)
    }
    if keepsHistory { history.keep(lines) }
  }

  /// Every line, with what the prefilter found in it.
  private mutating func scanEveryLine(
    _ lines: borrowing Span<UInt8>, _ clock: inout LogClock, _ history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>, Int) -> Void
  ) {
    let isScanned = prefilter?.scan(lines) ?? false
    let hits = prefilter?.hits ?? []
    var hit = 0
    var at = 0
    while at < lines.count {
      let end = lines.firstLF(from: at)
      if isScanned { want(upTo: end, of: hits, &hit) } else { wantAll() }
      handle(lines, at..<end, &clock, history, body)
      at = end + 1
    }
  }

  /// Only the lines in which the prefilter found something.
  private mutating func scanCandidates(
    _ lines: borrowing Span<UInt8>, _ clock: inout LogClock, _ history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>, Int) -> Void
  ) {
    let hits = prefilter!.hits
    var hit = 0
    while hit < hits.count {
      let found = Int(hits[hit] >> 32) - 1
      let start = lines.lineStart(before: found)
      let end = lines.firstLF(from: found)
      want(upTo: end, of: hits, &hit)
      handle(lines, start..<end, &clock, history, body)
    }
  }

  /// Marks the patterns whose literals end at or before `end`.
  private mutating func want(upTo end: Int, of hits: [UInt64], _ hit: inout Int) {
    wanted.assign(always)
    while hit < hits.count, Int(hits[hit] >> 32) <= end {
      literalSlots.insert(Int(truncatingIfNeeded: hits[hit] & 0xFFFF_FFFF), into: &wanted)
      hit += 1
    }
  }

  private mutating func wantAll() { wanted.assign(all) }

  /// The first filter from `filter` on of which a pattern is wanted; nil when there is none.
  private mutating func nextWanted(from filter: Int) -> Int? {
    guard let slot = wanted.next(from: slots[filter]), slot < owners.count else { return nil }
    return owners[slot]
  }

  /// Says that a pattern was stopped at its limit.
  private mutating func report(_ filter: Int, _ pattern: Int, _ now: Instant) {
    let lines = counts.candidates
    var lately = stopped[slots[filter] + pattern] ?? StoppedLately(lines, now)
    lately.add(lines, now)
    stopped[slots[filter] + pattern] = lately
    onGiveUp?(filter, pattern)
  }

  /// Those of `wanted` that may work on a line of this length.
  private mutating func affordable(_ wanted: PatternBits, _ length: Int, _ now: Instant) -> PatternBits {
    guard !stopped.isEmpty, length > StoppedLately.shortest else { return wanted }
    var affordable = wanted
    for slot in stopped.keys where !mayTry(slot, length, now) { affordable.remove(slot) }
    return affordable
  }

  /// May a pattern that was stopped too often of late work on a line of this length?
  private mutating func mayTry(_ slot: Int, _ length: Int, _ now: Instant) -> Bool {
    guard !stopped.isEmpty, length > StoppedLately.shortest, let lately = stopped[slot] else { return true }
    return lately.mayTry(counts.candidates, now)
  }

  /// See `FilterSet.scan(message:)`. Reading a field of an entry costs as much as reading its message.
  mutating func scan(
    message: borrowing Span<UInt8>, program: (Int, inout [UInt8]) -> Bool, time: () -> Instant, clock: inout LogClock,
    header: (Int, inout [UInt8]) -> Void, history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>) -> Void
  ) {
    if prefilter != nil, prefilter!.scan(message) {
      if prefilter!.hits.isEmpty, !triesEveryLine, !hasMatchers { return }
      var hit = 0
      want(upTo: message.count, of: prefilter!.hits, &hit)
    } else {
      wantAll()
    }
    var outcome = Verdict()
    for index in natives.indices {
      if let native = natives[index] {
        guard nextWanted(from: index) == index, native.records != .modsecurityAudit else { continue }
        if !native.programs.isEmpty {
          entryProgram.removeAll(keepingCapacity: true)
          if program(index, &entryProgram) {
            guard native.admits(entryProgram.span, 0..<entryProgram.count) else { continue }
          }
        }
        if attempt(native, index, message, 0..<message.count, clock.now, &outcome) {
          if match.attempt != .alone {
            entryProgram.removeAll(keepingCapacity: true)
            header(index, &entryProgram)
            connect(pid: SyslogHeader.pid(endOf: entryProgram.span))
          }
          match.time = time()
          match.isDated = true
          if deliver(native, message, history, body) { outcome.matched = true }
        }
      } else if let matcher = matchers[index] {
        // What its patterns need may be in the header, which the scan of the message did not see.
        entryLine.removeAll(keepingCapacity: true)
        header(index, &entryLine)
        entryLine.append(message, 0..<message.count)
        // Taken out while it is lent, and put back.
        var line: [UInt8] = []
        swap(&line, &entryLine)
        let isFound = attempt(matcher, index, line.span, time(), &clock, all, &outcome)
        swap(&line, &entryLine)
        if isFound { body(match, message) }
      }
    }
    count(outcome)
  }

  /// May the match in the line at `line` be what a client wrote behind a line end of its own?
  private mutating func isBelieved(
    _ native: NativeFilter, _ filter: Int, _ lines: borrowing Span<UInt8>, _ line: Int, _ history: LineHistory,
    _ clock: inout LogClock
  ) -> Bool {
    let time = match.isDated ? match.time : nil
    if !native.torn.isEmpty, match.weight > 0,
      history.isTorn(lines, before: line, at: time, by: native, with: &scratch, &clock)
    {
      return false
    }
    return history.believes(match.address, of: filter, at: line, time, within: native.untrustedAfterMatch, clock)
  }

  private struct Verdict {
    var matched = false
    var ignored = false
  }

  private mutating func count(_ outcome: Verdict) {
    counts.candidates += 1
    if outcome.matched { counts.matched += 1 } else if outcome.ignored { counts.ignored += 1 }
  }

  private mutating func handle(
    _ lines: borrowing Span<UInt8>, _ range: Range<Int>, _ clock: inout LogClock, _ history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>, Int) -> Void
  ) {
    var end = range.upperBound
    if end > range.lowerBound, lines[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    guard end > range.lowerBound else { return }
    let line = lines.extracting(range.lowerBound..<end)
    var outcome = Verdict()
    var header: SyslogHeader?
    var isParsed = false
    var trusted: Bool?
    if readsAudit, history.takeBoundary(lines, line: range.lowerBound..<end, mayBeNginx: readsNginx) { return }
    let isInAudit = readsAudit && history.audit.isOpen(at: range.lowerBound)
    var next = nextWanted(from: 0)
    while let index = next {
      next = nextWanted(from: index + 1)
      if let native = natives[index] {
        if isInAudit || native.records == .modsecurityAudit {
          // Whatever else is in such a record may be the client's.
          guard native.records == .modsecurityAudit else { continue }
          verdict(native, index, line, history, &clock, &outcome) { body($0, $1, range.lowerBound) }
          continue
        }
        var subject = 0..<line.count
        var repeated = 1
        // The repeated message of a line whose header the patterns look at themselves; empty: none.
        var content = 0..<0
        if !isParsed {
          header = SyslogHeader.parse(line, clock: &clock)
          isParsed = true
        }
        if !native.programs.isEmpty, !(native.hasOwnLog || isPayload) || isSyslog(header, native, line) {
          guard let header, native.admits(line, header.program) else { continue }
          subject = header.message..<line.count
          if let unwrapped = RepeatedMessage(line, from: header.message) {
            subject = unwrapped.content
            repeated = unwrapped.count
          }
        } else if native.fields != nil, let header, !header.stamp.isEmpty {
          // A log in a format that went through syslog. Its stamp comes first, where no client writes.
          subject = header.message..<line.count
        } else if native.records == nil, let header, let unwrapped = RepeatedMessage(line, from: header.message) {
          content = unwrapped.content
          repeated = unwrapped.count
          composed.removeAll(keepingCapacity: true)
          composed.append(line, 0..<header.message)
          composed.append(line, content)
        }
        guard
          content.isEmpty
            ? attempt(native, index, line, subject, clock.now, &outcome)
            : attemptComposed(native, index, clock.now, &outcome)
        else { continue }
        if let limit = native.untrustedAfterOpenQuote {
          let believed = trusted ?? !history.mayBeForged(lines, lineStart: range.lowerBound, within: limit)
          trusted = believed
          guard believed else {
            counts.distrusted += 1
            continue
          }
        }
        if readsNginx,
          history.mayBeForged(
            lines, nginxLine: range.lowerBound..<end, host: subject.lowerBound + match.hostOffset)
        {
          counts.distrusted += 1
          continue
        }
        date(line, subject, native, header, &clock)
        guard isBelieved(native, index, lines, range.lowerBound, history, &clock) else {
          counts.distrusted += 1
          continue
        }
        match.count = min(match.count * repeated, 1_000_000)
        if match.attempt != .alone { connect(pid: header?.pid(line) ?? 0) }
        if deliver(native, line, history, { body($0, $1, range.lowerBound) }) { outcome.matched = true }
      } else if let matcher = matchers[index], attempt(matcher, index, line, nil, &clock, wanted, &outcome) {
        body(match, line, range.lowerBound)
      }
    }
    count(outcome)
  }

  /// Did the line come through syslog, or is it of the service's own log?
  private mutating func isSyslog(_ header: SyslogHeader?, _ native: NativeFilter, _ line: borrowing Span<UInt8>) -> Bool
  {
    guard let header else { return false }
    return !header.isBracketed || native.admits(line, header.program)
  }

  /// The line's own time, by the header's stamp for syslog, else wherever its format has it; else now.
  private mutating func date(
    _ line: borrowing Span<UInt8>, _ subject: Range<Int>, _ native: NativeFilter, _ header: SyslogHeader?,
    _ clock: inout LogClock
  ) {
    let found: Instant?
    if let header {
      found = header.time
    } else if native.fields != nil {
      found = fieldTime(native.patterns[match.pattern], line.extracting(subject), &clock)
    } else {
      found = Stamp.find(in: line, clock: &clock)
    }
    match.isDated = found != nil
    match.time = found ?? clock.now
  }

  /// Tries another engine's filter; true when `match` holds a failure.
  private mutating func attempt(
    _ matcher: any ForeignMatcher, _ filter: Int, _ line: borrowing Span<UInt8>, _ time: Instant?,
    _ clock: inout LogClock, _ wanted: PatternBits, _ outcome: inout Verdict
  ) -> Bool {
    let (result, gaveUp) = matcher.tryLine(
      line, &clock, time, wanted: affordable(wanted, line.count, clock.now), from: slots[filter], into: &match,
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
  private mutating func attempt(
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
      guard mayTry(slot, subject.count, now) else { continue }
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
      for ignored in native.ignore where isIgnored(ignored, subject) {
        outcome.ignored = true
        return false
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
  private mutating func attemptComposed(
    _ native: NativeFilter, _ filter: Int, _ now: Instant, _ outcome: inout Verdict
  ) -> Bool {
    // Taken out while it is lent, and put back.
    var line: [UInt8] = []
    swap(&line, &composed)
    defer { swap(&line, &composed) }
    return attempt(native, filter, line.span, 0..<line.count, isComposed: true, now, &outcome)
  }

  /// A line of an audit record's section H, matched behind the record's first line, which names the client.
  // Not inlined: the look at `history.audit` would be moved to where every line pays for it.
  @inline(never)
  private mutating func verdict(
    _ native: NativeFilter, _ filter: Int, _ line: borrowing Span<UInt8>, _ history: LineHistory,
    _ clock: inout LogClock, _ outcome: inout Verdict, _ body: (borrowing Match, borrowing Span<UInt8>) -> Void
  ) {
    guard history.audit.isInVerdict else { return }
    let header = history.audit.header
    var subject: [UInt8] = []
    swap(&subject, &composed)
    defer { swap(&subject, &composed) }
    subject.removeAll(keepingCapacity: true)
    subject.append(contentsOf: header)
    subject.append(UInt8(ascii: "\n"))
    subject.append(line, 0..<line.count)
    guard attempt(native, filter, subject.span, 0..<subject.count, clock.now, &outcome) else { return }
    outcome.matched = true
    date(subject.span, 0..<subject.count, native, nil, &clock)
    subject[header.count] = UInt8(ascii: " ")
    body(match, subject.span)
  }
}
