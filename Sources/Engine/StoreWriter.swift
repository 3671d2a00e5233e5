internal import Foundation
internal import Model
internal import Settings
internal import Store
internal import Synchronization

/// The store's thread: every commit, and the settling of rows when there is time.
// Unchecked: `store` and the names are used by its own thread alone once it runs; what others see is behind a Mutex.
final class StoreWriter: @unchecked Sendable {
  struct Health: Sendable {
    var problem: String?
    /// Failures that were let go because the disk was full and `on_full: shed` says so.
    var shed = 0
    var committed = 0
  }

  private enum Item: Sendable {
    case commit(FailureBatch, Names, [Decision], applied: Set<Int>, at: Instant)
    case event(AuditEvent)
    case act(@Sendable (AuditStore) -> Void)
  }

  private let box = Mailbox<Item>(capacity: 64)
  private let store: AuditStore
  private let onFull: Mutex<OnFull>
  private let log: RunLog
  private let state = Mutex(Health())
  private let finished = DispatchSemaphore(value: 0)
  private let isEnding = Mutex(false)

  init(_ store: AuditStore, onFull: OnFull, log: RunLog) {
    self.store = store
    self.onFull = Mutex(onFull)
    self.log = log
  }

  var health: Health { state.withLock { $0 } }

  func set(onFull: OnFull) { self.onFull.withLock { $0 = onFull } }

  func start() {
    let thread = Thread { [self] in run() }
    thread.name = "bailiff-store"
    thread.start()
  }

  func commit(_ batch: FailureBatch, names: Names, decisions: [Decision], applied: Set<Int>, at now: Instant) {
    guard !batch.isEmpty || !decisions.isEmpty else { return }
    box.post(.commit(batch, names, decisions, applied: applied, at: now))
  }

  func event(
    _ action: AuditEvent.Action, subject: String = "", detail: String = "", uid: UInt32? = nil, command: String = ""
  ) {
    let event = AuditEvent(
      time: SystemClock.now(), action: action, subject: subject, detail: detail, uid: uid, command: command)
    box.post(.event(event), urgent: true)
  }

  /// Runs `body` on the store's thread, after what was posted before it.
  func act(_ body: @escaping @Sendable (AuditStore) -> Void) { box.post(.act(body), urgent: true) }

  /// Ends after everything that was posted is stored, or, on a full disk, after one more try.
  func finish() {
    isEnding.withLock { $0 = true }
    box.close()
    finished.wait()
  }

  private func run() {
    while let items = box.take(waiting: store.unsettled > 0 ? 0 : 1) {
      for item in items { carryOut(item) }
      if items.isEmpty, store.unsettled > 0 { _ = attempt { _ = try store.settle() } }
    }
    finished.signal()
  }

  private func carryOut(_ item: Item) {
    switch item {
    case .commit(let batch, let names, let decisions, let applied, let now):
      let stored = insist { [store] in
        let bans = decisions.indices.filter { decisions[$0].action != .unban }
        let all = bans.allSatisfy(applied.contains)
        try store.commit(batch, names: names, decisions: decisions, applied: all && !bans.isEmpty ? now : nil)
        guard !all else { return }
        for index in bans where applied.contains(index) {
          try store.markApplied(jail: decisions[index].jail, identity: decisions[index].identity, at: now)
        }
      }
      let failures = batch.failures.reduce(0) { $0 &+ Int($1.count) }
      state.withLock { if stored { $0.committed += failures } else { $0.shed += failures } }
    case .event(let event):
      _ = insist { [store] in try store.record(event) }
    case .act(let body): body(store)
    }
  }

  /// Tries until it succeeds; gives up on a full disk only when the settings say so, or when the daemon ends.
  private func insist(_ body: () throws -> Void) -> Bool {
    var pause = 0.1
    while true {
      if attempt(body) { return true }
      if onFull.withLock({ $0 }) == .shed || isEnding.withLock({ $0 }) { return false }
      Thread.sleep(forTimeInterval: pause)
      pause = min(pause * 2, 5)
    }
  }

  private func attempt(_ body: () throws -> Void) -> Bool {
    do {
      try body()
      let had = state.withLock { health in
        defer { health.problem = nil }
        return health.problem
      }
      if had != nil { log.notice("store: writes succeed again") }
      return true
    } catch {
      let isNews = state.withLock { health in
        defer { health.problem = "\(error)" }
        return health.problem == nil
      }
      if isNews { log.error("store: \(error)") }
      return false
    }
  }
}
