internal import AuditLog
internal import Synchronization

/// The store that is written to now.
final class OpenStore: Sendable {
  private let current: Mutex<AuditStore>

  init(_ store: AuditStore) { current = Mutex(store) }

  var store: AuditStore {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}
