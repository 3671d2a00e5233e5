internal import AuditLog
internal import Detection
public import Model
public import Settings
internal import System

/// Counts the recorded failures of a jail anew, by the daemon's own detector, under the limits in force and under others.
///
/// What it cannot know: somebody who was banned could not go on, so under milder limits the past would have been longer; what people
/// lifted or banned by hand is left out. A row of the audit that stands for several lines of one second counts at its first one.
public struct WhatIf: Sendable {
  public var jail: String
  public var limits: WhatIfLimits
  public var since: Instant
  public var until: Instant
  /// Nil: everybody.
  public var subnet: Subnet?
  /// How many of each kind are told.
  public var limit: Int

  /// Failures that are counted at most.
  public static let mostFailures = 20_000_000
  /// Seconds that counting takes at most.
  public static let patience = 20.0

  public init(
    jail: String, limits: WhatIfLimits, since: Instant, until: Instant, subnet: Subnet? = nil, limit: Int = 100
  ) {
    (self.jail, self.limits, self.since, self.until) = (jail, limits, since, until)
    (self.subnet, self.limit) = (subnet, limit)
  }

  /// - Throws: `RequestError` for a jail whose past is not recorded, and for limits that cannot be.
  public func reply(_ audit: AuditInspection, _ settings: Settings, at now: Instant) throws -> WhatIfReply {
    let known = try Self.known(jail, settings)
    var sides = [RecordedCount(known, settings), RecordedCount(try Self.changed(known, limits), settings)]
    let failures = try count(audit.reader, &sides, lead: max(sides[0].jail.findtime, sides[1].jail.findtime), now)
    let more = sides[1].bans.filter { sides[0].bans[$0.key] == nil }
    let fewer = sides[0].bans.filter { sides[1].bans[$0.key] == nil }
    let judge = try HonestLogins(audit.reader, settings, since: since, until: until)
    func candidates(_ bans: [Identity: RecordedCount.Bans]) -> [WhatIfReply.Candidate] {
      let all = bans.map { id, bans in
        WhatIfReply.Candidate(id: id.description, time: bans.first, bans: bans.count, honest: judge.reasons(for: id))
      }
      return Array(
        all.sorted { ($0.honest.isEmpty ? 1 : 0, $0.time, $0.id) < ($1.honest.isEmpty ? 1 : 0, $1.time, $1.id) }.prefix(
          limit))
    }
    return WhatIfReply(
      jail: jail, since: since, until: until, id: subnet?.description, failures: failures.counted,
      readThrough: failures.readThrough, now: sides[0].side(judge), then: sides[1].side(judge), more: candidates(more),
      moreCount: more.count, fewer: candidates(fewer), fewerCount: fewer.count,
      both: sides[1].bans.count - more.count)
  }

  /// The jails that can be asked about.
  public static func jails(of settings: Settings) -> [String] {
    settings.jails.filter { $0.enabled && $0.source != .bans && $0.limits.isRecorded }.map(\.name)
  }

  // MARK: Limits

  /// A jail of the settings with other limits.
  static func jail(_ name: String, _ limits: WhatIfLimits, _ settings: Settings) throws(RequestError) -> JailSettings {
    try changed(known(name, settings), limits)
  }

  private static func known(_ jail: String, _ settings: Settings) throws(RequestError) -> JailSettings {
    guard let known = settings.jails.first(where: { $0.name == jail }) else {
      let names = settings.jails.map(\.name).joined(separator: ", ")
      throw RequestError(.invalid, "there is no jail `\(printable(jail))`", remedy: "jails are: \(names)")
    }
    guard known.source != .bans else {
      throw RequestError(.invalid, "jail \(jail) counts bans of other jails, whose past depends on theirs")
    }
    guard known.limits.isRecorded else {
      throw RequestError(.invalid, "the failures of jail \(jail) are counted and not recorded (`record: counts`)")
    }
    return known
  }

  private static func changed(_ known: JailSettings, _ limits: WhatIfLimits) throws(RequestError) -> JailSettings {
    var changed = known
    if let maxretry = limits.maxretry {
      guard (1...100_000).contains(maxretry) else {
        throw RequestError(.invalid, "maxretry is \(maxretry); it is a number from 1 to 100000")
      }
      changed.limits.maxretry = maxretry
    }
    if let findtime = limits.findtime {
      guard findtime > .zero else { throw RequestError(.invalid, "findtime is not longer than nothing") }
      changed.limits.findtime = findtime
    }
    if let bantime = limits.bantime { changed.limits.bantime = bantime < .zero ? nil : bantime }
    return changed
  }

  // MARK: Counting

  private func count(
    _ reader: AuditReader, _ sides: inout [RecordedCount], lead: TimeSpan, _ now: Instant
  ) throws -> (counted: Int, readThrough: Instant?) {
    var filter = AuditFilter()
    filter.jail = jail
    // What the windows held when it began.
    filter.since = since.subtracting(lead)
    filter.until = until
    filter.identity = subnet.map { .network($0) }
    let deadline = monotonicSeconds() + Self.patience
    var counted = 0
    var readThrough: Instant?
    try reader.countedFailures(filter) { failure in
      if failure.time >= since { counted += Int(failure.count) }
      for index in sides.indices { sides[index].consider(failure, from: since, now) }
      guard counted >= Self.mostFailures || (counted & 1023 == 0 && monotonicSeconds() > deadline) else { return true }
      readThrough = failure.time
      return false
    }
    return (counted, readThrough)
  }
}
