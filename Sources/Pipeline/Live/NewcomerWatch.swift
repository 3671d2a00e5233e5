internal import Detection
internal import Model
internal import System

/// Jails in which unusually many ids fail at once that had no failures before: a service whose database or directory is down
/// refuses everybody.
struct NewcomerWatch {
  private struct Rate {
    var minute: Instant
    var count = 0
    /// How many there are in a minute, over the last hour or so.
    var usual = 0.0
    var lastUnusual: Instant?
  }

  /// So many within a minute, and so many times as many as usual.
  static let fewest = 50
  private static let factor = 10.0
  private static let weight = 1.0 / 60
  /// How long it is said.
  private static let memory = TimeSpan.minutes(10)
  /// Older failures are read while catching up.
  private static let live = TimeSpan.minutes(2)

  private var rates: [String: Rate] = [:]

  /// How many ids each jail of the batch's recent failures knows.
  static func known(_ batch: FailureBatch, _ decider: Decider, now: Instant) -> [UInt16: Int] {
    var known: [UInt16: Int] = [:]
    var last: UInt16?
    // A flood is mostly one jail's.
    for failure in batch.failures where failure.jail != last {
      guard now.since(failure.time) < live else { continue }
      last = failure.jail
      if known[failure.jail] == nil { known[failure.jail] = count(Int(failure.jail), decider) }
    }
    return known
  }

  static func count(_ jail: Int, _ decider: Decider) -> Int { decider.tracked(in: jail) + decider.banCount(in: jail) }

  /// Takes in new ids of a jail. Returns what is to be said when they are unusually many.
  mutating func add(_ count: Int, of jail: String, at now: Instant) -> String? {
    var rate = rates[jail] ?? Rate(minute: now)
    advance(&rate, to: now)
    rate.count += max(0, count)
    defer { rates[jail] = rate }
    guard rate.count >= Self.fewest, Double(rate.count) >= Self.factor * rate.usual else { return nil }
    rate.lastUnusual = now
    let usual = rate.usual < 1 ? "hardly any" : grouped(Int(rate.usual.rounded()))
    return
      "\(grouped(rate.count)) addresses that had not failed before failed within a minute, where it usually is \(usual): "
      + "the service itself may be in trouble (its database, its directory); `bailiff top --since 10m`"
  }

  /// Jails of which there is nothing to say any more.
  mutating func calmed(at now: Instant) -> [String] {
    var calmed: [String] = []
    for (jail, rate) in rates {
      guard let last = rate.lastUnusual, now.since(last) > Self.memory else { continue }
      rates[jail]?.lastUnusual = nil
      calmed.append(jail)
    }
    return calmed
  }

  private func advance(_ rate: inout Rate, to now: Instant) {
    let minutes = now.since(rate.minute).seconds / 60
    guard minutes != 0 else { return }
    for _ in 0..<min(max(minutes, 0), 600) {
      rate.usual += (Double(rate.count) - rate.usual) * Self.weight
      rate.count = 0
    }
    rate.minute = now
  }
}

extension DecisionThread {
  /// Says it when a batch brings a jail unusually many ids.
  func lookForNewcomers(_ before: [UInt16: Int], _ now: Instant) {
    for (jail, known) in before where Int(jail) < plan.jails.count {
      let name = plan.jailNames[Int(jail)]
      let new = NewcomerWatch.count(Int(jail), detector.decider) - known
      if let text = newcomers.add(new, of: name, at: now) { warnings.raise(.jailManyNew, of: name, text, at: now) }
    }
  }
}
