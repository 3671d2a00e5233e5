internal import Foundation
internal import LogSources
internal import Model
internal import Synchronization

/// A past log matched on all cores: workers take segments of the file, each with matching of its own, and the batches come
/// out in the order of the file, so that decisions are those of one reader. Only for filters to which a line means the same
/// whatever precedes it (`Plan.needsOrder`).
// Unchecked: `segments`, `next`, `taken` and `error` are touched only while `condition` is locked; the rest never changes.
final class SegmentedLog: @unchecked Sendable {
  /// Smaller files are read by one thread.
  static let smallest: UInt64 = 16 << 20
  private static let segmentSize: UInt64 = 1 << 20
  /// How many bytes of failures may wait for the judge before workers take no more segments.
  private static let mostWaiting = 8 << 20
  static let workers = ProcessorCount.available

  private let log: PastLog
  private let plan: Plan
  private let jails: [Int]
  private let source: Int
  private let count: Int
  private let size: UInt64

  private let condition = NSCondition()
  private var segments: [Int: (batches: [FailureBatch], counts: ReplayCounts)] = [:]
  /// What the batches in `segments` hold, in bytes.
  private var waiting = 0
  /// The next segment that a worker takes.
  private var next = 0
  private var error: (any Error)?

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
      let thread = Thread { [self] in work() }
      thread.name = "bailiff-match-\(number)"
      thread.start()
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
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let error { throw error }
      if let done = segments.removeValue(forKey: segment) {
        waiting -= done.batches.reduce(0) { $0 + $1.size }
        condition.broadcast()
        return done
      }
      condition.wait()
    }
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
    condition.lock()
    defer { condition.unlock() }
    // The segment that the judge waits for is taken already, or nothing waits: so it is never waited for in vain.
    while next < count, waiting > Self.mostWaiting, error == nil { condition.wait() }
    guard next < count, error == nil else { return nil }
    defer { next += 1 }
    return next
  }

  private func finish(_ segment: Int, _ batches: [FailureBatch], _ counts: ReplayCounts) {
    condition.lock()
    segments[segment] = (batches, counts)
    waiting += batches.reduce(0) { $0 + $1.size }
    condition.broadcast()
    condition.unlock()
  }

  private func fail(_ error: any Error) {
    condition.lock()
    if self.error == nil { self.error = error }
    condition.broadcast()
    condition.unlock()
  }
}
