internal import Foundation
internal import Synchronization

/// Items from any thread to one thread, in order. `post` waits while the box is full: that is the back-pressure which stops
/// reading when deciding or storing cannot keep up.
// Unchecked: `items` and `isClosed` are touched only while `condition` is locked.
final class Mailbox<Item: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private let capacity: Int
  private var items: [Item] = []
  private var isClosed = false

  init(capacity: Int) { self.capacity = capacity }

  /// Puts an item at the end; waits while the box is full, unless it is `urgent` (a person's command). False once closed.
  @discardableResult
  func post(_ item: Item, urgent: Bool = false) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while items.count >= capacity, !isClosed, !urgent { condition.wait() }
    guard !isClosed else { return false }
    items.append(item)
    condition.broadcast()
    return true
  }

  /// Everything that is there, waiting up to `seconds` for something; nil once closed and empty.
  func take(waiting seconds: Double) -> [Item]? {
    condition.lock()
    defer { condition.unlock() }
    if items.isEmpty, !isClosed, seconds > 0 { _ = condition.wait(until: Date(timeIntervalSinceNow: seconds)) }
    if items.isEmpty { return isClosed ? nil : [] }
    let taken = items
    items.removeAll(keepingCapacity: true)
    condition.broadcast()
    return taken
  }

  /// No more items; what is inside can still be taken.
  func close() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }

  var count: Int {
    condition.lock()
    defer { condition.unlock() }
    return items.count
  }
}
