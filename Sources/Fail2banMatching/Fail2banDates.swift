internal import Matching
internal import Model

/// Finds the date in a line, as fail2ban does: the template that found the last one is tried first, at the same place; a
/// date further to the right than usual is doubted, and the leftmost of the doubtful ones wins; templates that find dates
/// move to the front.
///
/// One belongs to one source's lines: what it has learned of one log's layout is wrong for another.
struct Fail2banDates {
  /// Where the date is.
  struct Found {
    /// What is cut out: group 1. Empty where a pattern says that a line has no date.
    var cut: Range<Int>
    /// The template; the scratch holds its captures, unless it was read by hand already.
    var template: DateTemplate
    var isRead: Bool
    /// What it says, where that is known already.
    var time: Instant?
  }

  private struct Entry {
    let template: DateTemplate
    /// Dates taken from it.
    var hits = 0
    /// Lines that it matched, taken or not.
    var matches = 0
    var lastUsed = Int64.min
    /// Where its last date began.
    var distance = Int.max

    var weight: Double { Double(hits) * template.weight / Double(max(1, distance)) }
  }

  private struct Hit {
    var index: Int
    var range: Range<Int>
    /// The same in characters, in which fail2ban measures.
    var start: Int
    var end: Int
    /// The part of the line that was searched.
    var from: Int
    var limit: Int
    /// Read by hand: the scratch holds nothing of it, `fields` or `time` does.
    var isRead = false
    var time: Instant?
  }

  /// Seconds after which a template counts as out of use.
  private static let unused: Int64 = 300

  private var entries: [Entry]
  /// What was read by hand last: too large to be handed from one function to the next for each line.
  private var fields = DateFields()
  private var minute = StampMinute()
  private var zone: DefaultZone
  private var last = Int.max
  private var firstUnused = 0
  // Where the last date stood, in characters, and the bytes around both ends of it; nil past the line's ends.
  private var start = 1
  private var end = Int.max
  private var beforeStart: UInt8?
  private var atStart: UInt8?
  private var beforeEnd: UInt8?
  private var atEnd: UInt8?

  init(_ templates: [DateTemplate], zone: DefaultZone) {
    entries = templates.map { Entry(template: $0) }
    self.zone = zone
  }

  /// The date in `line`, which is valid UTF-8.
  mutating func find(
    _ line: borrowing Span<UInt8>, isASCII: Bool, now: Instant, _ scratch: inout MatchScratch
  ) -> Found? {
    var doubtful: Hit?
    var skip = -1
    if entries.indices.contains(last) {
      let isAnchored = entries[last].template.isAnchored
      let hit: Hit?
      let place =
        isASCII ? start..<end : Self.place(line, ofCharacter: start)..<Self.place(line, ofCharacter: end)
      if !isAnchored, hasSameBounds(line, place) {
        hit = attempt(last, line, now, place.lowerBound, min(place.upperBound, line.count), &scratch)
      } else {
        hit = attempt(last, line, now, 0, line.count, &scratch)
        skip = last
      }
      if let hit {
        if entries.count == 1 || isAnchored || hit.start == start && hit.end == end {
          return take(hit, line, now, scratch)
        }
        doubtful = hit
      }
    }
    for index in entries.indices where index != skip {
      guard let hit = attempt(index, line, now, 0, line.count, &scratch) else { continue }
      let entry = entries[index]
      if index + 1 == entries.count || entry.template.isAnchored
        || hit.start == 0 && entry.hits > 0 && entries[index + 1].matches == 0
        || hit.start <= entry.distance && hit.start <= start
      {
        return take(hit, line, now, scratch)
      }
      if hit.start < doubtful?.start ?? Int.max { doubtful = hit }
    }
    guard let doubtful else { return nil }
    // The scratch holds another template's captures by now.
    guard attempt(doubtful.index, line, now, doubtful.from, doubtful.limit, &scratch) != nil else { return nil }
    return take(doubtful, line, now, scratch)
  }

  /// The moment that a date found just now means; nil when there is none such (31 February).
  mutating func read(
    _ found: Found, _ line: borrowing Span<UInt8>, _ clock: inout LogClock, _ scratch: borrowing MatchScratch
  ) -> Instant? {
    if let time = found.time { return time }
    if found.isRead {
      let time = fields.instant(&clock, &zone)
      if let time, found.template.stamp == .syslog {
        minute.keep(line, at: 0, second: fields.second, time: time, now: clock.now)
      }
      return time
    }
    switch found.template.reading {
    case .fields(let groups):
      var fields = DateFields()
      for (directive, group) in groups {
        guard let range = scratch.group(group) else { continue }
        guard fields.take(directive, line.extracting(range)) else { return nil }
      }
      return fields.instant(&clock, &zone)
    case .epoch(let group, let long):
      return scratch.group(group).flatMap { EpochText.instant(line.extracting($0), long: long) }
    case .tai64n:
      return EpochText.tai64n(line.extracting(found.cut))
    }
  }

  private mutating func attempt(
    _ index: Int, _ line: borrowing Span<UInt8>, _ now: Instant, _ from: Int, _ limit: Int,
    _ scratch: inout MatchScratch
  ) -> Hit? {
    if from == 0, limit == line.count, let stamp = entries[index].template.stamp {
      let time =
        stamp == .syslog && LineStartStamp.mayBeSyslog(line) ? minute.time(line, at: 0, now: now) : nil
      if let end = time == nil ? stamp.read(line, into: &fields) : LineStartStamp.syslogLength {
        entries[index].matches += 1
        return Hit(
          index: index, range: 0..<end, start: 0, end: end, from: from, limit: limit, isRead: true, time: time)
      }
    }
    guard from <= limit,
      scratch.match(entries[index].template.pattern, line.extracting(0..<limit), from: from) == .matched,
      let whole = scratch.group(0)
    else { return nil }
    entries[index].matches += 1
    let start = Self.characters(line, 0..<whole.lowerBound)
    return Hit(
      index: index, range: whole, start: start, end: start + Self.characters(line, whole), from: from, limit: limit)
  }

