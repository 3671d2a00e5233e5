internal import AuditLog
internal import Model
internal import Synchronization
internal import System

/// A replay's end at the store: batches are committed in order, on a thread of their own where there is a core for it, while
/// the next ones are read and judged.
final class ReplayRecorder: Sendable {
  private typealias Item = (batch: FailureBatch, decisions: [Decision])

  /// How many bytes of failures may wait before reading does.
  private static let mostWaiting = 16 << 20

  private let store: AuditStore
  private let names: Names
  private let queue = BoundedQueue<Item>(capacity: mostWaiting)
  private let failure = Mutex<(any Error)?>(nil)
  private let thread = Mutex<ServiceThread?>(nil)

  init(_ store: AuditStore, names: Names, cores: Int = ProcessorCount.available) {
    self.store = store
    self.names = names
    guard cores > 1 else { return }
    thread.withLock { $0 = ServiceThread("bailiff-record") { [self] in run() } }
  }

  /// Commits a batch, now or soon; throws what an earlier one met. Takes the batch's memory where it is kept for later.
  func record(_ batch: inout FailureBatch, _ decisions: [Decision]) throws {
    guard thread.withLock({ $0 != nil }) else { return try write((batch, decisions)) }
    if let error = failure.withLock({ $0 }) { throw error }
    let cost = batch.size
    queue.post((batch, decisions), cost: cost)
    batch = FailureBatch()
  }

  /// Waits until everything is stored and indexed.
  func finish() throws {
    if let thread = thread.withLock({ $0 }) {
      queue.close()
      thread.join()
      if let error = failure.withLock({ $0 }) { throw error }
    }
    try store.storeAdded()
  }

  /// Ends the thread, once it has stored what waits; nobody waits for that.
  func cancel() { queue.close() }

  private func run() {
    while let items = queue.take(waiting: 1) {
      for item in items where failure.withLock({ $0 == nil }) {
        do { try write(item) } catch { failure.withLock { $0 = error } }
      }
    }
  }

  private func write(_ item: Item) throws {
    try store.add(item.batch, names: names, decisions: item.decisions)
  }
}
