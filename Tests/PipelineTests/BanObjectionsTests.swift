import Firewall
import Foundation
import Model
import Synchronization
import System
import TestSupport
import Testing

@testable import Pipeline

@Suite(.timeLimit(.minutes(2))) struct BanObjectionsTests {
  private static let subnet = Subnet("192.0.2.7")!

  /// Somebody logs in between two bans: the second is not made.
  @Test func whoHasLoggedInMeanwhileIsSeen() async throws {
    let sessions = Mutex<Set<Address>>([])
    let looks = Mutex<[Bool]>([])
    let caller = Mutex<pthread_t?>(nil)
    let objections = BanObjections {
      looks.withLock { $0.append(caller.withLock { $0 } == pthread_self()) }
      var protected = Protected()
      protected.sessions = sessions.withLock { $0 }
      return protected
    }
    func ask() -> String? {
      caller.withLock { $0 = pthread_self() }
      return objections.objection(to: Self.subnet, protectSessions: true, now: SystemClock.now())
    }
    #expect(ask() == nil)
    // The first look is the caller's own.
    #expect(looks.withLock { $0 } == [true])
    sessions.withLock { $0 = [Self.subnet.base] }
    try await poll("an objection", seconds: 60) { ask() != nil }
    // The others are made beside it while bans go on falling.
    try await poll("a look by another thread", seconds: 60) {
      _ = ask()
      return looks.withLock { $0.contains(false) }
    }
  }
}
