internal import Model

/// Where the parts of a syslog line stand: what logged it, and where its message begins.
///
/// Understood are RFC 3164 (`Nov 21 05:24:01 web sshd[812]: …`), the same with an RFC 3339 or ISO 8601 stamp (rsyslog's
/// and syslog-ng's defaults), and RFC 5424 (`<38>1 2026-11-21T05:24:01Z web sshd 812 - - …`); `<PRI>` may precede
/// each. Without a stamp (`web sshd[812]: …`, as fail2ban shows what the journal holds) the pid must be there, unless a
/// priority is (`<38>sshd: …`).
///
/// Some daemons write more: BusyBox and others the facility and level (`web auth.info sshd[812]: `), FreeBSD's -v in angle
/// brackets (`<auth.info> web sshd[812]: `), Solaris and illumos before the message (`[ID 800047 auth.info] `), OpenWrt's logd and
/// logread behind a stamp of asctime(3) (`Sat Nov 21 05:24:01 2026 auth.info dropbear[812]: `); `journalctl -o short-full` writes
/// `Sat 2026-11-21 05:24:01 UTC web sshd[812]: `, -o short-unix `1795843441.123456 web sshd[812]: `, -o short-monotonic
/// `[   12.345678] web sshd[812]: `, metalog `Nov 21 05:24:01 [sshd] `, AIX's -n `web auth|security:info sshd[812]: `.
struct SyslogHeader {
  /// Empty where there is none.
  var stamp: Range<Int>
  /// What the stamp says; nil where that is no time.
  var time: Instant?
  var program: Range<Int>
  /// The first byte of the message, spaces skipped.
  var message: Int
  /// Is the program in brackets, as metalog writes it? A log of a service's own may look the same.
  var isBracketed = false

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
    let hasPriority = at > 0
    var stamp = at..<at
    var time: Instant?
    var needsFacility = false
    if let found = Self.stamp(line, at, &clock), found.end < end, line[found.end] == UInt8(ascii: " ") {
      stamp = at..<found.end
      time = found.time
      needsFacility = found.needsFacility
      at = skipSpaces(line, found.end)
      if let program = bracketed(line, at), stamp.count == 15 {
        return SyslogHeader(
          stamp: stamp, time: time, program: program, message: skipSpaces(line, program.upperBound + 1),
          isBracketed: true)
      }
    } else if !hasPriority, let next = counted(line, &time) {
      at = next
    }
    if !stamp.isEmpty, !needsFacility, let tag = plainTag(line, at) {
      return SyslogHeader(
        stamp: stamp, time: time, program: withoutDirectory(line, tag.program),
        message: behindID(line, skipSpaces(line, tag.end)))
    }
    return afterStamp(line, at, stamp, time, hasPriority: hasPriority, needsFacility: needsFacility)
  }

  /// The tag that is the first or the second word, as in nearly every line: a facility, which would make no difference there, has
  /// neither a colon nor a bracket.
  private static func plainTag(_ line: borrowing Span<UInt8>, _ start: Int) -> Tag? {
    guard let first = Tag(line, at: start) else { return nil }
    if first.isTag { return first }
    guard let second = Tag(line, at: skipSpaces(line, first.end)), second.isTag else { return nil }
    return second
  }

  /// HOST TAG, or TAG alone, with a facility at any place before it: what ends in a colon or a bracketed pid is the tag.
  private static func afterStamp(
    _ line: borrowing Span<UInt8>, _ start: Int, _ stamp: Range<Int>, _ time: Instant?, hasPriority: Bool,
    needsFacility: Bool
  ) -> SyslogHeader? {
    var at = start
    var hasFacility = false
    if let next = Facility.end(line, at) {
      at = skipSpaces(line, next)
      hasFacility = true
    }
    guard var tag = Tag(line, at: at) else { return nil }
    if !tag.isTag {
      let second = skipSpaces(line, tag.end)
      if !stamp.isEmpty, let next = Facility.end(line, second) {
        guard let third = Tag(line, at: skipSpaces(line, next)) else { return nil }
        tag = third
        hasFacility = true
      } else {
        guard let found = Tag(line, at: second) else { return nil }
        tag = found
      }
      guard tag.isTag else { return nil }
    }
    guard hasFacility || !needsFacility else { return nil }
    if stamp.isEmpty, !hasPriority || tag.program.lowerBound != start {
      guard tag.program.upperBound < line.count, line[tag.program.upperBound] == UInt8(ascii: "["),
        line[tag.end - 1] == UInt8(ascii: ":"), isName(line, at..<tag.program.lowerBound)
      else { return nil }
    }
    return SyslogHeader(
      stamp: stamp, time: time, program: withoutDirectory(line, tag.program),
      message: behindID(line, skipSpaces(line, tag.end)))
  }

  /// The stamp at `at`; one of asctime(3) is syslog's only where a facility follows.
  private static func stamp(
    _ line: borrowing Span<UInt8>, _ at: Int, _ clock: inout LogClock
  ) -> (end: Int, time: Instant?, needsFacility: Bool)? {
    if let found = Stamp.syslog(line, at: at, clock: &clock) { return (found.end, found.time, false) }
    guard at + 24 < line.count, line[at + 3] == UInt8(ascii: " "), line[at] &- UInt8(ascii: "A") < 26 else {
      return nil
    }
    var end = 0
    if isDigit(line[at + 4]) {
      guard let time = Stamp.parse(line, at: at + 4, clock: &clock, end: &end) else { return nil }
      // Another zone than UTC is an abbreviation: that of the zone in which the log was written.
      if line[end - 1] != UInt8(ascii: "C"), end < line.count, line[end] == UInt8(ascii: " ") {
        end += 1
        while end < line.count, line[end] &- UInt8(ascii: "A") < 26 { end += 1 }
      }
      return (end, time, false)
    }
    guard let time = Stamp.parse(line, at: at, clock: &clock, end: &end) else { return nil }
    return (end, time, true)
  }

  /// Behind the seconds of `journalctl -o short-unix` or -o short-monotonic, which only tags with a pid follow.
  private static func counted(_ line: borrowing Span<UInt8>, _ time: inout Instant?) -> Int? {
    var end = 0
    if line.count > 18, isDigit(line[0]), line[10] == UInt8(ascii: "."),
      let found = Stamp.epoch(line, 0, end: &end), end == 17, line[end] == UInt8(ascii: " ")
    {
      time = found
      return end + 1
    }
    guard line.count > 18, line[0] == UInt8(ascii: "[") else { return nil }
    var at = skipSpaces(line, 1)
    let digits = at
    while at < line.count, isDigit(line[at]) || line[at] == UInt8(ascii: ".") && at > digits { at += 1 }
    return at > digits && starts(line, at, with: "] ") ? at + 2 : nil
  }

  /// The program in `[sshd] `.
  private static func bracketed(_ line: borrowing Span<UInt8>, _ start: Int) -> Range<Int>? {
    guard start + 3 < line.count, line[start] == UInt8(ascii: "["), !isDigit(line[start + 1]) else { return nil }
    var at = start + 1
    while at < line.count, at - start < 40, isName(line, at..<at + 1) || line[at] == UInt8(ascii: "/"),
      line[at] != UInt8(ascii: " ")
    {
      at += 1
    }
    guard at > start + 1, starts(line, at, with: "] ") else { return nil }
    return start + 1..<at
  }

  /// The program's name without the directory that some write before it (`/usr/sbin/cron[812]`).
  private static func withoutDirectory(_ line: borrowing Span<UInt8>, _ program: Range<Int>) -> Range<Int> {
    guard line[program.lowerBound] == UInt8(ascii: "/") else { return program }
    var at = program.upperBound
    while line[at - 1] != UInt8(ascii: "/") { at -= 1 }
    return at < program.upperBound ? at..<program.upperBound : program
  }

  /// Behind `[ID 800047 auth.info] `, where there is one (syslogd(1M) of Solaris: msgid(1M)).
  private static func behindID(_ line: borrowing Span<UInt8>, _ start: Int) -> Int {
    guard starts(line, start, with: "[ID ") else { return start }
    var at = start + 4
    while at < line.count, isDigit(line[at]) { at += 1 }
    guard at > start + 4, at < line.count, line[at] == UInt8(ascii: " "),
      let end = Facility.end(line, at + 1, closedBy: UInt8(ascii: "]")),
      end + 1 < line.count
    else { return start }
    return skipSpaces(line, end + 1)
  }

  /// The process's number behind the program's name; 0 where there is none.
  func pid(_ line: borrowing Span<UInt8>) -> UInt32 {
    let at = program.upperBound
    guard at < line.count, line[at] == UInt8(ascii: "[") || line[at] == UInt8(ascii: " ") else { return 0 }
    return Self.number(line, at + 1)
  }

  /// The number in the brackets that end a header without a message (`web sshd[812]: `).
  static func pid(endOf header: borrowing Span<UInt8>) -> UInt32 {
    var at = header.count
    while at > 0, header[at - 1] != UInt8(ascii: "[") { at -= 1 }
    return at > 0 ? number(header, at) : 0
  }

  private static func number(_ line: borrowing Span<UInt8>, _ start: Int) -> UInt32 {
    var value: UInt32 = 0
    var at = start
    // Linux knows no pid above 2^22.
    while at < line.count, at &- start < 8, isDigit(line[at]) {
      value = value &* 10 &+ UInt32(line[at] &- UInt8(ascii: "0"))
      at &+= 1
    }
    return value
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

  /// `auth.info`, `auth|security:info` or, in angle brackets, `<auth.info>` and `<4.6>`.
  private enum Facility {
    private static let levels: [StaticString] = [
      "emerg", "panic", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug",
    ]

    /// Where a facility and level end that begin at `start`, which must be followed by a space or by `closing`.
    static func end(_ line: borrowing Span<UInt8>, _ start: Int, closedBy closing: UInt8 = UInt8(ascii: " ")) -> Int? {
      let isClosed = start < line.count && line[start] == UInt8(ascii: "<")
      var at = isClosed ? start + 1 : start
      var dot: Int?
      while at < line.count, at - start < 24 {
        if line[at] == UInt8(ascii: ".") || line[at] == UInt8(ascii: ":"), dot == nil {
          dot = at
        } else if !isDigit(line[at]), line[at] &- UInt8(ascii: "a") >= 26, line[at] != UInt8(ascii: "|") {
          break
        }
        at += 1
      }
      guard let dot, at < line.count, dot > start else { return nil }
      if isClosed {
        return starts(line, at, with: "> ") ? at + 1 : nil
      }
      guard line[at] == closing, !isDigit(line[start]) else { return nil }
      for level in levels where at - dot - 1 == level.utf8CodeUnitCount && starts(line, dot + 1, with: level) {
        return at
      }
      return nil
    }
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
