internal import LogSources
internal import Model
internal import Synchronization
internal import System

/// A past log matched on all cores: workers take segments of the file, each with matching of its own, and the batches come
/// out in the order of the file, so that decisions are those of one reader. Only for filters to which a line means the same
/// whatever precedes it (`Plan.needsOrder`).
final class SegmentedLog: Sendable {
  /// Smaller files are read by one thread.
  static let smallest: UInt64 = 16 << 20
  private static let segmentSize: UInt64 = 1 << 20
  /// How many bytes of failures may wait for the detector before workers take no more segments.
  private static let mostWaiting = 8 << 20
  static let workers = ProcessorCount.available

  private let log: PastLog
  private let plan: Plan
  private let jails: [Int]
  private let source: Int
  private let count: Int
  private let size: UInt64

  private struct State {
    var segments: [Int: (batches: [FailureBatch], counts: ReplayCounts)] = [:]
    /// What the batches in `segments` hold, in bytes.
    var waiting = 0
    /// The next segment that a worker takes.
    var next = 0
    var error: (any Error)?
  }

  private let state = Monitor(State())

  init(_ log: PastLog, plan: Plan, jails: [Int], source: Int) {
    self.log = log
    self.plan = plan
    self.jails = jails
    self.source = source
    size = log.size ?? 0
    count = Int((size + Self.segmentSize - 1) / Self.segmentSize)
  }

  /// Returns every batch to `body`, in order, on the calling thread; `progress` hears how many bytes are done.
  func read(
    _ progress: (UInt64) -> Void, _ body: (inout FailureBatch) throws -> Void
  ) throws -> ReplayCounts {
    for number in 0..<min(Self.workers, count) {
      _ = ServiceThread("bailiff-match-\(number)") { [self] in work() }
    }
    var total = ReplayCounts()
    for segment in 0..<count {
      var (batches, counts) = try wait(for: segment)
      do {
        for index in batches.indices { try body(&batches[index]) }
      } catch {
        fail(error)
        throw error
      }
      total.add(counts)
      progress(min(UInt64(segment + 1) * Self.segmentSize, size))
    }
    return total
  }

  private func wait(for segment: Int) throws -> (batches: [FailureBatch], counts: ReplayCounts) {
    try state.wait { state in
      if let error = state.error { throw error }
      guard let done = state.segments.removeValue(forKey: segment) else { return nil }
      state.waiting -= done.batches.reduce(0) { $0 + $1.size }
      return done
    }!
  }

  /// One worker: takes segments until there are none.
  private func work() {
    let sink = ReplaySink(plan, jails: jails)
    while let segment = take() {
      var batches: [FailureBatch] = []
      sink.onBatch = { batches.append($0) }
      let before = sink.matcher.counts
      do {
        let start = UInt64(segment) * Self.segmentSize
        let counts = try log.read(start..<min(start + Self.segmentSize, size), as: source, to: sink)
        sink.finish()
        var matched = LineMatcher.Counts()
        matched.matched = sink.matcher.counts.matched - before.matched
        matched.ignored = sink.matcher.counts.ignored - before.ignored
        finish(segment, batches, ReplayCounts(counts, matched))
      } catch {
        fail(error)
        return
      }
    }
  }

  private func take() -> Int? {
    let taken = state.wait { state -> Int? in
      if state.next >= count || state.error != nil { return count }
      // The segment that the detector waits for is taken already, or nothing waits: so it is never waited for in vain.
      guard state.waiting <= Self.mostWaiting else { return nil }
      defer { state.next += 1 }
      return state.next
    }!
    return taken < count ? taken : nil
  }

  private func finish(_ segment: Int, _ batches: [FailureBatch], _ counts: ReplayCounts) {
    state.change { state in
      state.segments[segment] = (batches, counts)
      state.waiting += batches.reduce(0) { $0 + $1.size }
    }
  }

  private func fail(_ error: any Error) {
    state.change { state in if state.error == nil { state.error = error } }
  }
}
