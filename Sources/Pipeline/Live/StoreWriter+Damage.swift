internal import AuditLog
internal import Model
internal import System

/// A store that turns out to be damaged, or is removed, while it is written to: a new one is begun, as at a start.
extension StoreWriter {
  /// A store that is damaged again so soon is not a matter of the file.
  var mayReplace: Bool { lastSetAside.map { SystemClock.now().since($0) > .minutes(10) } ?? true }

  /// Begins a new store, which knows how far the sources are read; the bans in force are asked for.
  func replaceStore(because error: StoreError) throws {
    let now = SystemClock.now()
    lastSetAside = now
    // First: SQLite's last connection deletes the write-ahead log by its name when it closes, and soon that is another's.
    store.close()
    isClosed = true
    let place = try AuditStore.setAside(path: path, at: now)
    log.error("\(error); it was moved to \(place) and a new store begun; bans in force are taken over")
    try beginAgain(
      AuditEvent(
        time: now, action: .storeSetAside, subject: place,
        detail: "the store was found damaged while running; a new one was begun"))
  }

  /// Somebody removed the store, or put another in its place: what is there now, or a new one, is written to.
  func leaveReplacedStore() throws {
    let now = SystemClock.now()
    // As above: closing it deletes a write-ahead log that would be taken for another's.
    store.close()
    isClosed = true
    log.error("store: \(path) was removed or replaced while in use; begun again with the bans in force")
    try beginAgain(
      AuditEvent(
        time: now, action: .storeGone, subject: path, detail: "it was removed or replaced while in use; begun again"))
  }

  private func beginAgain(_ event: AuditEvent) throws {
    try openAgain()
    try store.record(event)
    var known = FailureBatch()
    known.positions = positions.values.sorted { $0.source < $1.source }
    try store.commit(known, names: Names(jails: [], patterns: [], sources: []))
    consumers.storeWasReplaced()
    onNewStore()
  }

  func openAgain() throws {
    store = try AuditStore(path: path)
    isClosed = false
  }
}
