import CLinux
import Foundation
import Synchronization

/// A thread in a network namespace of its own, which the threads and programs started from it share. It has no name, so
/// nothing is left behind when they end.
enum Namespace {
  struct NotPermitted: Error, CustomStringConvertible {
    var description: String { "the tests make network namespaces: run them as root" }
  }

  static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { done in
      let thread = Thread {
        done.resume(
          with: Result {
            guard unshare(Int32(bailiff_clone_newnet)) == 0 else { throw NotPermitted() }
            return try body()
          })
      }
      thread.stackSize = 4 << 20
      thread.start()
    }
  }
}

/// Polls on a thread of its own; a slow machine gets a minute.
func wait(_ body: () throws -> Bool) rethrows -> Bool {
  let deadline = Date(timeIntervalSinceNow: 60)
  while !(try body()) {
    guard Date() < deadline else { return false }
    usleep(20_000)
  }
  return true
}
