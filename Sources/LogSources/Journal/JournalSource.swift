internal import Glibc
import Model
internal import System

/// Entries of a journal that one list of matches fits.
final class JournalSource {
  private let outlet: LineOutlet
  var number: Int { outlet.number }
  let match: JournalMatch
  let directory: String?
  var specs: [Int]
  private let start: SourceSpec.Start
  /// What must be lent again of what the run before has read; zero once that is done.
  private var lookBack: TimeSpan
  /// What was received from then on (microseconds since 1970) comes after the end.
  private let since: UInt64?
  private let table: SourceTable
  private let buffer: LineBuffer
  private let entry = JournalEntry()
  private(set) var handle: JournalHandle?
  /// The last entry that was dealt with; empty: the journal was empty then; nil: begin as `start` says.
  private var cursor: String?
  /// The next entry must be checked against `cursor`: it is that one, or the first after a gap.
  private var isResuming = false
  private var busyUntil = 0.0
  private var nextTry = 0.0
  /// When there was nothing more to read (monotonic seconds).
  private var caughtUpAt: Double?
  /// Everything received up to here has been read (microseconds since the epoch).
  private var completeUntil: UInt64 = 0
  /// Files came, went or were written to.
  var hasEvents = false

  /// Entries before it is another source's turn.
  static let entriesPerTurn = 2048
  /// Seconds for which it is polled after an entry: longer than journald's announcements are late (250 ms).
  private static let busy = 0.5
  /// Between two looks at a journal that is busy: a third of the time between its entries. A look costs 2 µs, waking for it 20.
  private static let polls = 0.004...0.016
  private var poll = polls.lowerBound
  /// When entries were found last (monotonic seconds).
  private var foundAt = 0.0
  private static let retry = 2.0

  init(
    _ outlet: LineOutlet, match: JournalMatch, directory: String?, specs: [Int], start: SourceSpec.Start,
    lookBack: TimeSpan,
    since: UInt64?, cursor: String?, table: SourceTable, buffer: LineBuffer
  ) {
    self.outlet = outlet
    self.match = match
    self.directory = directory
    self.specs = specs
    self.start = start
    self.lookBack = lookBack
    self.since = since
    self.cursor = cursor
    self.table = table
    self.buffer = buffer
  }

  /// When it must be looked at though its descriptor tells nothing (monotonic seconds).
  func nextLook(_ now: Double) -> Double {
    if handle == nil { return nextTry }
    return now < busyUntil ? now + poll : .infinity
  }

  /// Opens the journal when it is not open and it is time to try; true when there is a new descriptor to wait for.
  func open(now: Double) -> Bool {
    guard handle == nil, now >= nextTry else { return false }
    nextTry = now + Self.retry
    do throws(SystemError) {
      let opened = try JournalHandle(directory: directory)
      guard opened.hasFiles || directory != nil else {
        table.set(number, state: .waiting("there is no journal on this machine (yet)"))
        return false
      }
      try opened.add(match)
      let descriptor = opened.descriptor
      guard descriptor >= 0 else { throw SystemError(code: -descriptor, operation: "watch the journal") }
      try seek(opened)
      handle = opened
      entry.handle = opened
      table.set(number, state: .reading)
      return true
    } catch {
      if error.code == ENOENT || error.code == ENOMEDIUM {
        table.set(number, state: .waiting("\(error)"))
      } else {
        table.set(number, state: .failed("\(error); reading it needs root or the group systemd-journal"))
      }
      return false
    }
  }

  private func seek(_ journal: JournalHandle) throws(SystemError) {
    if let cursor, !cursor.isEmpty {
      if lookBack > .zero { try lookBack(in: journal, from: cursor) }
      try journal.seek(to: cursor)
      isResuming = true
    } else if cursor != nil || start == .beginning {
      try journal.seekToHead()
    } else {
      // Standing at the last entry, `next` gives those that come after it.
      let found = try journal.seekToLast(before: since)
      if !found { try journal.seekToHead() }
      let last = found ? journal.cursor() ?? "" : ""
      completeUntil = found ? journal.realtime() ?? 0 : 0
      cursor = last
      publish(last)
    }
  }

  /// Lends again what was received in the time before the entry that was read last, and that entry.
  private func lookBack(in journal: JournalHandle, from cursor: String) throws(SystemError) {
    try journal.seek(to: cursor)
    guard try journal.next(), journal.isAt(cursor), let last = journal.realtime() else { return }
    let span = UInt64(clamping: lookBack.microseconds)
    lookBack = .zero
    // What is exactly as old as that still counts.
    if try !journal.seekToLast(before: last > span ? last - span - 1 : 0) { try journal.seekToHead() }
    let counters = outlet.counters
    entry.handle = journal
    outlet.isLive = false
    outlet.isPast = true
    while try journal.next() {
      _ = journal.deliver(entry, through: buffer, to: outlet)
      if outlet.counters.lines % 1024 == 0 { table.sink.checkpoint([]) }
      if let time = journal.realtime(), time >= last, journal.isAt(cursor) || time > last { break }
    }
    outlet.isPast = false
    outlet.counters = counters
    entry.handle = nil
  }

  private func publish(_ cursor: String) {
    let position = Position.journal(cursor: cursor)
    table.sink.checkpoint([SourcePosition(source: table.name(number), position: position)])
    table.publish(number, position: position)
  }

  /// Reads what is there; true when there may be more at once.
  func turn(now: Double) -> Bool {
    guard let handle else { return false }
    if hasEvents {
      hasEvents = false
      if handle.process() { checkForGap(handle) }
    }
    var hasMoved = false
    let start = UInt64(clamping: SystemClock.now().microseconds)
    outlet.isLive = caughtUpAt.map { now - $0 <= LineOrigin.mostDelay } ?? false
    var more = true
    do throws(SystemError) {
      for _ in 0..<Self.entriesPerTurn {
        more = try handle.next()
        guard more else { break }
        if isResuming {
          isResuming = false
          if let cursor, handle.isAt(cursor) { continue }
          table.report(
            number,
            .lost(
              "the entry that was read last is no longer in the journal (vacuumed?); entries between it and the oldest "
                + "that is left may be lost"))
        }
        hasMoved = true
        if let notice = handle.deliver(entry, through: buffer, to: outlet), match.mayFit(unit: notice.unit) {
          table.report(number, .rateLimited(notice.text))
        }
      }
      if !more {
        completeUntil = start
        caughtUpAt = now
      }
    } catch {
      more = false
      table.set(number, state: .failed("\(error)"))
      // What was delivered is stored below; the next try goes on after it.
      nextTry = now + Self.retry
    }
    if hasMoved {
      busyUntil = now + Self.busy
      poll = min(max((now - foundAt) / 3, Self.polls.lowerBound), Self.polls.upperBound)
      foundAt = now
      if let last = handle.cursor() {
        cursor = last
        publish(last)
      }
    }
    if nextTry > now, case .failed = table.state(number) { close() }
    return more
  }

  private func close() {
    handle = nil
    entry.handle = nil
  }

  /// Files went: were entries in them that we have not read?
  private func checkForGap(_ handle: JournalHandle) {
    guard completeUntil > 0, let oldest = handle.oldest(), oldest > completeUntil else { return }
    table.report(number, .lost("the journal was vacuumed before all of it was read"))
    completeUntil = oldest
  }
}
