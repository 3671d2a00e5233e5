internal import AuditLog
internal import Detection
internal import Firewall
internal import Model
internal import System

/// Lists on the decider's thread.
extension DecisionThread {
  /// Changes that are sent at once: between two pieces batches are decided.
  private static let piece = 2048

  /// Goes over to what the lists say now. Whoever is allowed is banned no more.
  func adopt(_ new: HeldLists, at now: Instant) {
    guard new.order > lists.order else { return }
    lists.order = new.order
    let names = Set(new.blocked.keys).union(lists.blocked.keys)
    var changes: [FirewallChange] = []
    for name in names.sorted() {
      let before = lists.blocked[name]?.entries.count ?? 0
      let list = new.blocked[name]
      let differing = lists.replace(name, with: list)
      guard !differing.isEmpty else { continue }
      changes += differing
      let added = differing.count { $0.action == .add }
      let detail =
        "\(list?.entries.count ?? 0) entries, \(before) before: \(added) added, \(differing.count - added) removed"
      log.notice("list \(name): \(detail)")
      writer.event(.listChanged, subject: name, detail: detail)
    }
    if lists.allowed != new.allowed { allow(new.allowed, at: now) }
    let isIdle = listChanges.isEmpty
    listChanges += changes
    if isIdle { sendListChanges() }
  }

  func sendListChanges() {
    guard !listChanges.isEmpty else { return }
    let piece = listChanges.prefix(Self.piece)
    listChanges = listChanges.dropFirst(Self.piece)
    do {
      for (change, outcome) in zip(piece, try firewall.apply(Array(piece), now: SystemClock.now())) {
        if case .failed(let error) = outcome { problem("\(change.subnet) of list \(change.jail): \(error)") }
      }
    } catch {
      // The next check compares all of it.
      listChanges = []
      problem("\(error)")
    }
    // Behind the batches that wait: what is urgent would go before them until the whole list is in force.
    if !listChanges.isEmpty { queue.postAtOnce(.command(.sendListChanges)) }
  }

  /// Everybody in `allowed` is spared from now on, and the bans of those who were not before are lifted: what a person has banned in
  /// spite of it stays.
  private func allow(_ allowed: AddressList, at now: Instant) {
    let new = AddressList(allowed.difference(from: lists.allowed).added)
    lists.allowed = allowed
    ignore()
    var lifted: [Decision] = []
    for jail in plan.jailNames.indices {
      for ban in detector.decider.bans(in: jail) {
        guard let subnet = ban.identity.subnet, let entry = new.overlapping(subnet) else { continue }
        let cause = Decision.Cause.operator(uid: 0, command: "\(entry) is allowed")
        if let decision = detector.decider.unban(ban.identity, jail: jail, at: now, cause: cause) {
          lifted.append(decision)
        }
      }
    }
    if !lifted.isEmpty { carryOut(lifted) }
  }
}
