internal import AuditLog
internal import Firewall
internal import Model
internal import Settings
internal import Synchronization
internal import System

/// What a start finds and decides by itself.
extension Daemon {
  func beginStoring(_ restored: Restoration.Restored, _ settings: Settings) throws {
    for jail in current.withLock({ $0.dropped }) { log.error("jail \(jail.name): \(jail.reason)") }
    writer.start { [loop] in
      // Without a store the firewall and the decider are what knows who is banned.
      loop.queue.postUrgent(.command(.storeBans))
    }
    try startConsumers(settings)
    loop.publish()
    record(restored)
  }

  /// Stores it, and says what the operator should know.
  private func record(_ restored: Restoration.Restored) {
    if let setAside = restored.setAside {
      writer.event(.storeSetAside, subject: setAside, detail: "the store was damaged; a new one was begun")
    }
    let changes = restored.changes
    let names = Names(jails: current.withLock { $0.jailNames }, patterns: [], sources: [])
    func commit(_ decisions: [Decision], areApplied: Bool = false, isDryRun: Bool) {
      writer.commit(
        FailureBatch(), names: names, decisions: decisions, applied: areApplied ? Set(decisions.indices) : [],
        isDryRun: isDryRun, at: started)
    }
    commit(changes.takenOver, areApplied: firewall.changesKernel, isDryRun: writer.isDryRun)
    commit(changes.expired, isDryRun: false)
    commit(changes.onPaper, isDryRun: true)
    guard !changes.wouldBeInForce.isEmpty else { return }
    let text = Self.onPaper(changes.wouldBeInForce)
    log.notice(text)
    writer.event(.note, subject: "dry run", detail: text)
  }

  private static func onPaper(_ bans: [Ban]) -> String {
    let listed = bans.prefix(10).map { "\($0.identity) (\($0.jail))" }.joined(separator: ", ")
    let more = bans.count > 10 ? " and \(bans.count - 10) more" : ""
    return
      "the dry run before would have \(counted(bans.count, "ban")) in force: \(listed)\(more); it begins without them"
  }
}
