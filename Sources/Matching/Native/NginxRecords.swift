/// Tells lines of nginx's error log that a client wrote.
///
/// nginx writes a decoded path as it is: `%0a` in it becomes a line end, so `GET /x%0a<text>` puts a whole line of the
/// client's choice into the log. What the client cannot choose is how such a record ends. Either nginx's own context is
/// written behind the text, and then the request in it still shows each `%0a`: as many as the record has lines before its
/// last. Or the record met nginx's limit and was cut at exactly 2048 bytes (`NGX_MAX_ERROR_STR`); where the system's error
/// follows, as in `open() "…" failed (2: …)`, `... (2: ` then is in its last 50 bytes (ngx_log_errno). A record is one
/// write, so all of it can be read when its first line can.
///
/// What an application prints on its standard error (`FastCGI sent in stderr: "…" while reading …`) may hold line ends too;
/// everything between those two texts is taken for the client's.
struct NginxRecords {
  /// The most bytes of a record, its last line end included.
  static let limit = 2048
  /// A chunk of this size may have been read short of what follows.
  private static let fullChunk = 128 << 10

  private var window: [UInt8] = []
  private var lineStarts: [Int] = []

  /// May the match in the line at `line` of `lines` be the client's text? `host` is where its address begins in the line.
  mutating func mayBeForged(
    _ lines: borrowing Span<UInt8>, line: Range<Int>, host: Int, history: borrowing LineHistory
  ) -> Bool {
    // Taken out while it is read, and put back.
    var text: [UInt8] = []
    swap(&text, &window)
    defer { swap(&text, &window) }
    text.removeAll(keepingCapacity: true)
    let behind = max(0, line.lowerBound - Self.limit)
    let isStart = history.copyTail(Self.limit - (line.lowerBound - behind), to: &text) && behind == 0
    let ahead = min(lines.count, max(line.upperBound + 1, line.lowerBound + Self.limit + 1))
    let offset = text.count - behind
    text.append(lines, behind..<ahead)
    return judge(
      text.span, line: line.lowerBound + offset, host: line.lowerBound + offset + host, beginsLine: isStart,
      isCutOff: ahead == lines.count && lines.count >= Self.fullChunk)
  }

  private mutating func judge(
    _ text: borrowing Span<UInt8>, line: Int, host: Int, beginsLine: Bool, isCutOff: Bool
  ) -> Bool {
    lineStarts.removeAll(keepingCapacity: true)
    if beginsLine || line == 0 { lineStarts.append(0) }
    var at = 0
    while at < text.count {
      at = text.firstLF(from: at) + 1
      if at < text.count { lineStarts.append(at) }
    }
    guard let own = lineStarts.firstIndex(of: line) else { return true }

    func end(_ index: Int) -> Int { index + 1 < lineStarts.count ? lineStarts[index + 1] : text.count }

    // The records that end at this line or later and reach back to it.
    for last in own..<lineStarts.count where last == own || end(last) <= line + Self.limit {
      let shown = Self.lineEndsShown(text, lineStarts[last]..<end(last))
      guard shown > 0, last - own <= shown else { continue }
      let first = max(0, last - shown)
      guard (first..<last).contains(where: { Self.isHead(text, lineStarts[$0]) }) else { continue }
      if last > own { return true }
      // The record's last line: only the address that nginx wrote at its end is real.
      if Self.lastClient(text, lineStarts[own]..<end(own)) != host { return true }
    }

    // The records that begin at this line or before it, and were cut, or came from an application.
    for first in (0...own).reversed()
    where line - lineStarts[first] < Self.limit && Self.isHead(text, lineStarts[first]) {
      let range = lineStarts[first]..<end(first)
      let isSpoken = Self.find(" sent in stderr: \"", text, range) != nil
      guard isSpoken || Self.canHoldLineEnds(text, range) else { continue }
      let isFailure = Self.isFailure(text, range)
      let most = lineStarts[first] + Self.limit
      for last in own..<lineStarts.count where last > first && end(last) <= most {
        if end(last) == most, !isFailure || Self.find("... (", text, max(lineStarts[last], most - 64)..<most) != nil {
          return true
        }
        if isSpoken, Self.find("\" while reading ", text, lineStarts[last]..<end(last)) != nil { return true }
      }
      if isCutOff, most > text.count { return true }
    }
    return false
  }

  /// `2026/11/21 05:24:01 [`: the start of a record, or of text that is made to look like one.
  private static func isHead(_ text: borrowing Span<UInt8>, _ at: Int) -> Bool {
    guard at + 21 <= text.count else { return false }
    return text[at + 4] == UInt8(ascii: "/") && text[at + 7] == UInt8(ascii: "/") && text[at + 10] == UInt8(ascii: " ")
      && text[at + 13] == UInt8(ascii: ":") && text[at + 16] == UInt8(ascii: ":") && text[at + 20] == UInt8(ascii: "[")
      && isDigit(text[at]) && isDigit(text[at + 3])
  }

  /// Messages that nginx makes up without anything in which a client could write a colon, or without the client at all.
  private static let own: [StaticString] = [
    "user \"", "limiting ", "delaying ", "access forbidden by rule", "[client ", "directory index of \"",
  ]

  /// Not so: messages of nginx's own, which hold no client's text before its address, or only a basic-auth user name, which
  /// ends at a colon and so can forge nothing.
  private static func canHoldLineEnds(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> Bool {
    let message = message(text, line)
    return !own.contains { starts(text, message, with: $0) }
  }

  /// A message that the system's error follows.
  private static func isFailure(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> Bool {
    let message = message(text, line)
    return starts(text, message, with: "open() \"") || starts(text, message, with: "\"/")
  }

  /// Where the message begins, behind `[error] 5191#5191: *31 `.
  private static func message(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> Int {
    guard let hash = find("#", text, line), let colon = find(": ", text, hash..<line.upperBound) else {
      return line.lowerBound
    }
    var at = colon + 2
    if at < line.upperBound, text[at] == UInt8(ascii: "*") {
      while at < line.upperBound, text[at] != UInt8(ascii: " ") { at += 1 }
      at += 1
    }
    return at
  }

  /// How many line ends the path in the line's request shows: `%0a` behind nginx's context, outside of query strings, which
  /// nginx does not decode.
  private static func lineEndsShown(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> Int {
    guard var at = find(", client: ", text, line) else { return 0 }
    var count = 0
    var isQuery = false
    while at < line.upperBound {
      let byte = text[at]
      if byte == UInt8(ascii: " ") { isQuery = false } else if byte == UInt8(ascii: "?") { isQuery = true }
      if byte == UInt8(ascii: "%"), !isQuery, at + 2 < line.upperBound, text[at + 1] == UInt8(ascii: "0"),
        text[at + 2] | 0x20 == UInt8(ascii: "a")
      {
        count += 1
      }
      at += 1
    }
    return count
  }

  /// Where the address behind the last `, client: ` begins.
  private static func lastClient(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> Int? {
    var found: Int?
    var from = line.lowerBound
    while let at = find(", client: ", text, from..<line.upperBound) {
      found = at + 10
      from = at + 1
    }
    return found
  }

  private static func find(_ needle: StaticString, _ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int? {
    var at = range.lowerBound
    let last = range.upperBound - needle.utf8CodeUnitCount
    while at <= last {
      if starts(text, at, with: needle) { return at }
      at += 1
    }
    return nil
  }
}
