internal import Firewall
internal import Foundation
internal import Model
internal import Synchronization

/// Asks now and then whether somebody else changed the firewall, and has the decider's thread put it right.
// Unchecked: the thread reads what `init` set; the rest is behind a Mutex.
final class FirewallWatch: @unchecked Sendable {
  private let firewall: any Actuator
  private let loop: DecisionLoop
  private let condition = NSCondition()
  private var isStopped = false

  init(firewall: any Actuator, loop: DecisionLoop) {
    self.firewall = firewall
    self.loop = loop
  }

  func start() {
    guard firewall.changesKernel else { return }
    let thread = Thread { [self] in run() }
    thread.name = "bailiff-watch"
    thread.start()
  }

  func stop() {
    condition.lock()
    isStopped = true
    condition.broadcast()
    condition.unlock()
  }

  private func run() {
    condition.lock()
    while !isStopped {
      _ = condition.wait(until: Date(timeIntervalSinceNow: 30))
      guard !isStopped else { break }
      condition.unlock()
      if (try? firewall.needsCheck()) ?? true { loop.box.post(.act { $0.repair(SystemClock.now()) }, urgent: true) }
      condition.lock()
    }
    condition.unlock()
  }
}
