internal import Foundation
internal import Synchronization

/// Items from any thread to one thread, in order. `post` waits while the queue is full: that is the back-pressure which stops
/// reading when deciding cannot keep up. Urgent items (a person's command) neither wait nor follow the others.
// Unchecked: everything mutable is touched only while `condition` is locked.
final class BoundedQueue<Item: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private let capacity: Int
  private var urgent: [Item] = []
  private var ordinary: [(item: Item?, cost: Int)] = []
  /// Where the oldest ordinary item is; those before it are taken, and nil.
  private var first = 0
  private var load = 0
  private var isClosed = false

  /// - Parameter capacity: what the costs of the ordinary items inside may come to.
  init(capacity: Int) { self.capacity = capacity }

  /// Puts an item at the end; waits while the queue is full. False once closed.
  @discardableResult
  func post(_ item: Item, cost: Int = 1) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while isFullNow, !isClosed { condition.wait() }
    return append(item, cost)
  }

  /// Puts an item at the end, however full the queue is. False once closed.
  @discardableResult
  func postAtOnce(_ item: Item, cost: Int = 1) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    return append(item, cost)
  }

  /// Puts an item before all that are not urgent. False once closed.
  @discardableResult
  func postUrgent(_ item: Item) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    guard !isClosed else { return false }
    urgent.append(item)
    condition.broadcast()
    return true
  }

  private func append(_ item: Item, _ cost: Int) -> Bool {
    guard !isClosed else { return false }
    ordinary.append((item, cost))
    load += cost
    condition.broadcast()
    return true
  }

  /// The urgent items, else the oldest of the others, waiting up to `seconds` for something; nil once closed and empty.
  /// - Parameter urgentOnly: leave the others where they are.
  func take(waiting seconds: Double, urgentOnly: Bool = false) -> [Item]? {
    condition.lock()
    defer { condition.unlock() }
    if !canTake(urgentOnly), seconds > 0, !(isClosed && isEmpty) {
      let deadline = Date(timeIntervalSinceNow: seconds)
      while !canTake(urgentOnly), !(isClosed && isEmpty), condition.wait(until: deadline) {}
    }
    if isClosed, isEmpty { return nil }
    if !urgent.isEmpty {
      defer { urgent.removeAll(keepingCapacity: true) }
      return urgent
    }
    guard canTake(urgentOnly) else { return [] }
    // Taken out at once: in a queue that never runs empty it would be kept until the places are.
    let item = ordinary[first].item.take()
    load -= ordinary[first].cost
    first += 1
    if first == ordinary.count || first >= 1024 {
      ordinary.removeFirst(first)
      first = 0
    }
    condition.broadcast()
    return item.map { [$0] } ?? []
  }

  /// No more items; what is inside can still be taken.
  func close() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }

  var isFull: Bool {
    condition.lock()
    defer { condition.unlock() }
    return isFullNow
  }

  private var isFullNow: Bool { load >= capacity }
  private var isEmpty: Bool { urgent.isEmpty && ordinary.count == first }
  private func canTake(_ urgentOnly: Bool) -> Bool { !urgent.isEmpty || (!urgentOnly && ordinary.count > first) }
}
