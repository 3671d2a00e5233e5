public import Detection
public import Model

/// Failures in, decisions out, batch by batch: the decider, with the jails that count bans fed from the bans of the others.
public struct Detector: Sendable {
  public var decider: Decider
  private var attempts = AttemptTable()
  private var plan: Plan
  private var ignoring: [Subnet]
  private var banJails: [Int]
  private var firstPatterns: [Int]

  /// - Parameters:
  ///   - ignoring: never counted, in any jail.
  ///   - apart: blocks that hold one of these are counted by their single addresses.
  public init(_ plan: Plan, ignoring: [Subnet] = [], apart: Set<Address> = []) {
    self.plan = plan
    self.ignoring = ignoring
    decider = Decider(jails: plan.limits(ignoring: ignoring))
    decider.countApart(apart)
    banJails = plan.banJails
    firstPatterns = plan.jails.map(\.firstPattern)
  }

  /// The same for new settings: jails that stay keep their bans and, where their limits are the same, their windows; the
  /// names of those whose windows start again are given, to be filled from the store.
  public mutating func reload(_ plan: Plan, ignoring: [Subnet] = []) -> [String] {
    banJails = plan.banJails
    firstPatterns = plan.jails.map(\.firstPattern)
    self.plan = plan
    self.ignoring = ignoring
    return decider.reload(plan.limits(ignoring: ignoring))
  }

  /// What the names and lists in `ignoreip` represent now, a list a jail of the plan. Windows and bans stay.
  public mutating func ignore(_ resolved: [[Subnet]]) {
    var limits = plan.limits(ignoring: ignoring)
    for (jail, subnets) in resolved.enumerated() where jail < limits.count { limits[jail].ignore.subnets += subnets }
    _ = decider.reload(limits)
  }

  /// Decides on every failure of the batch, in order. Bans that fall become failures in the jails that count bans, and are
  /// appended to the batch, so the audit shows them too.
  /// - Parameter permits: asked before a ban is entered.
  public mutating func detect(
    in batch: inout FailureBatch, now: Instant, permits: Decider.Permission = { _ in true },
    into decisions: inout [Decision]
  ) {
    var index = 0
    while index < batch.failures.count {
      var failure = batch.failures[index]
      if failure.attempt != .alone, attempts.isCounted(failure) {
        failure.weight = 0
        batch.setWeight(0, at: index)
      }
      // A host name is not who did it; the addresses that it resolves to come as failures of their own.
      if failure.isHostName {
        index += 1
        continue
      }
      let before = decisions.count
      decider.consider(
        failure, id: failure.name.isEmpty ? nil : batch.text(failure.name), now: now, permits: permits
      ) { decisions.append($0) }
      for position in before..<decisions.count { feed(decisions[position], failure, &batch) }
      index += 1
    }
  }

  private func feed(_ decision: Decision, _ cause: Failure, _ batch: inout FailureBatch) {
    guard !banJails.isEmpty, !banJails.contains(Int(cause.jail)) else { return }
    for jail in banJails {
      var failure = Failure(
        time: decision.time, address: cause.address, jail: UInt16(jail), pattern: UInt32(firstPatterns[jail]),
        source: cause.source)
      failure.name = cause.name
      failure.user = cause.user
      failure.offset = cause.offset
      failure.cursor = cause.cursor
      failure.line = batch.store(Array("banned in \(decision.jail) after \(decision.count) failures".utf8).span)
      batch.append(failure)
    }
  }
}
