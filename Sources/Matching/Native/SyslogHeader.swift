internal import Model

/// Where the parts of a syslog line stand: what logged it, and where its message begins.
///
/// Understood are RFC 3164 (`Nov 21 05:24:01 web sshd[812]: …`), the same with an RFC 3339 or ISO 8601 stamp (rsyslog's
/// and syslog-ng's defaults), and RFC 5424 (`<38>1 2026-11-21T05:24:01Z web sshd 812 - - …`); `<PRI>` may precede
/// each. Without a stamp (`web sshd[812]: …`, as fail2ban shows what the journal holds) the pid must be there.
struct SyslogHeader {
  /// Empty where there is none.
  var stamp: Range<Int>
  /// What the stamp says; nil where that is no time.
  var time: Instant?
  var program: Range<Int>
  /// The first byte of the message, spaces skipped.
  var message: Int

  static func parse(_ line: borrowing Span<UInt8>, clock: inout LogClock) -> SyslogHeader? {
    var at = 0
    let end = line.count
    if at < end, line[at] == UInt8(ascii: "<") {
      at += 1
      let digits = at
      while at < end, at - digits < 3, isDigit(line[at]) { at += 1 }
      guard at > digits, at < end, line[at] == UInt8(ascii: ">") else { return nil }
      at += 1
      if at + 1 < end, line[at] == UInt8(ascii: "1"), line[at + 1] == UInt8(ascii: " ") {
        return rfc5424(line, at: at + 2, &clock)
      }
    } else if end > 2, line[0] == UInt8(ascii: "1"), line[1] == UInt8(ascii: " ") {
      // RFC 5424 without its priority, as some templates write it.
      return rfc5424(line, at: 2, &clock)
    }
    var stamp = at..<at
    var time: Instant?
    if let found = Stamp.syslog(line, at: at, clock: &clock), found.end < end, line[found.end] == UInt8(ascii: " ") {
      stamp = at..<found.end
      time = found.time
      at = skipSpaces(line, found.end)
    }

    // HOST TAG, or TAG alone: what ends in a colon or a bracketed pid is the tag.
    guard var tag = Tag(line, at: at) else { return nil }
    if !tag.isTag {
      guard let second = Tag(line, at: skipSpaces(line, tag.end)), second.isTag else { return nil }
      tag = second
    }
    if stamp.isEmpty {
      guard tag.program.upperBound < end, line[tag.program.upperBound] == UInt8(ascii: "["),
        line[tag.end - 1] == UInt8(ascii: ":"), isName(line, at..<tag.program.lowerBound)
      else { return nil }
    }
    return SyslogHeader(stamp: stamp, time: time, program: tag.program, message: skipSpaces(line, tag.end))
  }

