internal import Model
internal import Synchronization

/// Positions that moved without a failure: they are stored with the next batch, or by the decider's next tick.
///
/// A position says that everything before it is stored. So the decider may not take one while a batch that was read
/// earlier still waits to be decided: a crash between the two would lose the batch's failures.
final class IdleCheckpoints: Sendable {
  private struct State {
    var positions: [String: SourcePosition] = [:]
    /// Batches that are on their way to the decider.
    var underway = 0

    mutating func take() -> [SourcePosition] {
      defer { positions.removeAll(keepingCapacity: true) }
      return positions.isEmpty ? [] : positions.values.sorted { $0.source < $1.source }
    }
  }

  private let state = Mutex(State())

  func add(_ moved: [SourcePosition]) {
    state.withLock { state in for position in moved { state.positions[position.source] = position } }
  }

  /// For a batch that is about to be posted: what moved before it.
  func takeForBatch() -> [SourcePosition] {
    state.withLock { state in
      state.underway += 1
      return state.take()
    }
  }

  /// A batch is decided, and its commit posted.
  func batchIsDecided() { state.withLock { $0.underway -= 1 } }

  var isEmpty: Bool { state.withLock { $0.positions.isEmpty } }

  /// For the decider: what moved after everything that it has decided; nothing while a batch is under way.
  func take() -> [SourcePosition] { state.withLock { $0.underway == 0 ? $0.take() : [] } }
}
