internal import Detection
public import Model
internal import Settings
internal import Synchronization
internal import System

/// A failure that a program has seen itself, in place of a line in a log.
public struct ReportedFailure: Sendable, Equatable {
  public var address: Address
  public var jail: String
  /// How many.
  public var count: Int
  /// Whom it was tried as, and what the program says of it; may be empty.
  public var user: String
  public var text: String

  public init(address: Address, jail: String, count: Int = 1, user: String = "", text: String = "") {
    self.address = address
    self.jail = jail
    self.count = count
    self.user = user
    self.text = text
  }
}

extension Daemon {
  /// Counts it as if a line had told of it, now. `sender` is what the audit names as its source. Returns whether the address is banned
  /// in the jail then.
  public func report(_ failure: ReportedFailure, from sender: String) async throws -> Bool {
    guard try await number(of: failure.jail) < current.withLock({ $0.jails.count }) else {
      throw DaemonError("\(failure.jail) is no jail that counts", remedy: "`bailiff ban` bans by hand", isUsage: true)
    }
    guard !writer.holdsReading else {
      throw DaemonError("the audit waits for the disk", remedy: "send it again later")
    }
    let read = monotonicSeconds()
    return await ask { .report(failure, from: sender, read: read, $0) }
  }
}

extension DecisionThread {
  func report(_ reported: ReportedFailure, from sender: String, read: Double) -> Bool {
    guard let jail = plan.jailNames.firstIndex(of: reported.jail), jail < plan.jails.count else { return false }
    var batch = FailureBatch()
    // A jail of reports has a pattern for them; for another there is one behind all patterns of filters.
    let entry = plan.jails[jail]
    let pattern = entry.settings.source == .reports ? entry.firstPattern : plan.patternNames.count
    var failure = Failure(
      time: SystemClock.now(), address: reported.address, jail: UInt16(jail), pattern: UInt32(pattern), source: 0)
    failure.user = batch.store(Array(reported.user.utf8).span)
    failure.line = batch.store(Array(reported.text.utf8).span)
    failure.count = UInt32(clamping: reported.count)
    batch.append(failure)
    let names = Names(
      jails: plan.jailNames, patterns: plan.patternNames + [Plan.reportPattern], sources: ["reported by \(sender)"])
    decide(batch, names, plan, read: read)
    return detector.decider.ban(of: detector.decider.identity(of: reported.address, in: jail), in: jail) != nil
  }
}
