internal import Model

/// The last bytes of a source before the chunk at hand, for filters that must know what precedes a line. One for each
/// source.
public final class LineHistory {
  private static let size = 4096
  /// With the line end that shows where the first line in `size` bytes begins.
  private static let kept = size + 1
  private(set) var tail: [UInt8] = []
  /// Are there bytes of the source before `tail`?
  private var isCut = false
  /// How much of the source is before the chunk.
  private var position = 0
  /// The last address that each filter with `untrustedAfterMatch` found, and where.
  private var believed: [(filter: Int, address: Address, time: Instant?, at: Int)] = []
  private var nginx = NginxRecords()
  /// Records of a ModSecurity audit log; followed only for filters that read one.
  private(set) var audit = AuditRecords()

  /// The names of its columns, as its last header line had them.
  var columnHeader = ColumnHeader()

  /// The bytes behind the chunk at hand that its reader kept back, for filters that must know what follows a line; nil where
  /// it reads on before it knows.
  public var ahead: [UInt8]?

  /// Who opened what, for filters that join lines.
  var openKeys = OpenKeys()

  public init() {}

  func enterAudit(_ lines: borrowing Span<UInt8>) { audit.enter(lines) }

  func keep(_ lines: borrowing Span<UInt8>) {
    audit.leave(lines)
    position += lines.count
    if lines.count >= Self.kept {
      isCut = isCut || !tail.isEmpty || lines.count > Self.kept
      tail.removeAll(keepingCapacity: true)
      tail.append(lines, lines.count - Self.kept..<lines.count)
    } else {
      tail.append(lines, 0..<lines.count)
      if tail.count > 2 * Self.kept {
        tail.removeFirst(tail.count - Self.kept)
        isCut = true
      }
    }
  }

  /// Appends the last `count` bytes before the chunk, or as many as there are; true when the source begins with them.
  func copyTail(_ count: Int, to bytes: inout [UInt8]) -> Bool {
    let kept = min(max(count, 0), tail.count)
    bytes.append(contentsOf: tail[(tail.count - kept)...])
    return !isCut && kept == tail.count
  }

  /// May the match in a line of nginx's error log be text of the client's? `host` is where its address begins in the line.
  func mayBeForged(_ lines: borrowing Span<UInt8>, nginxLine line: Range<Int>, host: Int) -> Bool {
    // Taken out while it works on this history, and put back.
    var records = NginxRecords()
    swap(&records, &nginx)
    defer { swap(&records, &nginx) }
    return records.mayBeForged(lines, line: line, host: host, history: self)
  }

  /// Takes a boundary of an audit record; in what may be nginx's error log only one that no client wrote can begin a record.
  func takeBoundary(_ lines: borrowing Span<UInt8>, line: Range<Int>, mayBeNginx: Bool) -> Bool {
    guard AuditRecords.isBoundary(lines, line) else { return false }
    if mayBeNginx, !audit.isOpen(at: line.lowerBound), mayBeForged(lines, nginxLine: line, host: -1) { return false }
    return audit.take(lines, line: line)
  }

  /// Does the line at `lineStart` begin within `limit` bytes of the start of an earlier line that ends inside a quote? Then
  /// it may be that line's continuation, which a client wrote.
  func mayBeForged(_ lines: borrowing Span<UInt8>, lineStart: Int, within limit: Int) -> Bool {
    // Walk back from the line: at each line start met, the quotes up to that line's end have been counted.
    var quotes = 0
    var back = 1
    while back <= limit {
      let at = lineStart - back
      guard let byte = at >= 0 ? lines[at] : earlier(-at) else {
        // The log's first line begins here.
        return quotes % 2 == 1
      }
      if byte == UInt8(ascii: "\n"), back > 1 {
        if quotes % 2 == 1 { return true }
        quotes = 0
      } else if byte == UInt8(ascii: "\"") {
        let before = at - 1 >= 0 ? lines[at - 1] : earlier(1 - at)
        if before != UInt8(ascii: "\\") { quotes += 1 }
      }
      back += 1
    }
    return false
  }

  /// Does one of the filter's `torn` match a line of its programs that begins within 4,096 bytes before the one at `line`, and
  /// may be of one record with it by the time of both?
  func isTorn(
    _ lines: borrowing Span<UInt8>, before line: Int, at time: Instant?, by native: NativeFilter,
    with scratch: inout MatchScratch, _ clock: inout LogClock
  ) -> Bool {
    var text: [UInt8] = []
    let behind = max(0, line - Self.kept)
    _ = copyTail(Self.kept - (line - behind), to: &text)
    text.append(lines, behind..<line)
    // What is left of a line that begins earlier says nothing.
    var at = text.count < Self.kept ? 0 : text.span.firstLF(from: 0) + 1
    while at < text.count {
      let end = text.span.firstLF(from: at)
      let earlier = text.span.extracting(at..<end)
      at = end + 1
      for pattern in native.torn where scratch.match(pattern.pattern, earlier) == .matched {
        let header = SyslogHeader.parse(earlier, clock: &clock)
        // Another program's line says nothing of this one's.
        if let header, !native.programs.isEmpty, !header.isBracketed, !native.admits(earlier, header.program) {
          continue
        }
        let torn = header?.time ?? Stamp.find(in: earlier, clock: &clock)
        if Self.isOneRecord(torn, time, clock) { return true }
      }
    }
    return false
  }

  /// May a line of `time` be of a record that was written at `written`? One that is more than a second later is not, unless it is
  /// ahead of the clock: a client who writes a line end does not know when the lines behind it are read.
  private static func isOneRecord(_ written: Instant?, _ time: Instant?, _ clock: LogClock) -> Bool {
    guard let written, let time else { return true }
    let second: Int64 = 1_000_000
    return time.microseconds &- written.microseconds <= second || time.microseconds &- clock.now.microseconds > second
  }

  /// Takes a filter's match; false when the last one that was believed is nearer than `limit` bytes and a second, and named
  /// somebody else.
  func believes(
    _ address: Address, of filter: Int, at line: Int, _ time: Instant?, within limit: Int?, _ clock: LogClock
  ) -> Bool {
    guard let limit else { return true }
    let place = position + line
    guard let index = believed.firstIndex(where: { $0.filter == filter }) else {
      believed.append((filter, address, time, place))
      return true
    }
    let last = believed[index]
    guard last.address == address || place - last.at > limit || !Self.isOneRecord(last.time, time, clock) else {
      return false
    }
    believed[index] = (filter, address, time, place)
    return true
  }

  /// The byte `distance` before the chunk, from 1.
  private func earlier(_ distance: Int) -> UInt8? {
    distance >= 1 && distance <= tail.count ? tail[tail.count - distance] : nil
  }
}
