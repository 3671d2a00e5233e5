internal import Glibc
import Model

/// epoll and all sources; belongs to the thread that runs it.
final class ReaderLoop {
  private enum Tag {
    static let wakeUp: UInt64 = 0
    static let watcher: UInt64 = 1
    static let standardInput: UInt64 = 2
    /// Journals follow, by their numbers.
    static let journals: UInt64 = 16
  }

  private let table: SourceTable
  private let buffer = LineBuffer()
  private var poller: Poller
  private let files: FileSources
  private var journals: [JournalSource] = []
  private var cursors: [String: String] = [:]
  private var input: (reader: StreamReader, number: Int, isPollable: Bool)?
  private var inputIsReady = false
  private var mayHaveMore = true

  /// Between two looks at a journal that is busy. journald tells of entries up to 250 ms late, a look costs 2 µs.
  private static let journalPoll: Int32 = 4

  init(table: SourceTable, wakeUp: Int32, positions: [SourcePosition]) throws(SystemError) {
    self.table = table
    poller = try Poller()
    files = FileSources(table: table, buffer: buffer, positions: positions)
    for position in positions {
      if case .journal(let cursor) = position.position { cursors[position.source] = cursor }
    }
    _ = poller.add(wakeUp, tag: Tag.wakeUp)
    if let watcher = files.watcherDescriptor { _ = poller.add(watcher, tag: Tag.watcher) }
  }

  /// Nothing more can ever come.
  var isFinished: Bool {
    guard let input, files.isEmpty, journals.isEmpty else { return false }
    return table.state(input.number) == .ended
  }

  // MARK: What to read

  /// `askedFor`: of a reload, nil at the start.
  func set(_ specs: [SourceSpec], _ askedFor: ReloadSnapshot? = nil) {
    files.set(specs, askedFor)
    setJournals(specs, askedFor)
    setInput(specs)
    mayHaveMore = true
  }

  private func setJournals(_ specs: [SourceSpec], _ askedFor: ReloadSnapshot?) {
    var wanted: [(name: String, match: JournalMatch, directory: String?, specs: [Int], start: SourceSpec.Start)] = []
    for (index, spec) in specs.enumerated() {
      guard case .journal(let matches, let directory) = spec.kind else { continue }
      let match = JournalMatch(matches)
      let name = JournalSource.name(match, directory)
      if let i = wanted.firstIndex(where: { $0.name == name }) {
        wanted[i].specs.append(index)
      } else {
        wanted.append((name, match, directory, [index], spec.start))
      }
    }
    for journal in journals where !wanted.contains(where: { $0.name == table.name(journal.number) }) {
      table.set(journal.number, specs: [])
    }
    journals = wanted.map { want in
      if let old = journals.first(where: { table.name($0.number) == want.name }) {
        if old.specs != want.specs {
          old.specs = want.specs
          table.set(old.number, specs: want.specs)
        }
        return old
      }
      let number = table.add(.journal, want.name, specs: want.specs, state: .waiting("not opened yet"))
      return JournalSource(
        number: number, match: want.match, directory: want.directory, specs: want.specs, start: want.start,
        since: askedFor?.time, cursor: cursors[want.name], table: table, buffer: buffer)
    }
  }

  private func setInput(_ specs: [SourceSpec]) {
    let wanting = specs.indices.filter { specs[$0].kind == .standardInput }
    if let input {
      table.set(input.number, specs: wanting)
      return
    }
    guard !wanting.isEmpty else { return }
    let number = table.add(.standardInput, "-", specs: wanting)
    let isPollable = poller.add(STDIN_FILENO, tag: Tag.standardInput)
    // A buffer of its own: what a stream carries over cannot be read again.
    input = (StreamReader(STDIN_FILENO, name: "standard input", LineBuffer()), number, isPollable)
    inputIsReady = !isPollable
  }

  // MARK: A turn

  /// Waits for something to happen, and reads it. True when another thread has woken it.
  func turn() -> Bool {
    var isWoken = false
    let wait = timeout()
    poller.wait(milliseconds: wait) { tag in
      switch tag {
      case Tag.wakeUp: isWoken = true
      case Tag.watcher: files.hasEvents = true
      case Tag.standardInput: inputIsReady = true
      default:
        for journal in journals where UInt64(journal.number) + Tag.journals == tag {
          journal.hasEvents = true
          journal.isReady = true
        }
      }
    }
    let now = monotonicSeconds()
    files.handleEvents()
    files.tick(now: now)
    if files.needsScan { files.scan(now: now) }
    mayHaveMore = files.turn()
    for journal in journals where turn(journal, now) { mayHaveMore = true }
    if inputIsReady, readInput() { mayHaveMore = true }
    return isWoken
  }

  private func timeout() -> Int32 {
    if mayHaveMore { return 0 }
    let now = monotonicSeconds()
    if journals.contains(where: { $0.isBusy(now) }) { return Self.journalPoll }
    return files.isEmpty && journals.isEmpty ? -1 : 1000
  }

  private func turn(_ journal: JournalSource, _ now: Double) -> Bool {
    if journal.open(now: now), let handle = journal.handle {
      _ = poller.add(handle.descriptor, tag: Tag.journals + UInt64(journal.number))
    }
    return journal.turn(now: now)
  }

  private func readInput() -> Bool {
    guard let (reader, number, isPollable) = input, table.state(number) != .ended else { return false }
    inputIsReady = !isPollable
    var counters = table.counters(number)
    var more = false
    var problem: SystemError?
    do {
      more = try reader.read(source: number, to: table.sink, &counters)
    } catch {
      problem = error
    }
    table.set(number, counters: counters)
    table.sink.checkpoint([])
    table.publish(number)
    if !more {
      if isPollable { poller.remove(STDIN_FILENO) }
      inputIsReady = false
      if let problem { table.set(number, state: .failed("\(problem)")) }
      table.set(number, state: .ended)
    }
    return more && !isPollable
  }
}
