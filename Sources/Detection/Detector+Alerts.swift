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
  mutating func finish(_ batch: inout FailureBatch, from next: inout Int, _ now: Instant) {
    guard !batch.activities.isEmpty else { return }
    consider(in: &batch, from: &next, before: .max, now)
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
    batch.alerts += found
  }

  mutating func note(_ failure: Failure, in batch: inout FailureBatch, _ now: Instant) {
    var failure = failure
    failure.time = min(failure.time, now)
    var found: [Alert] = []
    alerts?.note(failure, in: batch) { found.append($0) }
    if !found.isEmpty { batch.alerts += found }
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
