public import LogSources
internal import Matching
public import Model
internal import Settings

/// The filters of the jails that read one source, ready to match its lines: the step from bytes to failures, the same live
/// and in a replay. Belongs to one thread.
public final class LineMatcher {
  /// Jails that agree on the zone of stamps without one are matched together.
  private final class Group {
    let set: FilterSet
    var clock: LogClock
    /// For each filter of the set, the jails that use it, and what number its first pattern has there.
    let jails: [[(jail: UInt16, firstPattern: UInt32)]]
    let history = LineHistory()

    init(set: FilterSet, clock: LogClock, jails: [[(jail: UInt16, firstPattern: UInt32)]]) {
      self.set = set
      self.clock = clock
      self.jails = jails
    }
  }

  /// What became of the lines; lines are counted by the source.
  public struct Counts: Sendable, Equatable {
    public var matched = 0
    public var ignored = 0
    public var distrusted = 0

    public init() {}
  }

  public private(set) var counts = Counts()
  private let plan: Plan
  private let groups: [Group]

  /// - Parameter patterns: told of patterns that are stopped at their limit. Without it none is quarantined, so that a
  ///   replay on several threads is the same every time.
  public init(_ plan: Plan, jails: [Int], patterns: PatternHealth? = nil) {
    self.plan = plan
    var zones: [String?: [Int]] = [:]
    for jail in jails where plan.jails[jail].filter != nil {
      zones[plan.jails[jail].settings.timezone, default: []].append(jail)
    }
    groups = zones.sorted { ($0.key ?? "") < ($1.key ?? "") }.map { zone, jails in
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
      return Group(
        set: FilterSet(filters.map { plan.filters[$0] }),
        clock: LogClock(now: Instant(microseconds: 0), zone: ZoneOffsets(name: zone) ?? ZoneOffsets()),
        jails: users.map { $0.map { (UInt16($0), UInt32(plan.jails[$0].firstPattern)) } })
    }
    guard let patterns else { return }
    for group in groups {
      let jails = group.jails
      group.set.onGiveUp = { filter, pattern in
        guard let jail = jails[filter].first else { return false }
        return patterns.gaveUp(plan.patternNames[Int(jail.firstPattern) + pattern])
      }
    }
  }

  /// Whole lines of a file; what matches is appended to `batch`.
  public func match(
    _ lines: borrowing Span<UInt8>, at offset: UInt64, source: UInt32, now: Instant, into batch: inout FailureBatch
  ) {
    for group in groups {
      group.clock.now = now
      let before = group.set.counts
      group.set.scan(lines, clock: &group.clock, history: group.history) { match, line, start in
        append(match, line, group, source, offset + UInt64(start), &batch)
      }
      add(group.set.counts, before)
    }
  }

  /// One journal message; the other fields of its entry are read only when it may match.
  public func match(
    message: borrowing Span<UInt8>, of entry: JournalEntry, source: UInt32, now: Instant,
    into batch: inout FailureBatch
  ) {
    for group in groups {
      group.clock.now = now
      let before = group.set.counts
      group.set.scan(
        message: message, program: { TrustedProgram.name(of: entry, into: &$0) }, time: { entry.time },
        clock: &group.clock, header: { TrustedProgram.header(of: entry, into: &$0) },
        { match, line in
          let first = batch.failures.count
          append(match, line, group, source, 0, &batch)
          let range = batch.store(Array(entry.cursor.utf8).span)
          for index in first..<batch.failures.count { batch.setCursor(range, at: index) }
        })
      add(group.set.counts, before)
    }
  }

  private func add(_ after: FilterSet.Counts, _ before: FilterSet.Counts) {
    counts.matched += after.matched - before.matched
    counts.ignored += after.ignored - before.ignored
    counts.distrusted += after.distrusted - before.distrusted
  }

  private func append(
    _ match: borrowing Match, _ line: borrowing Span<UInt8>, _ group: Group, _ source: UInt32, _ offset: UInt64,
    _ batch: inout FailureBatch
  ) {
    let lineRange = batch.store(line)
    let user = Self.store(match.user, of: match, in: lineRange, &batch)
    let rule = Self.store(match.rule, of: match, in: lineRange, &batch)
    let name = Self.store(match.name, of: match, in: lineRange, &batch)
    for (jail, firstPattern) in group.jails[match.filter] {
      var failure = Failure(
        time: match.time, address: match.address, jail: jail, pattern: firstPattern + UInt32(match.pattern),
        source: source)
      failure.line = lineRange
      failure.user = user
      failure.rule = rule
      failure.name = name
      failure.isHostName = match.isHostName
      failure.offset = offset
      failure.port = match.port
      failure.attempt = match.attempt
      failure.count = UInt32(clamping: match.count)
      failure.weight = UInt32(clamping: match.weight)
      batch.append(failure)
    }
  }

  /// What is in the line is not copied again.
  private static func store(
    _ text: Match.Text, of match: borrowing Match, in line: ByteRange, _ batch: inout FailureBatch
  ) -> ByteRange {
    if text.isEmpty { return .empty }
    guard text.isInLine else { return batch.store(match.texts.span.extracting(text.range)) }
    return ByteRange(start: line.start + UInt32(text.range.lowerBound), count: UInt32(text.range.count))
  }
}
