internal import AuditLog
internal import Detection
public import Model
public import Settings

/// An id that no ban has met, and the limit that would have.
public struct NearMiss: Hashable, Sendable {
  public var jail: String
  /// The jail's own.
  public var maxretry: Int
  /// The largest one by which it would have been banned.
  public var needed: Int
  /// When.
  public var time: Instant
}

extension AuditInspection {
  /// Where a smaller `maxretry` would have banned an id that the jail's own never did, by the daemon's own detector. Jails whose
  /// failures are not recorded are left out, and so are those with more than a hundred thousand failures of the id.
  public func nearMisses(
    _ identity: Identity, jails: [String], _ settings: Settings, since: Instant, at now: Instant
  ) throws -> [NearMiss] {
    try jails.compactMap { name in
      guard let jail = settings.jails.first(where: { $0.name == name }), jail.limits.isRecorded, jail.source != .bans,
        jail.limits.maxretry > 1
      else { return nil }
      var failures: [CountedFailure] = []
      var filter = AuditFilter()
      (filter.jail, filter.since, filter.identity) = (name, since, identity)
      try reader.countedFailures(filter) { failure in
        failures.append(failure)
        return failures.count <= 100_000
      }
      guard !failures.isEmpty, failures.count <= 100_000 else { return nil }
      func firstBan(_ maxretry: Int) -> Instant? {
        var changed = jail
        changed.limits.maxretry = maxretry
        var count = RecordedCount(changed, settings)
        for failure in failures {
          count.consider(failure, from: since, now)
          if let ban = count.bans.values.first { return ban.first }
        }
        return nil
      }
      guard firstBan(jail.limits.maxretry) == nil else { return nil }
      // Who is banned by a limit is banned by every smaller one.
      var (least, most) = (0, jail.limits.maxretry - 1)
      while least < most {
        let middle = (least + most + 1) / 2
        if firstBan(middle) == nil { most = middle - 1 } else { least = middle }
      }
      return least == 0
        ? nil
        : firstBan(least).map { NearMiss(jail: name, maxretry: jail.limits.maxretry, needed: least, time: $0) }
    }
  }
}
