internal import Foundation
internal import Model
internal import Store
internal import Synchronization

/// A replay's end at the store: batches are committed in order, on a thread of their own where there is a core for it, while
/// the next ones are read and judged.
final class ReplayRecorder: Sendable {
  private typealias Item = (batch: FailureBatch, decisions: [Decision])

  /// How many bytes of failures may wait before reading does.
  private static let mostWaiting = 16 << 20

  /// Rows with indexes cost three times what reading and deciding do. A few are made at once; many are left to the daemon's
  /// idle time, up to what a question can look through without being slow.
  private static let settledAtOnce = 10_000
  private static let leftUnsettled = 500_000

  private let store: AuditStore
  private let names: Names
  private let box = Mailbox<Item>(capacity: mostWaiting)
  private let finished = DispatchSemaphore(value: 0)
  private let failure = Mutex<(any Error)?>(nil)
  private let hasThread: Bool

  init(_ store: AuditStore, names: Names, cores: Int = ProcessorCount.available) {
    self.store = store
    self.names = names
    hasThread = cores > 1
    guard hasThread else { return }
    let thread = Thread { [self] in run() }
    thread.name = "bailiff-record"
    thread.start()
  }

  /// Commits a batch, now or soon; throws what an earlier one met. Takes the batch's memory where it is kept for later.
  func record(_ batch: inout FailureBatch, _ decisions: [Decision]) throws {
    guard hasThread else { return try write((batch, decisions)) }
    if let error = failure.withLock({ $0 }) { throw error }
    let cost = batch.size
    box.post((batch, decisions), cost: cost)
    batch = FailureBatch()
  }

  /// Waits until everything is stored, and settles what is left if it is little.
  func finish() throws {
    if hasThread {
      box.close()
      finished.wait()
      if let error = failure.withLock({ $0 }) { throw error }
    }
    try store.storeAdded()
    if store.unsettled <= Self.settledAtOnce { while try store.settle() {} }
  }

  /// Ends the thread, once it has stored what waits; nobody waits for that.
  func cancel() { box.close() }

  private func run() {
    while let items = box.take(waiting: 1) {
      for item in items where failure.withLock({ $0 == nil }) {
        do { try write(item) } catch { failure.withLock { $0 = error } }
      }
    }
    finished.signal()
  }

  private func write(_ item: Item) throws {
    try store.add(item.batch, names: names, decisions: item.decisions)
    guard store.unsettled > Self.leftUnsettled + 100_000 else { return }
    while store.unsettled > Self.leftUnsettled, try store.settle() {}
  }
}
