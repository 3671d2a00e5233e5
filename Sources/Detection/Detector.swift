public import Model

/// Failures in, decisions out, batch by batch: the decider, with the jails that count bans fed from the bans of the others.
public struct Detector: Sendable {
  public var decider: Decider
  /// Nil: nobody is told of anything.
  public var alerts: AlertDetector?
  var attempts = AttemptTable()
  private var evidence = EvidenceLines()
  var jails: [Jail]
  private var banJails: [Int]
  /// Jails that count alerts.
  private(set) var alertJails: [Int]
  private var parts = PartTexts()

  /// - Parameter apart: blocks that hold one of these are counted by their single addresses.
  public init(_ jails: [Jail], apart: Set<Address> = []) {
    self.jails = jails
    banJails = jails.indices.filter { jails[$0].banPattern != nil }
    alertJails = jails.indices.filter { !jails[$0].alertKinds.isEmpty }
    decider = Decider(jails: jails)
    decider.countApart(apart)
  }

  /// The same for new settings: jails that stay keep their bans and, where their limits are the same, their windows; the
  /// names of those whose windows start again are returned, to be filled from the store.
  public mutating func reload(_ jails: [Jail]) -> [String] {
    // Lines are kept under the jails' numbers.
    if jails.map(\.name) != self.jails.map(\.name) { evidence = EvidenceLines() }
    self.jails = jails
    banJails = jails.indices.filter { jails[$0].banPattern != nil }
    alertJails = jails.indices.filter { !jails[$0].alertKinds.isEmpty }
    return decider.reload(jails)
  }

  /// What the names and lists in `ignoreip` represent now, a list a jail. Windows and bans stay.
  public mutating func ignore(_ resolved: [[Subnet]]) {
    var limits = jails
    for (jail, subnets) in resolved.enumerated() where jail < limits.count { limits[jail].ignore.subnets += subnets }
    _ = decider.reload(limits)
  }

  /// Decides on every failure of the batch, in order. Bans that fall become failures in the jails that count bans, and are
  /// appended to the batch, so the audit shows them too. Failures of a jail that only counts are taken out of it, but for the
  /// last ones before a ban.
  /// - Parameter permits: asked before a ban is entered.
  public mutating func detect(
    in batch: inout FailureBatch, now: Instant, permits: Decider.Permission = { _, _ in true },
    into decisions: inout [Decision]
  ) {
    var shown: [EvidenceLines.Line] = []
    var isReduced = false
    var index = 0
    var nextActivity = 0
    alerts?.keepsUntold = !alertJails.isEmpty
    repeat {
      while index < batch.failures.count {
        let failure = batch.failures[index]
        if nextActivity < batch.activities.count {
          consider(in: &batch, from: &nextActivity, before: failure.line.start, now)
        }
        let isKept = detect(failure, at: index, in: &batch, now, permits, &decisions, &shown)
        isReduced = isReduced || !isKept
        index += 1
      }
      // What these tell of may count in jails of alerts.
      consider(in: &batch, from: &nextActivity, before: .max, now)
    } while index < batch.failures.count
    finish(&batch)
    guard isReduced else { return }
    batch.keepFailures { !$0.isPast && (Int($0.jail) >= jails.count || jails[Int($0.jail)].isRecorded) }
    for line in shown { line.append(to: &batch) }
  }

  /// Decides on one failure of the batch; false when it is not to be stored.
  private mutating func detect(
    _ failure: Failure, at index: Int, in batch: inout FailureBatch, _ now: Instant, _ permits: Decider.Permission,
    _ decisions: inout [Decision], _ shown: inout [EvidenceLines.Line]
  ) -> Bool {
    var failure = failure
    if failure.attempt != .alone, attempts.isCounted(failure) {
      failure.weight = 0
      batch.setWeight(0, at: index)
    }
    // A host name is not who did it; the addresses that it resolves to come as failures of their own.
    if failure.isHostName { return true }
    let name = failure.name.isEmpty ? nil : batch.text(failure.name)
    let isRecorded = Int(failure.jail) >= jails.count || jails[Int(failure.jail)].isRecorded
    failure.part = part(of: failure, in: batch)
    let before = decisions.count
    let count =
      failure.isPast
      ? decider.restore(failure, id: name)
      : decider.consider(failure, id: name, now: now, permits: permits) { decisions.append($0) }
    if decisions.count > before, failure.part != 0 {
      decisions[before].part = parts.name(of: failure, jails[Int(failure.jail)].per, in: batch)
    }
    if isRecorded, !failure.isPast, name == nil, alerts?.wantsFailures == true,
      !alertJails.contains(Int(failure.jail)),
      count > 0 || !decider.ignores(failure.address, in: Int(failure.jail))
    {
      note(failure, in: &batch, now)
    }
    if !isRecorded {
      guard isNearLimit(failure, count) || decisions.count > before else { return false }
      let id = name.map { Identity($0) } ?? decider.identity(of: failure.address, in: Int(failure.jail))
      batch.withBytes(failure.line) { evidence.add(failure, of: id, $0) }
      if decisions.count > before { shown += evidence.take(failure.jail, id, part: failure.part) }
    }
    // A block's ban is no failure of the address that tipped the scale: its own ban is.
    for position in before..<decisions.count where decisions[position].cause != .escalated {
      feed(decisions[position], failure, &batch)
    }
    return isRecorded && !failure.isPast
  }

  /// As `Failure.part`, for its jail.
  public func part(of failure: Failure, in batch: FailureBatch) -> UInt64 {
    guard Int(failure.jail) < jails.count else { return 0 }
    return parts.hash(of: failure, jails[Int(failure.jail)].per, in: batch)
  }

  /// Is the window so full that with as many failures more as are shown of a ban there may be one? Of other ids nobody will ask.
  private func isNearLimit(_ failure: Failure, _ count: Int) -> Bool {
    let step = max(1, Int(failure.weight)).multipliedReportingOverflow(by: max(1, Int(failure.count)))
    let last = EvidenceLines.most.multipliedReportingOverflow(by: step.overflow ? .max : step.partialValue)
    return count > 0 && (last.overflow || count > jails[Int(failure.jail)].maxretry - last.partialValue)
  }

  private func feed(_ decision: Decision, _ cause: Failure, _ batch: inout FailureBatch) {
    guard !banJails.isEmpty, !banJails.contains(Int(cause.jail)) else { return }
    for jail in banJails {
      var failure = Failure(
        time: decision.time, address: cause.address, jail: UInt16(jail), pattern: jails[jail].banPattern ?? 0,
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
