@testable import Pipeline

extension Daemon {
  /// Runs `body` on the decider's thread, between two batches.
  func onLoop<Result: Sendable>(_ body: @escaping @Sendable (DecisionThread) -> Result) async -> Result {
    await withCheckedContinuation { done in
      loop.queue.postUrgent(
        .command(
          .look { loop in
            let result = body(loop)
            loop.publish()
            done.resume(returning: result)
          }))
    }
  }
}
