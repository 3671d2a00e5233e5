public import Model
internal import Synchronization

/// All consumers of a store, beside the thread that writes it.
public final class Consumers: Sendable {
  private struct State {
    var runners: [ConsumerRunner] = []
    var end: AuditPosition?
  }

  private let path: String
  private let state = Mutex(State())
  private let store: @Sendable () -> AuditStore
  private let spawn: @Sendable (_ name: String, _ body: @escaping @Sendable () -> Void) -> Void

  /// - Parameters:
  ///   - store: the one that is written to now.
  ///   - spawn: runs a body on a thread of this name.
  public init(
    path: String, store: @escaping @Sendable () -> AuditStore,
    spawn: @escaping @Sendable (_ name: String, _ body: @escaping @Sendable () -> Void) -> Void
  ) {
    self.path = path
    self.store = store
    self.spawn = spawn
  }

  /// Starts these; those that ran before end first, and go on from their positions where they are among them.
  public func start(_ consumers: [DecisionConsumer]) throws {
    let known = try store().consumerPositions()
    let end = store().end
    let old = state.withLock { $0.runners }
    let runners = consumers.map { consumer in
      // One that is stored nowhere, and one that was told more than the store knows yet, goes on where it was.
      let before = old.first { $0.consumer.name == consumer.name }
      before?.stop()
      var position = before?.position ?? (consumer.isStored ? known[consumer.name] : nil)
      if position == nil, case .end = consumer.start {
        position = end
        // What is stored from now on it is told, also after a crash.
        if consumer.isStored { store().setPosition(end, of: consumer.name) }
      }
      return (
        before,
        ConsumerRunner(consumer, path: path, position: position) { [store] in
          store().setPosition($0, of: consumer.name)
        }
      )
    }
    for runner in old where !consumers.contains(where: { $0.name == runner.consumer.name }) { runner.stop() }
    state.withLock {
      $0.runners = runners.map(\.1)
      $0.end = end
    }
    for (before, runner) in runners {
      runner.stored(end, at: Instant(microseconds: 0))
      spawn("bailiff-\(runner.consumer.name)") {
        before?.waitForEnd()
        runner.run()
      }
    }
  }

  /// Something was stored, up to `end`.
  public func stored(_ end: AuditPosition, at now: Instant) {
    let runners = state.withLock { state in
      defer { state.end = end }
      return state.end == end ? [] : state.runners
    }
    for runner in runners { runner.stored(end, at: now) }
  }

  /// Another store took the place of the one that was written to.
  public func storeWasReplaced() {
    for runner in state.withLock({ $0.runners }) { runner.storeWasReplaced() }
  }

  /// Ends all of them, without waiting long for those that are in the middle of something: they are told that again.
  public func stop() {
    let runners = state.withLock { state in
      defer { state.runners = [] }
      return state.runners
    }
    for runner in runners { runner.stop() }
  }

  public var status: [ConsumerStatus] { state.withLock { $0.runners }.map(\.status) }
}
