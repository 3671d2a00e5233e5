internal import AuditLog
internal import System

/// Opens a store on a thread of its own, while the caller does something else.
final class StoreOpening: Sendable {
  /// None where it was refused.
  private let lock: StoreLock?
  private let result = Monitor<Result<AuditStore, any Error>?>(nil)

  init(_ path: String) {
    do { lock = try StoreLock(path) } catch {
      lock = nil
      result.change { $0 = .failure(error) }
      return
    }
    _ = ServiceThread("bailiff-open") { [self] in
      let store = Result { try AuditStore(path: path) }
      result.change { $0 = store }
    }
  }

  /// Waits until the store is open, or cannot be.
  func wait() { _ = result.wait { $0 } }

  /// The store, or why there is none.
  func store() throws -> AuditStore { try result.wait { $0 }!.get() }
}
