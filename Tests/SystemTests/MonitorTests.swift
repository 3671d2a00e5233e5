import System
import Testing

@Suite struct MonitorTests {
  @Test func aChangeWakesWhoWaits() {
    let inbox = Monitor([Int]())
    let taken = Monitor([Int]())
    let threads = (0..<4).map { number in
      ServiceThread("test-\(number)") {
        for _ in 0..<250 {
          guard let next = inbox.wait(for: 30, { $0.popLast() }) else { return }
          taken.change { $0.append(next) }
        }
      }
    }
    for number in 0..<1000 { inbox.change { $0.append(number) } }
    for thread in threads { thread.join() }
    #expect(taken.withLock { $0.sorted() } == Array(0..<1000))
  }

  @Test func waitingEnds() {
    let never = Monitor(false)
    let before = monotonicSeconds()
    #expect(never.wait(for: 0.05) { $0 ? true : nil } == nil)
    #expect(monotonicSeconds() - before >= 0.05)
    #expect(never.wait(for: 0) { $0 ? true : nil } == nil)
    #expect(never.wait(for: -1) { $0 ? true : nil } == nil)
    #expect(never.wait(for: .infinity) { _ in 7 } == 7)
  }
}
