import Synchronization
import Testing

@testable import Engine

@Suite struct MailboxTests {
  private final class Thing: Sendable {
    let gone: @Sendable () -> Void

    init(_ gone: @escaping @Sendable () -> Void) { self.gone = gone }

    deinit { gone() }
  }

  /// What was taken belongs to the taker: a box that never runs empty keeps nothing of it.
  @Test func whatIsTakenIsNotKept() throws {
    let gone = Mutex(0)
    let box = Mailbox<Thing>(capacity: 1000)
    for _ in 0..<100 { box.post(Thing { gone.withLock { $0 += 1 } }) }
    for taken in 1...90 {
      #expect(box.take(waiting: 0)?.count == 1)
      #expect(gone.withLock { $0 } == taken)
    }
    box.close()
    for _ in 0..<10 { #expect(box.take(waiting: 0)?.count == 1) }
    #expect(box.take(waiting: 0) == nil)
    #expect(gone.withLock { $0 } == 100)
  }

  @Test func orderUrgencyAndRoom() {
    let box = Mailbox<Int>(capacity: 3)
    for item in 1...3 { box.post(item) }
    #expect(box.isFull)
    box.postUrgent(10)
    box.postAtOnce(4)
    #expect(box.take(waiting: 0) == [10])
    #expect(box.take(waiting: 0, urgentOnly: true) == [])
    for item in 1...4 { #expect(box.take(waiting: 0) == [item]) }
    #expect(box.take(waiting: 0.01) == [])
  }
}
