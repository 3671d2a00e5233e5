/// Tells lines of nginx's error log that a client wrote.
///
/// nginx writes a decoded path as it is: `%0a` in it becomes a line end, so `GET /x%0a<text>` puts a whole line of the
/// client's choice into the log. A record is one write, so all of it can be read when its first line can. How such text is
/// made out:
/// - The request, which nginx shows as it came, holds it: behind the text (`open() "…"`, `X-Accel-Redirect`) or before it
///   (`upstream: "…"` with `proxy_pass …$uri`). See `EncodedText`.
/// - The last line of the record is the rest of one, and its request shows as many `%0a` as there are lines before.
/// - The record met nginx's limit and was cut at exactly 2048 bytes (`NGX_MAX_ERROR_STR`); where the system's error
///   follows, as in `open() "…" failed (2: …)`, `... (2: ` then is in its last 50 bytes (ngx_log_errno).
/// - A file that an application named (`X-Accel-Redirect`) was not found: its name may be a client's, from wherever the
///   application had it. nginx then has an `upstream:` in its context, though it was not talking to one.
/// - What an application prints on its standard error (`FastCGI sent in stderr: "…" while reading …`) may hold line ends too;
///   what is between those two texts is taken for the client's.
///
/// A client must not be able to hide what it did either: a request that shows line ends, or a Referer that looks like
/// nginx's context, says nothing of the lines around it where nginx itself wrote no path.
struct NginxRecords {
  /// The most bytes of a record, its last line end included.
  static let limit = 2048
  /// A chunk of this size may have been read short of what follows.
  private static let fullChunk = 128 << 10

  private static let spoken: StaticString = " sent in stderr: \""
  /// Workers are remembered up to this number, those of earlier reloads among them.
  private static let mostWorkers = 256

