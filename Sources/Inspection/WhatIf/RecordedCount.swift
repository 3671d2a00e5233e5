internal import AuditLog
internal import Detection
internal import LockoutGuard
internal import Model
internal import Pipeline
internal import Settings

/// One side: a jail of its own, and whom it bans.
struct RecordedCount {
  struct Bans {
    var first: Instant
    var count = 0
  }

  let jail: Jail
  private var detector: Detector
  private var batch = FailureBatch()
  private var decisions: [Decision] = []
  private var newest = Instant(microseconds: .min)
  private var sinceSweep = 0
  var bans: [Identity: Bans] = [:]
  private var total = 0

  init(_ known: JailSettings, _ settings: Settings) {
    var limits = known.limits
    // As in a plan (`Plan.limits`): this machine's own addresses are not counted where `ignoreself` says so.
    limits.ignore.subnets += OwnAddresses.ignored(settings)
    jail = limits
    detector = Detector([limits], apart: Protected.collect().addresses(sparing: settings.protectSessions.spared))
  }

  mutating func consider(_ failure: CountedFailure, from start: Instant, _ now: Instant) {
    var counted = Failure(
      time: failure.time, address: failure.address ?? Address(ipv4: 0), jail: 0, pattern: 0, source: 0)
    (counted.count, counted.weight) = (failure.count, failure.weight)
    batch.removeAll()
    if let name = failure.name { counted.name = batch.store(Array(name.utf8).span) }
    batch.append(counted)
    decisions.removeAll(keepingCapacity: true)
    detector.detect(in: &batch, now: now, into: &decisions)
    for decision in decisions where decision.action == .ban && decision.time >= start {
      total += 1
      bans[decision.identity, default: Bans(first: decision.time)].count += 1
    }
    sweep(at: failure.time)
  }

  /// Bans that are over leave memory, as the daemon has them do.
  private mutating func sweep(at time: Instant) {
    newest = max(newest, time)
    sinceSweep += 1
    guard sinceSweep >= 10_000 else { return }
    sinceSweep = 0
    detector.decider.expire(at: newest) { _ in }
    detector.decider.shrink(at: newest)
  }

  func side(_ judge: HonestLogins) -> WhatIfReply.Side {
    WhatIfReply.Side(
      maxretry: jail.maxretry, findtime: jail.findtime.seconds, bantime: jail.bantime?.seconds, bans: total,
      banned: bans.count, honest: bans.keys.count { !judge.reasons(for: $0).isEmpty })
  }
}
