internal import Matching
internal import Model
internal import Settings

/// The filters of jails that read one source, compiled into sets: one for each zone that stamps without one are in. Sources
/// that the same jails read share them, unless a filter keeps what it knows of a source in itself. Belongs to one thread.
public final class FilterSets {
  /// Jails that agree on the zone.
  final class Group {
    let set: FilterSet
    var clock: LogClock
    /// For each filter of the set, the jails that use it, and what number its first pattern has there.
    let jails: [[(jail: UInt16, firstPattern: UInt32)]]
    /// For each filter, of which journal entries it believes who wrote them.
    let trust: [TrustedProgram]

    init(
      set: FilterSet, clock: LogClock, jails: [[(jail: UInt16, firstPattern: UInt32)]], trust: [TrustedProgram]
    ) {
      self.trust = trust
      self.set = set
      self.clock = clock
      self.jails = jails
    }
  }

  let plan: Plan
  private let patterns: PatternHealth?
  private var shared: [[Int]: [Group]] = [:]

  /// - Parameter patterns: told of patterns that are stopped at their limit. Without it none is quarantined, so that a
  ///   replay on several threads is the same every time.
  public init(_ plan: Plan, patterns: PatternHealth? = nil) {
    self.plan = plan
    self.patterns = patterns
  }

  /// `continuing`: the groups that the source had before a reload.
  func groups(for jails: [Int], continuing old: [Group] = []) -> [Group] {
    if let known = shared[jails] { return known }
    var zones: [String?: [Int]] = [:]
    for jail in jails where plan.jails[jail].filter != nil {
      zones[plan.jails[jail].settings.timezone, default: []].append(jail)
    }
    let groups = zones.sorted { ($0.key ?? "") < ($1.key ?? "") }.map { group($1, zone: $0, old) }
    if groups.allSatisfy({ $0.set.isShareable }) { shared[jails] = groups }
    return groups
  }

  private func group(_ jails: [Int], zone: String?, _ old: [Group]) -> Group {
    var filters: [Int] = []
    var users: [[Int]] = []
    for jail in jails {
      let filter = plan.jails[jail].filter!
      if let index = filters.firstIndex(of: filter) {
        users[index].append(jail)
      } else {
        filters.append(filter)
        users.append([jail])
      }
    }
    let group = Group(
      set: FilterSet(
        filters.map { plan.filters[$0] }, readsActivity: plan.settings.activity, continuing: old.map(\.set)),
      clock: LogClock(now: Instant(microseconds: 0), zone: ZoneOffsets(name: zone) ?? ZoneOffsets()),
      jails: users.map { $0.map { (UInt16($0), UInt32(plan.jails[$0].firstPattern)) } },
      trust: users.map { TrustedProgram($0.map { plan.jails[$0].settings }) })
    if let patterns {
      group.set.onGiveUp = { [plan, jails = group.jails] filter, pattern in
        guard let jail = jails[filter].first else { return }
        patterns.gaveUp(plan.patternNames[Int(jail.firstPattern) + pattern])
      }
    }
    return group
  }
}