  /// See `isSpoken`.
  private var workers: [UInt64] = []
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
    var isCutOff = false
    if ahead == lines.count {
      if let next = history.ahead { text.append(contentsOf: next) } else { isCutOff = lines.count >= Self.fullChunk }
    }
    let start = line.lowerBound + offset
    if !Self.mayHoldRecords(text.span) {
      remember(workerOf: text.span, start..<min(text.count, line.upperBound + offset + 1))
      return start > 0 && text[start - 1] != UInt8(ascii: "\n")
    }
    findLines(text.span, isStart: isStart || line.lowerBound + offset == 0)
    guard let own = lineStarts.firstIndex(of: line.lowerBound + offset) else { return true }
    return isShown(text.span, own, host: host) || isRest(text.span, own, host: host) || isNamed(text.span, own)
      || isCut(text.span, own, isCutOff: isCutOff) || isSpoken(text.span, own)
  }

  /// Can there be a record of nginx's that may hold a client's text (`canHoldLineEnds`), or one whose request shows some? Few lines of an
  /// access log need a closer look. The single bytes first: memchr(3) is ten times as fast as memmem(3).
  private static func mayHoldRecords(_ text: borrowing Span<UInt8>) -> Bool {
    let all = 0..<text.count
    return text.first("*", in: all) != nil && find(": *", text, all) != nil
      || text.first("%", in: all) != nil && find(", client: ", text, all) != nil
  }

  private mutating func findLines(_ text: borrowing Span<UInt8>, isStart: Bool) {
    lineStarts.removeAll(keepingCapacity: true)
    if isStart { lineStarts.append(0) }
    var at = 0
    while at < text.count {
      at = text.firstLF(from: at) + 1
      if at < text.count { lineStarts.append(at) }
    }
  }

  private func line(_ index: Int, _ text: borrowing Span<UInt8>) -> Range<Int> {
    lineStarts[index]..<(index + 1 < lineStarts.count ? lineStarts[index + 1] : text.count)
  }

  /// Does a record that begins before the line at `own`, with a message that may hold a client's text, reach to `end`?
  private func isInRecord(_ text: borrowing Span<UInt8>, _ own: Int, to end: Int) -> Bool {
    (0..<own).contains { first in
      lineStarts[first] + Self.limit >= end && Self.canHoldLineEnds(text, line(first, text))
    }
  }

  /// Does a request within a record's length show the line, from the line end before it up to its address?
  private func isShown(_ text: borrowing Span<UInt8>, _ own: Int, host: Int) -> Bool {
    let start = lineStarts[own]
    // Most requests have nothing encoded.
    guard text.first("%", in: 0..<text.count) != nil else { return false }
    var end = start + max(host, 0)
    while end < text.count, Self.isAddress(text[end]) { end += 1 }
    let claim = start..<end
    for index in lineStarts.indices {
      let place = line(index, text)
      guard place.upperBound <= start + Self.limit, place.lowerBound + Self.limit > start,
        let context = index == own ? end : Self.find(", client: ", text, place)
      else { continue }
      guard index < own ? Self.isHead(text, place.lowerBound) : isInRecord(text, own, to: place.upperBound) else {
        continue
      }
      if EncodedText.holdsLine(text, claim, in: context..<place.upperBound) { return true }
    }
    return false
  }

  /// Is the line of a record whose last line is the rest of one, behind the text of a path? Only the address that nginx wrote
  /// at its end is real.
  private func isRest(_ text: borrowing Span<UInt8>, _ own: Int, host: Int) -> Bool {
    for last in own..<lineStarts.count {
      let place = line(last, text)
      guard last == own || place.upperBound <= lineStarts[own] + Self.limit else { break }
      guard !Self.isHead(text, place.lowerBound) else { continue }
      let shown = Self.lineEndsShown(text, place)
      guard shown > 0, last - own <= shown else { continue }
      guard (max(0, last - shown)..<last).contains(where: { Self.isHead(text, lineStarts[$0]) }) else { continue }
      if last > own || Self.lastClient(text, place) != place.lowerBound + host { return true }
    }
    return false
  }

  /// Is the line before the rest of a record that names a file on an application's behalf?
  private func isNamed(_ text: borrowing Span<UInt8>, _ own: Int) -> Bool {
    guard Self.find("\", upstream: \"", text, line(own, text).upperBound..<text.count) != nil else { return false }
    for last in lineStarts.indices where last > own {
      let place = line(last, text)
      guard place.upperBound <= lineStarts[own] + Self.limit else { break }
      if Self.namesFileOfUpstream(text, place), isInRecord(text, own, to: place.upperBound) { return true }
    }
    return false
  }

  /// Is the line of a record that was cut?
  private func isCut(_ text: borrowing Span<UInt8>, _ own: Int, isCutOff: Bool) -> Bool {
    for first in (0...own).reversed() where lineStarts[own] - lineStarts[first] < Self.limit {
      // Where the record ends if it was cut: at a line's end, or behind what was read.
      let most = lineStarts[first] + Self.limit
      let last = (max(own, first + 1)..<lineStarts.count).first { line($0, text).upperBound == most }
      guard last != nil || isCutOff && most > text.count else { continue }
      let range = line(first, text)
      guard Self.canHoldLineEnds(text, range), Self.find(Self.spoken, text, range) == nil else { continue }
      guard let last else { return true }
      let tail = max(lineStarts[last], most - 64)..<most
      if !Self.isFailure(text, range) || Self.find("... (", text, tail) != nil { return true }
    }
    return false
  }

  /// Is the line between what may be the beginning and the end of a record in which an application spoke? Between two notices
  /// of PHP's an honest one is, too: it is believed of a worker that wrote lines which nothing spoke against. Clients do not
  /// know the workers' numbers.
  private mutating func isSpoken(_ text: borrowing Span<UInt8>, _ own: Int) -> Bool {
    let worker = Self.worker(text, line(own, text))
    let isSaid = Self.find(Self.spoken, text, 0..<line(own, text).upperBound) != nil
    let isBetween =
      isSaid
      && (0...own).contains { first in
        let range = line(first, text)
        guard lineStarts[own] - lineStarts[first] < Self.limit, Self.canHoldLineEnds(text, range),
          Self.find(Self.spoken, text, range) != nil
        else { return false }
        let most = lineStarts[first] + Self.limit
        return (own..<lineStarts.count).contains { last in
          let place = line(last, text)
          return last > first && place.upperBound <= most
            && (place.upperBound == most || Self.find("\" while reading ", text, place) != nil)
        }
      }
    guard isBetween else {
      remember(worker)
      return false
    }
    return worker.map { !workers.contains($0) } ?? true
  }

  private mutating func remember(workerOf text: borrowing Span<UInt8>, _ line: Range<Int>) {
    remember(Self.worker(text, line))
  }

  /// A worker that wrote a line which nothing spoke against.
  private mutating func remember(_ worker: UInt64?) {
    guard let worker, !workers.contains(worker) else { return }
    if workers.count == Self.mostWorkers { workers.removeFirst() }
    workers.append(worker)
  }

  /// The process and thread that wrote a record: `5191#5191`.
  private static func worker(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> UInt64? {
    guard isHead(text, line.lowerBound), let bracket = find("] ", text, line) else { return nil }
    var at = bracket + 2
    var numbers: (UInt64, UInt64) = (0, 0)
    while at < line.upperBound, isDigit(text[at]) {
      numbers.0 = numbers.0 &* 10 &+ UInt64(text[at] - UInt8(ascii: "0"))
      at += 1
    }
    guard at < line.upperBound, text[at] == UInt8(ascii: "#") else { return nil }
    at += 1
    while at < line.upperBound, isDigit(text[at]) {
      numbers.1 = numbers.1 &* 10 &+ UInt64(text[at] - UInt8(ascii: "0"))
      at += 1
    }
    return numbers.0 << 32 ^ numbers.1
  }

  /// The start of a record, or text that is made to look like one, also behind syslog's header.
  private static func isHead(_ text: borrowing Span<UInt8>, _ at: Int) -> Bool {
    if isStamp(text, at) { return true }
    var colon = at
    while colon < min(at + 100, text.count), text[colon] != UInt8(ascii: "\n") {
      if text[colon] == UInt8(ascii: ":"), isStamp(text, colon + 2) { return true }
      colon += 1
    }
    return false
  }

  /// `2026/11/21 05:24:01 [`.
  static func isStamp(_ text: borrowing Span<UInt8>, _ at: Int) -> Bool {
    guard at + 21 <= text.count else { return false }
    return text[at + 4] == UInt8(ascii: "/") && text[at + 7] == UInt8(ascii: "/") && text[at + 10] == UInt8(ascii: " ")
      && text[at + 13] == UInt8(ascii: ":") && text[at + 16] == UInt8(ascii: ":") && text[at + 20] == UInt8(ascii: "[")
      && isDigit(text[at]) && isDigit(text[at + 3])
  }

  /// Messages that nginx makes up without anything in which a client could write a colon, or without the client at all.
  private static let own: [StaticString] = [
    "user \"", "limiting ", "delaying ", "access forbidden by rule", "[client ", "directory index of \"",
  ]

  /// A record's first line, of a connection, whose message quotes something: a path, a host, what an application said.
  private static func canHoldLineEnds(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> Bool {
    guard isHead(text, line.lowerBound), let message = message(text, line),
      !own.contains(where: { starts(text, message, with: $0) })
    else { return false }
    let end = find(", client: ", text, message..<line.upperBound) ?? line.upperBound
    return find("\"", text, message..<end) != nil
  }

  /// A message that the system's error follows.
  private static func isFailure(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> Bool {
    guard let message = message(text, line) else { return false }
    return starts(text, message, with: "\"/")
      || find("() \"", text, message..<min(message + 16, line.upperBound)) != nil
  }

  /// Where the message begins, behind `[error] 5191#5191: *31 `; nil where there is no connection, and so no client.
  private static func message(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> Int? {
    guard let hash = find("#", text, line), var at = find(": *", text, hash..<line.upperBound) else { return nil }
    at += 3
    while at < line.upperBound, text[at] != UInt8(ascii: " ") { at += 1 }
    return min(at + 1, line.upperBound)
  }

  /// `…" failed (2: No such file or directory), client: 192.0.2.7, server: s, request: "GET / HTTP/1.1", upstream: "…`: a file of
  /// an application's. Where a second `client:` is on the line, a Referer may have made it look so.
  private static func namesFileOfUpstream(_ text: borrowing Span<UInt8>, _ line: Range<Int>) -> Bool {
    guard let client = find(", client: ", text, line), lastClient(text, line) == client + 10,
      let request = find(", request: \"", text, client..<line.upperBound),
      let version = find(" HTTP/", text, request..<line.upperBound),
      let end = find("\"", text, version..<line.upperBound), starts(text, end, with: "\", upstream: \"")
    else { return false }
    // `connect() failed (111: Connection refused) while connecting to upstream`: what nginx was doing.
    var action = client
    while action > line.lowerBound, isDigitOrLetter(text[action - 1]) || text[action - 1] == UInt8(ascii: " ") {
      action -= 1
    }
    return find(" while ", text, action..<client) == nil
  }

  private static func isDigitOrLetter(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 26
  }

  private static func isAddress(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 6 || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
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
    text.first(needle, in: range)
  }
}