  /// Is this nothing, or a host's name or address and spaces? Text that a client began would have other bytes.
  private static func isName(_ line: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
    for i in range {
      let byte = line[i]
      guard
        isDigit(byte) || byte | 0x20 &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
          || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: " ")
      else { return false }
    }
    return true
  }

  /// From the stamp on: `STAMP HOST APP PROCID MSGID STRUCTURED-DATA MSG` (RFC 5424 section 6).
  private static func rfc5424(
    _ line: borrowing Span<UInt8>, at start: Int, _ clock: inout LogClock
  ) -> SyslogHeader? {
    let end = line.count
    guard let stampEnd = nextSpace(line, start), let hostEnd = nextSpace(line, stampEnd + 1),
      let appEnd = nextSpace(line, hostEnd + 1), let procEnd = nextSpace(line, appEnd + 1),
      let idEnd = nextSpace(line, procEnd + 1)
    else { return nil }
    var at = idEnd + 1
    guard at < end else { return nil }
    if line[at] == UInt8(ascii: "-") {
      at += 1
    } else {
      // Elements [id name="value" …], in which `"`, `\` and `]` are escaped by a backslash.
      while at < end, line[at] == UInt8(ascii: "[") {
        var quoted = false
        at += 1
        while at < end, quoted || line[at] != UInt8(ascii: "]") {
          if line[at] == UInt8(ascii: "\\") { at += 1 } else if line[at] == UInt8(ascii: "\"") { quoted.toggle() }
          at += 1
        }
        at += 1
      }
    }
    guard at <= end else { return nil }
    at = skipSpaces(line, at)
    // A byte order mark announces UTF-8 (section 6.4).
    if at + 2 < end, line[at] == 0xEF, line[at + 1] == 0xBB, line[at + 2] == 0xBF { at += 3 }
    var timeEnd = 0
    let time = Stamp.parse(line, at: start, clock: &clock, end: &timeEnd)
    return SyslogHeader(stamp: start..<stampEnd, time: time, program: hostEnd + 1..<appEnd, message: at)
  }

  /// One word of the header.
  private struct Tag {
    var program: Range<Int>
    /// After the word with its pid and colon.
    var end: Int
    var isTag: Bool

    init?(_ line: borrowing Span<UInt8>, at start: Int) {
      var at = start
      let end = line.count
      while at < end, line[at] != UInt8(ascii: " "), line[at] != UInt8(ascii: "["), line[at] != UInt8(ascii: ":") {
        // `H=([192.0.2.1])`, as Exim writes in its own log, is no name.
        guard line[at] != UInt8(ascii: "=") else { return nil }
        at &+= 1
      }
      guard at > start, at < end else { return nil }
      program = start..<at
      isTag = false
      if line[at] == UInt8(ascii: "[") {
        var close = at + 1
        while close < end, close - at < 16, line[close] != UInt8(ascii: "]"), line[close] != UInt8(ascii: " ") {
          close += 1
        }
        guard close < end, line[close] == UInt8(ascii: "]") else { return nil }
        at = close + 1
        isTag = true
        if at < end, line[at] == UInt8(ascii: ":") { at += 1 }
      } else if line[at] == UInt8(ascii: ":") {
        // An IPv6 address may be where the host is; a tag's colon is followed by a space or nothing.
        if at + 1 == end || line[at + 1] == UInt8(ascii: " ") {
          isTag = true
          at += 1
        } else {
          while at < end, line[at] != UInt8(ascii: " ") { at += 1 }
        }
      }
      self.end = at
    }
  }
}

/// `message repeated 5 times: [ … ]`, which rsyslog writes instead of five lines alike.
struct RepeatedMessage {
  var content: Range<Int>
  var count: Int

  init?(_ line: borrowing Span<UInt8>, from start: Int) {
    let lead: StaticString = "message repeated "
    guard starts(line, start, with: lead) else { return nil }
    var at = start + lead.utf8CodeUnitCount
    var n = 0
    let digits = at
    while at < line.count, isDigit(line[at]), at - digits < 7 {
      n = n * 10 + Int(line[at] - UInt8(ascii: "0"))
      at += 1
    }
    let middle: StaticString = " times: ["
    guard at > digits, starts(line, at, with: middle), line[line.count - 1] == UInt8(ascii: "]") else { return nil }
    at = skipSpaces(line, at + middle.utf8CodeUnitCount)
    guard at <= line.count - 1 else { return nil }
    content = at..<line.count - 1
    count = max(n, 1)
  }
}

package func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

func skipSpaces(_ line: borrowing Span<UInt8>, _ start: Int) -> Int {
  var at = start
  while at < line.count, line[at] == UInt8(ascii: " ") { at += 1 }
  return at
}

private func nextSpace(_ line: borrowing Span<UInt8>, _ start: Int) -> Int? {
  var at = start
  while at < line.count, line[at] != UInt8(ascii: " ") { at += 1 }
  return at < line.count && at > start ? at : nil
}

package func starts(_ line: borrowing Span<UInt8>, _ start: Int, with text: StaticString) -> Bool {
  guard start >= 0, start + text.utf8CodeUnitCount <= line.count else { return false }
  for i in 0..<text.utf8CodeUnitCount {
    // Safe: `i` is below the length of the literal, which lives as long as the program.
    let byte = unsafe text.utf8Start[i]
    guard line[start + i] == byte else { return false }
  }
  return true
}
