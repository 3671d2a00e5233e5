public import Model

/// Bans of blocks for what is in them (`escalate`).
extension Decider {
  /// The block that is banned when enough like `id` are; nil where the jail has none.
  public func block(of id: Identity, in jail: Int) -> Identity? {
    guard let subnet = id.subnet else { return nil }
    return states[jail].jail.escalation?.block(of: subnet).map { .network($0) }
  }

  /// Is the block of an id banned at `time`, or was it when that was written? What was counted of the id before the
  /// block's ban is void, as it is after a ban of its own.
  mutating func isCovered(by block: Subnet, _ id: UInt128, in index: Int, at time: Instant) -> Bool {
    let key = key(of: block, in: index)
    if let end = states[index].bans.end(of: key) {
      guard time >= end else { return true }
      states[index].bans.remove(key)
      states[index].blockCutoffs[key] = end
    }
    guard !states[index].blockCutoffs.isEmpty, let end = states[index].blockCutoffs[key] else { return false }
    if time < end { return true }
    if let newest = states[index].windows.newest(of: id), newest < end { states[index].windows.forget(id) }
    if states[index].jail.per != .address { states[index].parts.forget(id, before: end) }
    return false
  }

  /// Counts a ban of an id for its block, and bans that when there are enough. What is refused is tried again with the
  /// next ban: whoever must not be banned may have left by then.
  mutating func escalate(
    _ block: Subnet, for id: UInt128, in index: Int, at time: Instant, permits: Permission, _ decide: (Decision) -> Void
  ) {
    guard let escalation = states[index].jail.escalation else { return }
    let count = states[index].escalations.add(id, of: block, at: time, within: escalation.within)
    guard count >= escalation.after else { return }
    let jail = states[index].jail
    let key = key(of: block, in: index)
    let number = 1 + earlierBans(key, in: index, at: time)
    let decision = Decision(
      action: .ban, jail: jail.name, identity: .network(block), time: time,
      until: jail.bantime.map { time.adding(duration($0, index, key, number)) }, count: count, number: number,
      cause: .escalated)
    let spared = jail.ignore.overlapping(block)
    guard permits(decision, spared), spared == nil else { return }
    enter(decision, key, index)
    states[index].escalations.forget(block)
    decide(decision)
  }

  /// A ban from before a restart, in the order of the store.
  /// - Parameters:
  ///   - counts: did it fall by the limit? Others are no reason to ban a block.
  ///   - isLifted: by a person, who knows better.
  public mutating func restoreEscalation(_ id: Identity, in jail: Int, at time: Instant, counts: Bool, isLifted: Bool) {
    guard let escalation = states[jail].jail.escalation, let subnet = id.subnet else { return }
    guard let block = escalation.block(of: subnet) else { return states[jail].escalations.forget(subnet) }
    let key = key(of: id, in: jail)
    if counts { _ = states[jail].escalations.add(key, of: block, at: time, within: escalation.within) }
    if isLifted { states[jail].escalations.forget(key, of: block) }
  }
}
