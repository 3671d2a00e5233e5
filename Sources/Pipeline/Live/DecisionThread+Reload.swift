internal import AuditLog
internal import Detection
internal import Firewall
internal import Model
internal import Settings
internal import Synchronization
internal import System

/// New settings, and another backend of the firewall, between two batches.
extension DecisionThread {
  func goOver(to plan: Plan, ignoring: [Subnet]) {
    for jail in applyReload(plan, ignoring: ignoring) {
      guard let index = plan.jailNames.firstIndex(of: jail), index < plan.jails.count else { continue }
      do {
        try Restoration.restoreWindow(
          &detector, index, from: writer.store, isDryRun: writer.isDryRun, now: SystemClock.now())
      } catch {
        log.error("jail \(jail): its window could not be restored: \(error)")
      }
    }
    do {
      if detector.reloadAlerts(plan) {
        try Restoration.restoreAlertWindows(
          &detector, from: writer.store, isDryRun: writer.isDryRun, now: SystemClock.now())
      }
    } catch {
      log.error("alerts: what they count could not be restored: \(error)")
    }
    firewallChanged.withLock { $0 = true }
  }

  /// The bans go over to it first.
  func switchBackend(
    of firewall: SwitchableActuator, to next: any Actuator, _ plan: FirewallPlan
  ) -> Result<[FirewallNotice], FirewallError> {
    Result { () throws(FirewallError) in
      try firewall.replace(with: next, plan: plan, bans: wanted(), now: SystemClock.now())
    }
  }

  /// Returns the jails whose windows start again.
  private func applyReload(_ plan: Plan, ignoring: [Subnet]) -> [String] {
    self.plan = plan
    names = Names(jails: plan.jailNames, patterns: plan.patternNames, sources: names.sources)
    metrics.withLock { $0.reload(patterns: plan.patternNames) }
    let anew = detector.reload(plan, ignoring: ignoring)
    if firewall.changesKernel { countApart() }
    lists.keep(
      Set(plan.settings.lists.filter(\.enabled).map(\.name) + StaticRule.rules(of: plan.settings).map(\.name)))
    listChanges = []
    ignored.forget()
    resolved = []
    refreshIgnored()
    ignore()
    return anew
  }

  /// A batch that was matched before a reload names jails by their old numbers.
  func renumbered(_ batch: FailureBatch, from old: Plan) -> FailureBatch {
    // False where the jail is gone.
    func renumber(_ jail: inout UInt16, _ pattern: inout UInt32) -> Bool {
      let name = old.jailNames[Int(jail)]
      guard let new = plan.jailNames.firstIndex(of: name), new < plan.jails.count else { return false }
      jail = UInt16(new)
      pattern = UInt32(
        plan.patternNames.firstIndex(of: old.patternNames[Int(pattern)]) ?? plan.jails[new].firstPattern)
      return true
    }
    var new = batch
    new.keepFailures { renumber(&$0.jail, &$0.pattern) }
    new.keepActivities { renumber(&$0.jail, &$0.pattern) }
    return new
  }
}
