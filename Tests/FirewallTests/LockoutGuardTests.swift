import Foundation
import Model
import Synchronization
import System
import TestSupport
import Testing

@testable import LockoutGuard

@Suite(.timeLimit(.minutes(2))) struct LockoutGuardTests {
  private static let subnet = Subnet("192.0.2.7")!

  /// Somebody logs in between two bans: the second is not made.
  @Test func whoHasLoggedInMeanwhileIsSeen() {
    let sessions = Mutex<Set<Address>>([])
    let looks = Mutex<[Bool]>([])
    let caller = Mutex<pthread_t?>(nil)
    let objections = LockoutGuard {
      looks.withLock { $0.append(caller.withLock { $0 } == pthread_self()) }
      var protected = Protected()
      protected.sessions = sessions.withLock { $0 }
      return protected
    }
    func ask() -> String? {
      caller.withLock { $0 = pthread_self() }
      return objections.objection(to: Self.subnet, sparing: .administrators, now: SystemClock.now())?.description
    }
    #expect(ask() == nil)
    // The first look is the caller's own.
    #expect(looks.withLock { $0 } == [true])
    sessions.withLock { $0 = [Self.subnet.base] }
    let deadline = monotonicSeconds() + 60
    while ask() == nil, monotonicSeconds() < deadline { usleep(1000) }
    #expect(ask() != nil)
    // The others are made beside it while bans go on falling.
    while !looks.withLock({ $0.contains(false) }), monotonicSeconds() < deadline {
      _ = ask()
      usleep(1000)
    }
    #expect(looks.withLock { $0.contains(false) })
  }
}
