internal import Filters
internal import Model

/// A line of a file, for each filter that may find something in it.
extension LineScanner {
  mutating func handle(
    _ lines: borrowing Span<UInt8>, _ range: Range<Int>, _ clock: inout LogClock, _ history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>, Int) -> Void
  ) {
    var end = range.upperBound
    if end > range.lowerBound, lines[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    let place = range.lowerBound..<end
    guard !place.isEmpty else { return }
    let part = framing.part(lines, place, history)
    guard part != .boundary else { return }
    let line = lines.extracting(place)
    var header: SyslogHeader?
    var isParsed = false
    var outcome = Verdict()
    var next = nextWanted(from: 0)
    while let index = next {
      next = nextWanted(from: index + 1)
      guard let native = natives[index] else {
        if let matcher = matchers[index], attempt(matcher, index, line, nil, &clock, wanted, &outcome) {
          body(match, line, place.lowerBound)
        }
        continue
      }
      guard part.isSeen(by: native) else { continue }
      if part == .audit {
        verdict(native, index, line, history, &clock, &outcome) { body($0, $1, place.lowerBound) }
        continue
      }
      if !isParsed {
        header = SyslogHeader.parse(line, clock: &clock)
        isParsed = true
      }
      guard find(native, index, lines, place, header, &clock, history, &outcome) else { continue }
      let isActivity = match.event != nil
      if deliver(native, line, history, { body($0, $1, place.lowerBound) }) { outcome.note(isActivity: isActivity) }
    }
    count(outcome)
  }

  /// Tries a native filter on a line: true when `match` holds what it found, with its time, and that is believed.
  // Inlined, as `subject` is: as calls the two cost a candidate 150 instructions.
  @inline(__always)
  private mutating func find(
    _ native: NativeFilter, _ filter: Int, _ lines: borrowing Span<UInt8>, _ place: Range<Int>,
    _ header: SyslogHeader?, _ clock: inout LogClock, _ history: LineHistory, _ outcome: inout Verdict
  ) -> Bool {
    let line = lines.extracting(place)
    guard let subject = subject(native, line, header),
      subject.isComposed
        ? attemptComposed(native, filter, clock.now, &outcome)
        : attempt(native, filter, line, subject.range, clock.now, &outcome)
    else { return false }
    date(line, subject.range, native, header, &clock)
    let host = subject.range.lowerBound + match.hostOffset
    guard
      match.host.isEmpty && match.event != nil || isBelieved(native, filter, lines, place, host: host, history, &clock)
    else {
      counts.distrusted += 1
      return false
    }
    match.count = min(match.count * subject.repeated, 1_000_000)
    if match.attempt != .alone { connect(pid: header?.pid(line) ?? 0) }
    return true
  }

  /// What a native filter's patterns see of a line.
  private struct Subject {
    var range: Range<Int>
    /// How often the line says that it was written.
    var repeated = 1
    /// Is it in `composed`, not in the line?
    var isComposed = false
  }

  /// Nil when the line is none of the filter's programs.
  @inline(__always)
  private mutating func subject(
    _ native: NativeFilter, _ line: borrowing Span<UInt8>, _ header: SyslogHeader?
  ) -> Subject? {
    let readsAll = native.programs.isEmpty || native.hasOwnLog || isPayload
    guard let header else { return readsAll ? Subject(range: 0..<line.count) : nil }
    if !native.programs.isEmpty {
      let isAdmitted = native.admits(line, header.program)
      // Brackets may be those of a service's own log.
      if isAdmitted || !readsAll || !header.isBracketed {
        guard isAdmitted else { return nil }
        guard let unwrapped = RepeatedMessage(line, from: header.message) else {
          return Subject(range: header.message..<line.count)
        }
        return Subject(range: unwrapped.content, repeated: unwrapped.count)
      }
    }
    if native.fields != nil, !header.stamp.isEmpty {
      // A log in a format that went through syslog. Its stamp comes first, where no client writes.
      return Subject(range: header.message..<line.count)
    }
    if native.records == .nginx, !header.stamp.isEmpty, NginxRecords.isStamp(line, header.message) {
      // nginx's error log through syslog (`error_log syslog:…`) has both stamps.
      return Subject(range: header.message..<line.count)
    }
    // The patterns look at the header themselves.
    guard native.records == nil, let unwrapped = RepeatedMessage(line, from: header.message) else {
      return Subject(range: 0..<line.count)
    }
    composed.removeAll(keepingCapacity: true)
    composed.append(line, 0..<header.message)
    composed.append(line, unwrapped.content)
    return Subject(range: 0..<line.count, repeated: unwrapped.count, isComposed: true)
  }

  /// May the match in the line at `place` be believed, whose address begins at `host` in it? Or could a client have written it
  /// behind a line end of its own?
  private mutating func isBelieved(
    _ native: NativeFilter, _ filter: Int, _ lines: borrowing Span<UInt8>, _ place: Range<Int>, host: Int,
    _ history: LineHistory, _ clock: inout LogClock
  ) -> Bool {
    let start = place.lowerBound
    if let limit = native.untrustedAfterOpenQuote, history.mayBeForged(lines, lineStart: start, within: limit) {
      return false
    }
    if framing.mayBeForged(lines, place, host: host, history) { return false }
    let time = match.isDated ? match.time : nil
    if !native.torn.isEmpty, match.weight > 0,
      history.isTorn(lines, before: start, at: time, by: native, with: &scratch, &clock)
    {
      return false
    }
    return history.believes(match.address, of: filter, at: start, time, within: native.untrustedAfterMatch, clock)
  }

  /// The line's own time, by the header's stamp for syslog, else wherever its format has it; else now.
  mutating func date(
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
