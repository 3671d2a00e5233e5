internal import Filters
internal import Model

/// Entries of the journal, whose program, time and header are fields of their own.
extension LineScanner {
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
          let isActivity = match.event != nil
          if deliver(native, message, history, body) { outcome.note(isActivity: isActivity) }
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
}
