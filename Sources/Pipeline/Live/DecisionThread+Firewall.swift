internal import AuditLog
internal import Detection
internal import Firewall
internal import Model
internal import Synchronization
internal import System

/// A firewall that does not hold what it should, and what puts that right.
extension DecisionThread {
  func problem(_ message: String) {
    if firewallProblem == nil { log.error("firewall: \(message)") }
    firewallProblem = message
    warnings.raise(.firewallNotEnforcing, message, at: SystemClock.now())
    // What could not be applied is put right by the next check.
    firewallChanged.withLock { $0 = true }
  }

  /// Are there packets that do not meet the bans?
  var isNotEnforcing: Bool { warnings.all.contains { $0.code == .firewallNotEnforcing } }

  func clearProblem() {
    guard firewallProblem != nil else { return }
    firewallProblem = nil
    warnings.clear(.firewallNotEnforcing)
  }

  /// Puts back what another program (`cause`, where the kernel told) took away.
  func repair(_ now: Instant, cause: String? = nil) {
    do {
      let check = try firewall.check(wanted: { wanted() }, now: now)
      for repair in check.repairs {
        repairs += 1
        let detail = "\(repair)" + (cause.map { " (changed by \($0))" } ?? "")
        log.warning("firewall repaired: \(detail)")
        writer.event(.firewallRepaired, subject: "firewall", detail: detail)
      }
      firewallProblem = nil
      for code in FirewallProblem.codes {
        let found = check.problems.filter { $0.code == code }.map { ($0.subject, $0.text) }
        warnings.set(code, to: found, at: now)
      }
    } catch {
      problem("\(error)")
    }
  }

  /// A new store was begun while running: it gets the bans that are in force.
  func storeBans() {
    let now = SystemClock.now()
    let bans = allBans().map { ban in
      Decision(
        action: .ban, jail: ban.jail, identity: ban.identity, time: now, until: ban.until, count: ban.count,
        number: ban.number, cause: .reconciled)
    }
    writer.takeOver(bans, applied: firewall.changesKernel)
  }
}
