internal import Model

/// Activities and alerts, in the order of the lines.
extension Detector {
  /// Looks at the activities whose lines are before `end` in the batch.
  mutating func consider(in batch: inout FailureBatch, from next: inout Int, before end: UInt32, _ now: Instant) {
    while next < batch.activities.count, batch.activities[next].line.start < end {
      consider(batch.activities[next], in: &batch, now)
      next += 1
    }
  }

  /// Looks at those that are left; what is one act becomes one row.
  mutating func finish(_ batch: inout FailureBatch) {
    guard !batch.activities.isEmpty else { return }
    batch.keepActivities { activity in activity.actLength == 0 || !isRepeated(activity) }
    batch.sightings += alerts?.takeSightings() ?? []
  }

  private mutating func isRepeated(_ activity: Activity) -> Bool {
    var line = Failure(
      time: activity.time, address: activity.address ?? Address(bits: 0), jail: activity.jail,
      pattern: activity.pattern,
      source: activity.source)
    line.attempt = .together
    line.connection = activity.act
    line.actLength = activity.actLength
    return attempts.isCounted(line)
  }

  private mutating func consider(_ activity: Activity, in batch: inout FailureBatch, _ now: Instant) {
    guard alerts != nil else { return }
    var activity = activity
    activity.time = min(activity.time, now)
    let asksForBan = activity.event == .login && alerts?.limits.bannedLogin == true
    let ban = asksForBan ? activity.address.flatMap { decider.jail(banning: $0, at: activity.time) } : nil
    var found: [Alert] = []
    alerts?.consider(activity, in: batch, ban: ban) { found.append($0) }
    tell(found, source: activity.source, offset: activity.offset, cursor: activity.cursor, &batch)
  }

  mutating func note(_ failure: Failure, in batch: inout FailureBatch, _ now: Instant) {
    var failure = failure
    failure.time = min(failure.time, now)
    var found: [Alert] = []
    alerts?.note(failure, in: batch) { found.append($0) }
    tell(found, source: failure.source, offset: failure.offset, cursor: failure.cursor, &batch)
  }

  /// Alerts are stored, and are failures in the jails that count them, also where there were too many to be told.
  private mutating func tell(
    _ found: [Alert], source: UInt32, offset: UInt64, cursor: ByteRange, _ batch: inout FailureBatch
  ) {
    if !found.isEmpty { batch.alerts += found }
    guard !alertJails.isEmpty else { return }
    for alert in found + (alerts?.takeUntold() ?? []) {
      guard let address = alert.address else { continue }
      for jail in alertJails where jails[jail].alertKinds.contains(alert.kind) {
        var failure = Failure(
          time: alert.time, address: address, jail: UInt16(jail), pattern: jails[jail].alertPattern, source: source)
        (failure.offset, failure.cursor) = (offset, cursor)
        failure.user = batch.store(Array(alert.user.utf8).span)
        failure.line = batch.store(Array(alert.text.utf8).span)
        batch.append(failure)
      }
    }
  }
}

extension Decider {
  /// A jail in which an address is banned.
  func jail(banning address: Address, at time: Instant) -> String? {
    jails.indices.first { jail in
      [identity(of: address, in: jail), .network(Subnet(address))].contains { identity in
        guard let ban = ban(of: identity, in: jail), ban.since <= time else { return false }
        return ban.until.map { $0 > time } ?? true
      }
    }.map { jails[$0].name }
  }
}
