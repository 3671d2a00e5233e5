import Foundation

/// Runs a test's body that waits for packets on a thread of its own: Swift's few threads are for tests that do not block.
public func onOwnThread(_ body: @escaping @Sendable () throws -> Void) async throws {
  try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
    Thread.detachNewThread { done.resume(with: Result { try body() }) }
  }
}
