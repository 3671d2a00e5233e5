internal import AuditLog
internal import Foundation
internal import Synchronization

/// Opens a store on a thread of its own, while the caller does something else.
final class StoreOpening: Sendable {
  private let opened = DispatchSemaphore(value: 0)
  private let result = Mutex<Result<AuditStore, any Error>?>(nil)

  init(_ path: String) {
    let thread = Thread { [self] in
      let store = Result { try AuditStore(path: path) }
      result.withLock { $0 = store }
      opened.signal()
    }
    thread.name = "bailiff-open"
    thread.start()
  }

  /// Waits until the store is open, or cannot be.
  func wait() {
    opened.wait()
    opened.signal()
  }

  /// The store, or why there is none.
  func store() throws -> AuditStore {
    wait()
    return try result.withLock { $0! }.get()
  }
}
