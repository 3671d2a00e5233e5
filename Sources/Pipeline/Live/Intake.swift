internal import Glibc
internal import LogSources
internal import Model
internal import Synchronization
internal import System

/// The reader's thread: lines in, batches of failures out to the decider.
// Unchecked: everything runs on the reader's thread, `applyReload` too (the reader calls it between two turns); only `counts`
// is asked from others, and that is behind a Mutex.
final class Intake: LineSink, @unchecked Sendable {
  /// What `status` tells of one source.
  struct SourceCounts: Sendable {
    var matched = 0
    var ignored = 0
    var distrusted = 0
    /// How far its stamps are off.
    var clockOffset: TimeSpan?
    var jails: [Int] = []
    /// What the filters of jails make of its lines, by jail; files alone.
    var understandings: [Int: SourceUnderstanding] = [:]
  }

  private struct Source {
    var info: SourceInfo
    var jails: [Int]
    /// Made for the first line: of thousands of logs few may ever grow.
    var matcher: LineMatcher?
  }

  private var plan: Plan
  private var sets: FilterSets
  private let output: BoundedQueue<DecisionThread.Item>
  private let late: IdleCheckpoints
  private let patterns: PatternHealth
  private let published: Mutex<[Int: SourceCounts]> = Mutex([:])
  private let onEvent: @Sendable (SourceEvent) -> Void
  private var sources: [Source] = []
  private var names: Names
  private var batch = FailureBatch()
  /// When the first line of the batch was read, on the monotonic clock.
  private var firstRead = 0.0
  /// Sources whose counts moved since they were published.
  private var hasNews: Set<Int> = []

  init(
    _ plan: Plan, output: BoundedQueue<DecisionThread.Item>, late: IdleCheckpoints,
    patterns: PatternHealth, onEvent: @escaping @Sendable (SourceEvent) -> Void
  ) {
    self.plan = plan
    self.patterns = patterns
    self.output = output
    self.late = late
    self.onEvent = onEvent
    sets = FilterSets(plan, patterns: patterns)
    names = Names(jails: plan.jailNames, patterns: plan.patternNames, sources: [])
  }

  /// New settings; called between two turns of reading. The sources' `begin` follows for all that are still read.
  func applyReload(_ plan: Plan) {
    flush([])
    self.plan = plan
    names = Names(jails: plan.jailNames, patterns: plan.patternNames, sources: names.sources)
    patterns.removeAll()
    sets = FilterSets(plan, patterns: patterns)
    for index in sources.indices { renewMatcher(of: index) }
  }

  func counts() -> [Int: SourceCounts] { published.withLock { $0 } }

  func begin(_ source: SourceInfo) {
    if source.number == sources.count {
      sources.append(Source(info: source, jails: plan.jails(reading: source.specs)))
      names.sources.append(source.name)
    } else {
      sources[source.number].info = source
      renewMatcher(of: source.number)
    }
    publish(source.number)
  }

  /// What the matcher knows of earlier lines, and has counted, goes on.
  private func renewMatcher(of source: Int) {
    sources[source].jails = plan.jails(reading: sources[source].info.specs)
    guard let old = sources[source].matcher else { return }
    sources[source].matcher = LineMatcher(sets, jails: sources[source].jails, continuing: old)
  }

  private func matcher(of source: Int) -> LineMatcher {
    if let known = sources[source].matcher { return known }
    let matcher = LineMatcher(sets, jails: sources[source].jails)
    sources[source].matcher = matcher
    return matcher
  }

  func consume(lines: borrowing Span<UInt8>, of origin: LineOrigin, from source: Int) {
    if batch.hasNoRows { firstRead = monotonicSeconds() }
    let matcher = matcher(of: source)
    matcher.match(lines, of: origin, source: UInt32(source), now: SystemClock.now(), into: &batch)
    matcher.examine(lines, of: origin)
    hasNews.insert(source)
  }

  func consume(message: borrowing Span<UInt8>, of entry: JournalEntry, from source: Int) {
    if batch.hasNoRows { firstRead = monotonicSeconds() }
    matcher(of: source).match(message: message, of: entry, source: UInt32(source), now: SystemClock.now(), into: &batch)
    hasNews.insert(source)
  }

  func checkpoint(_ positions: [SourcePosition]) {
    for source in hasNews { publish(source) }
    hasNews.removeAll(keepingCapacity: true)
    if batch.hasNoRows { late.add(positions) } else { flush(positions) }
  }

  func report(_ event: SourceEvent) { onEvent(event) }

  func time(of line: borrowing Span<UInt8>, in source: Int) -> Instant? {
    matcher(of: source).time(of: line, now: SystemClock.now())
  }

  private func flush(_ positions: [SourcePosition]) {
    guard !batch.hasNoRows else { return }
    // What moved before comes first: a later position of the same source follows it in the list and wins.
    batch.positions = late.takeForBatch() + positions
    output.post(.batch(batch, names, plan, read: firstRead), cost: batch.size)
    batch = FailureBatch()
  }

  private func publish(_ source: Int) {
    var counts = SourceCounts(jails: sources[source].jails)
    if let matcher = sources[source].matcher {
      counts.matched = matcher.counts.matched
      counts.ignored = matcher.counts.ignored
      counts.distrusted = matcher.counts.distrusted
      counts.clockOffset = matcher.clock.offset
      matcher.understandings { counts.understandings[$0] = $1 }
    }
    published.withLock { $0[source] = counts }
  }
}
