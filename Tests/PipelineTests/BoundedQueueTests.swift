import Synchronization
import Testing

@testable import Pipeline

@Suite struct BoundedQueueTests {
  private final class Thing: Sendable {
    let gone: @Sendable () -> Void

    init(_ gone: @escaping @Sendable () -> Void) { self.gone = gone }

    deinit { gone() }
  }

  /// What was taken belongs to the taker: a queue that never runs empty keeps nothing of it.
  @Test func whatIsTakenIsNotKept() throws {
    let gone = Mutex(0)
    let queue = BoundedQueue<Thing>(capacity: 1000)
    for _ in 0..<100 { queue.post(Thing { gone.withLock { $0 += 1 } }) }
    for taken in 1...90 {
      #expect(queue.take(waiting: 0)?.count == 1)
      #expect(gone.withLock { $0 } == taken)
    }
    queue.close()
    for _ in 0..<10 { #expect(queue.take(waiting: 0)?.count == 1) }
    #expect(queue.take(waiting: 0) == nil)
    #expect(gone.withLock { $0 } == 100)
  }

  @Test func orderUrgencyAndRoom() {
    let queue = BoundedQueue<Int>(capacity: 3)
    for item in 1...3 { queue.post(item) }
    #expect(queue.isFull)
    queue.postUrgent(10)
    queue.postAtOnce(4)
    #expect(queue.take(waiting: 0) == [10])
    #expect(queue.take(waiting: 0, urgentOnly: true) == [])
    for item in 1...4 { #expect(queue.take(waiting: 0) == [item]) }
    #expect(queue.take(waiting: 0.01) == [])
  }
}
