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
    var jails: [Int] = []
  }

  private var plan: Plan
  private let output: BoundedQueue<DecisionThread.Item>
  private let late: IdleCheckpoints
  private let patterns: PatternHealth
  private let published: Mutex<[Int: SourceCounts]> = Mutex([:])
  private let onEvent: @Sendable (SourceEvent) -> Void
  private var matchers: [Int: LineMatcher] = [:]
  private var infos: [Int: SourceInfo] = [:]
  private var names: Names
  private var batch = FailureBatch()

  init(
    _ plan: Plan, output: BoundedQueue<DecisionThread.Item>, late: IdleCheckpoints,
    patterns: PatternHealth, onEvent: @escaping @Sendable (SourceEvent) -> Void
  ) {
    self.plan = plan
    self.patterns = patterns
    self.output = output
    self.late = late
    self.onEvent = onEvent
    names = Names(jails: plan.jailNames, patterns: plan.patternNames, sources: [])
  }

  /// New settings; called between two turns of reading. The sources' `begin` follows for all that are still read.
  func applyReload(_ plan: Plan) {
    flush([])
    self.plan = plan
    names = Names(jails: plan.jailNames, patterns: plan.patternNames, sources: names.sources)
    matchers.removeAll()
    patterns.removeAll()
    for info in infos.values {
      matchers[info.number] = LineMatcher(plan, jails: plan.jails(reading: info.specs), patterns: patterns)
    }
  }

  func counts() -> [Int: SourceCounts] { published.withLock { $0 } }

  func begin(_ source: SourceInfo) {
    infos[source.number] = source
    while names.sources.count <= source.number { names.sources.append("") }
    names.sources[source.number] = source.name
    matchers[source.number] = LineMatcher(plan, jails: plan.jails(reading: source.specs), patterns: patterns)
  }

  func consume(lines: borrowing Span<UInt8>, at offset: UInt64, from source: Int) {
    matchers[source]?.match(lines, at: offset, source: UInt32(source), now: SystemClock.now(), into: &batch)
  }

  func consume(message: borrowing Span<UInt8>, of entry: JournalEntry, from source: Int) {
    matchers[source]?.match(message: message, of: entry, source: UInt32(source), now: SystemClock.now(), into: &batch)
  }

  func checkpoint(_ positions: [SourcePosition]) {
    publish(positions)
    if batch.failures.isEmpty { late.add(positions) } else { flush(positions) }
  }

  func report(_ event: SourceEvent) { onEvent(event) }

  private func flush(_ positions: [SourcePosition]) {
    guard !batch.failures.isEmpty else { return }
    // What moved before comes first: a later position of the same source follows it in the list and wins.
    batch.positions = late.takeForBatch() + positions
    output.post(.batch(batch, names, plan), cost: batch.size)
    batch = FailureBatch()
  }

  private func publish(_ positions: [SourcePosition]) {
    published.withLock { counts in
      for (number, matcher) in matchers {
        counts[number] = SourceCounts(
          matched: matcher.counts.matched, ignored: matcher.counts.ignored, distrusted: matcher.counts.distrusted,
          jails: plan.jails(reading: infos[number]?.specs ?? []))
      }
    }
  }
}
