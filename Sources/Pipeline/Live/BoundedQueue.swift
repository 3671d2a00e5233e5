internal import System

/// Items from any thread to one thread, in order. `post` waits while the queue is full: that is the back-pressure which stops
/// reading when deciding cannot keep up. Urgent items (a person's command) neither wait nor follow the others.
final class BoundedQueue<Item: Sendable>: Sendable {
  private struct State {
    var urgent: [Item] = []
    var ordinary: [(item: Item?, cost: Int)] = []
    /// The index of the oldest ordinary item; those before it are taken, and nil.
    var first = 0
    var load = 0
    var isClosed = false
    /// The taker comes by itself within a moment.
    var isExpected = false

    var isEmpty: Bool { urgent.isEmpty && ordinary.count == first }

    mutating func append(_ item: Item, _ cost: Int) -> Bool {
      guard !isClosed else { return false }
      ordinary.append((item, cost))
      load += cost
      return true
    }

    /// The oldest ordinary item.
    mutating func takeFirst() -> [Item] {
      // Taken out at once: in a queue that never runs empty it would be kept until the places are.
      let item = ordinary[first].item.take()
      load -= ordinary[first].cost
      first += 1
      if first == ordinary.count || first >= 1024 {
        ordinary.removeFirst(first)
        first = 0
      }
      return item.map { [$0] } ?? []
    }
  }

  private enum Taken {
    case items([Item])
    /// Closed, and nothing is left.
    case end
  }

  private let capacity: Int
  private let state = Monitor(State())

  /// - Parameter capacity: what the costs of the ordinary items inside may come to.
  init(capacity: Int) { self.capacity = capacity }

  /// Puts an item at the end; waits while the queue is full. False once closed.
  @discardableResult
  func post(_ item: Item, cost: Int = 1) -> Bool {
    state.wait { state in state.load < capacity || state.isClosed ? state.append(item, cost) : nil } ?? false
  }

  /// Puts an item at the end, however full the queue is. False once closed.
  @discardableResult
  func postAtOnce(_ item: Item, cost: Int = 1) -> Bool { state.change { $0.append(item, cost) } }

  /// The same for an item that may wait: a taker that said it comes by itself soon is not woken, unless much waits for it.
  func postQuietly(_ item: Item, cost: Int) {
    let needsTaker = state.withLock { state in
      guard state.append(item, cost) else { return false }
      return !state.isExpected || state.load >= capacity / 16
    }
    if needsTaker { state.change { _ in } }
  }

  /// Puts an item before all that are not urgent. False once closed.
  @discardableResult
  func postUrgent(_ item: Item) -> Bool {
    state.change { state in
      guard !state.isClosed else { return false }
      state.urgent.append(item)
      return true
    }
  }

  /// The urgent items, else the oldest of the others, waiting up to `seconds` for something; nil once closed and empty.
  /// - Parameters:
  ///   - urgentOnly: leave the others where they are.
  ///   - isSoon: what is posted quietly meanwhile can wait until `seconds` are over.
  func take(waiting seconds: Double, urgentOnly: Bool = false, isSoon: Bool = false) -> [Item]? {
    let taken = state.wait(for: seconds) { state -> Taken? in
      state.isExpected = isSoon
      if state.isClosed, state.isEmpty { return .end }
      if !state.urgent.isEmpty {
        defer { state.urgent.removeAll(keepingCapacity: true) }
        return .items(state.urgent)
      }
      guard !urgentOnly, state.ordinary.count > state.first else { return nil }
      return .items(state.takeFirst())
    }
    switch taken {
    case .items(let items): return items
    case .end: return nil
    case nil: return []
    }
  }

  /// No more items; what is inside can still be taken.
  func close() { state.change { $0.isClosed = true } }

  var isFull: Bool { state.withLock { $0.load >= capacity } }
}