  private static func characters(_ line: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
    var count = 0
    for at in range where line[at] & 0xC0 != 0x80 { count += 1 }
    return count
  }

  /// The byte at which a character begins; past the end of the line as many bytes as characters.
  private static func place(_ line: borrowing Span<UInt8>, ofCharacter index: Int) -> Int {
    guard index < Int.max else { return index }
    var left = index
    var at = 0
    while at < line.count, left > 0 || line[at] & 0xC0 == 0x80 {
      if line[at] & 0xC0 != 0x80 { left -= 1 }
      at += 1
    }
    return at + left
  }

  /// Do the same bytes stand around the place of the last date? A punctuation mark may also be on the inside only.
  private func hasSameBounds(_ line: borrowing Span<UInt8>, _ place: Range<Int>) -> Bool {
    func byte(_ at: Int) -> UInt8? { at >= 0 && at < line.count ? line[at] : nil }
    return (byte(place.lowerBound - 1) == beforeStart || byte(place.lowerBound) == atStart && !isWord(atStart))
      && (byte(place.upperBound) == atEnd || byte(place.upperBound - 1) == beforeEnd && !isWord(beforeEnd))
  }

  private func isWord(_ byte: UInt8?) -> Bool {
    switch byte ?? 0 {
    case 48...57, 65...90, 97...122, 128...: true
    default: false
    }
  }

  private mutating func take(
    _ hit: Hit, _ line: borrowing Span<UInt8>, _ now: Instant, _ scratch: borrowing MatchScratch
  ) -> Found {
    let template = entries[hit.index].template
    entries[hit.index].hits += 1
    entries[hit.index].lastUsed = now.seconds
    entries[hit.index].distance = hit.start
    if firstUnused == hit.index { firstUnused += 1 }
    start = hit.start
    end = hit.end
    let range = hit.range
    beforeStart = range.lowerBound > 0 ? line[range.lowerBound - 1] : nil
    atStart = range.lowerBound < line.count ? line[range.lowerBound] : nil
    beforeEnd = range.upperBound > 0 ? line[range.upperBound - 1] : nil
    atEnd = range.upperBound < line.count ? line[range.upperBound] : nil
    last = hit.index != 0 && hit.index != last ? moveUp(hit.index) : hit.index
    let cut = hit.isRead ? range : scratch.group(1) ?? range.lowerBound..<range.lowerBound
    return Found(cut: cut, template: template, isRead: hit.isRead, time: hit.time)
  }

  /// Moves a template that found a date towards the front: to the first that never did, or halfway, or by one.
  private mutating func moveUp(_ index: Int) -> Int {
    let entry = entries[index]
    let (stale, overflow) = entry.lastUsed.subtractingReportingOverflow(Self.unused)
    let oldest = overflow ? Int64.min : stale
    func mayReplace(_ place: Int) -> Bool {
      entry.weight > entries[place].weight || oldest > entries[place].lastUsed
    }
    var place = firstUnused < index ? firstUnused : index / 2
    if !mayReplace(place) {
      if place == index - 1 { return index }
      place = index - 1
      if !mayReplace(place) { return index }
    }
    entries.remove(at: index)
    entries.insert(entry, at: place)
    while firstUnused < entries.count, entries[firstUnused].hits > 0 { firstUnused += 1 }
    return place
  }
}

/// Times written as a count of seconds.
enum EpochText {
  /// Seconds with a fraction; `long`: milliseconds from 13 digits, microseconds from 16.
  static func instant(_ text: borrowing Span<UInt8>, long: Bool) -> Instant? {
    var whole: Int64 = 0
    var digits = 0
    var fraction: Int64 = 0
    var scale: Int64 = 100_000
    var point = false
    for at in 0..<text.count {
      let byte = text[at]
      if byte == UInt8(ascii: "."), !point {
        point = true
        continue
      }
      guard byte >= 48, byte <= 57, digits < 18 else { return nil }
      if point {
        fraction += Int64(byte - 48) * scale
        scale /= 10
      } else {
        whole = whole * 10 + Int64(byte - 48)
        digits += 1
      }
    }
    if long, text.count >= 13 {
      if text.count >= 16, !point { return Instant(microseconds: whole) }
      return Instant(microseconds: whole * 1000 + fraction / 1000)
    }
    return Instant(microseconds: Instant(seconds: whole).microseconds &+ fraction)
  }

  /// The seconds of `@` and 24 hexadecimal digits; the 4 in front marks 1970. Leap seconds are not taken off, as in fail2ban.
  static func tai64n(_ text: borrowing Span<UInt8>) -> Instant? {
    guard text.count >= 17 else { return nil }
    var seconds: Int64 = 0
    for at in 2..<17 {
      let byte = text[at]
      let digit: Int64
      switch byte {
      case 48...57: digit = Int64(byte) - 48
      case 65...70, 97...102: digit = Int64(byte | 0x20) - 87
      default: return nil
      }
      seconds = seconds << 4 | digit
    }
    return Instant(seconds: seconds)
  }
}
