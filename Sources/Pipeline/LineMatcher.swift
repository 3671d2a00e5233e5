internal import Detection
internal import Filters
public import LogSources
internal import Matching
public import Model
internal import Settings

/// The filters of the jails that read one source, ready to match its lines: the step from bytes to failures, the same live
/// and in a replay. Belongs to one thread.
public final class LineMatcher {
  /// What became of the lines; lines are counted by the source.
  public struct Counts: Sendable, Equatable {
    public var matched = 0
    public var ignored = 0
    public var distrusted = 0

    public init() {}
  }

  public private(set) var counts: Counts
  /// How far the source's stamps are off.
  public private(set) var clock: SourceClock
  private let groups: [FilterSets.Group]
  /// For each jail the proxies that it trusts.
  private let proxies: [[Subnet]]
  /// For each jail whether the store knows what its windows held.
  private let isInStore: [Bool]
  /// For each filter of each group whether its activities are told: by the first group that has the filter.
  private let tellsActivity: [[Bool]]
  /// What precedes the lines at hand; one for each group.
  private let histories: [LineHistory]
  /// What each filter of each group makes of the lines, where somebody asks.
  private var understandings: [[SourceUnderstanding]]
  private var isUnderstood = false

  public convenience init(_ plan: Plan, jails: [Int]) { self.init(FilterSets(plan), jails: jails) }

  /// - Parameter old: the source's matcher before a reload: what it counted, and what its filters know of earlier lines, is
  ///   taken over.
  public init(_ sets: FilterSets, jails: [Int], continuing old: LineMatcher? = nil) {
    groups = sets.groups(for: jails, continuing: old?.groups ?? [])
    proxies = sets.plan.jails.map(\.settings.trustedProxies)
    isInStore = sets.plan.jails.map { !$0.settings.limits.readsLogBack }
    let groups = groups
    tellsActivity = groups.indices.map { index in
      groups[index].set.filters.map { filter in
        !groups[..<index].contains { $0.set.filters.contains { $0.definition == filter.definition } }
      }
    }
    // Groups of other zones may be new; what precedes a line is the same for all.
    histories = groups.indices.map { index in
      if let old, index < old.histories.count { old.histories[index] } else { LineHistory() }
    }
    understandings = groups.map { group in
      group.set.filters.map { old?.understanding(by: $0.definition) ?? SourceUnderstanding() }
    }
    counts = old?.counts ?? Counts()
    clock = old?.clock ?? SourceClock()
  }

  /// Whole lines of a file; what matches is appended to `batch`.
  public func match(
    _ lines: borrowing Span<UInt8>, of origin: LineOrigin, source: UInt32, now: Instant, into batch: inout FailureBatch
  ) {
    for (group, history) in zip(groups, histories) {
      group.clock.now = now
      let before = group.set.counts
      history.ahead = origin.ahead
      group.set.scan(lines, isPayload: origin.isPayload, clock: &group.clock, history: history) { match, line, start in
        // A container's clock may be off; its runtime's is this machine's.
        let time = origin.time(of: start) ?? time(of: match, isLive: origin.isLive, now)
        append(match, line, time, group, source, origin.offset(of: start), isPast: origin.isPast, &batch)
      }
      if !origin.isPast { add(group.set.counts, before) }
    }
  }

  /// One journal message; the other fields of its entry are read only when it may match.
  public func match(
    message: borrowing Span<UInt8>, of entry: JournalEntry, source: UInt32, now: Instant,
    into batch: inout FailureBatch
  ) {
    for (group, history) in zip(groups, histories) {
      group.clock.now = now
      let before = group.set.counts
      group.set.scan(
        message: message,
        program: { filter, name in group.trust[filter].name(of: entry, into: &name) },
        time: { entry.time }, clock: &group.clock,
        header: { filter, line in group.trust[filter].header(of: entry, into: &line) }, history: history,
        { match, line in
          let (first, firstActivity) = (batch.failures.count, batch.activities.count)
          append(
            match, line, time(of: match, isLive: entry.isLive, now), group, source, 0, isPast: entry.isPast, &batch)
          guard batch.failures.count > first || batch.activities.count > firstActivity else { return }
          let range = batch.store(Array(entry.cursor.utf8).span)
          for index in first..<batch.failures.count { batch.setCursor(range, at: index) }
          for index in firstActivity..<batch.activities.count { batch.setActivityCursor(range, at: index) }
        })
      if !entry.isPast { add(group.set.counts, before) }
    }
  }

  /// Looks whether the filters understand the lines at all: at the first ten thousand, and then at one of each call.
  func examine(_ lines: borrowing Span<UInt8>, of origin: LineOrigin) {
    guard !isUnderstood else { return }
    var start = 0
    repeat {
      var end = start
      while end < lines.count, lines[end] != 0x0a { end += 1 }
      let line = lines.extracting(start..<end)
      isUnderstood = true
      var isNew = false
      for group in understandings.indices {
        for filter in understandings[group].indices where !understandings[group][filter].isDecided {
          let known = groups[group].set.filters[filter]
          understandings[group][filter].add(line, known, isPayload: origin.isPayload)
          isUnderstood = isUnderstood && understandings[group][filter].isDecided
          isNew = isNew || understandings[group][filter].seen < SourceUnderstanding.most
        }
      }
      guard isNew else { return }
      start = end + 1
    } while start < lines.count
  }

  /// By the jails that use the filters.
  func understandings(_ body: (_ jail: Int, SourceUnderstanding) -> Void) {
    for (group, known) in zip(groups, understandings) {
      for (jails, understanding) in zip(group.jails, known) {
        for (jail, _) in jails { body(Int(jail), understanding) }
      }
    }
  }

  private func understanding(by definition: FilterDefinition) -> SourceUnderstanding? {
    for (group, known) in zip(groups, understandings) {
      if let index = group.set.filters.firstIndex(where: { $0.definition == definition }) { return known[index] }
    }
    return nil
  }

  /// When a line says that it was written.
  public func time(of line: borrowing Span<UInt8>, now: Instant) -> Instant? {
    guard let group = groups.first else { return nil }
    group.clock.now = now
    return group.set.time(of: line, clock: &group.clock)
  }

  private func time(of match: borrowing Match, isLive: Bool, _ now: Instant) -> Instant {
    isLive && match.isDated ? clock.time(match.time, arrived: now) : match.time
  }

  private func add(_ after: FilterSet.Counts, _ before: FilterSet.Counts) {
    counts.matched += after.matched - before.matched
    counts.ignored += after.ignored - before.ignored
    counts.distrusted += after.distrusted - before.distrusted
  }

  private func append(
    _ match: borrowing Match, _ line: borrowing Span<UInt8>, _ time: Instant, _ group: FilterSets.Group,
    _ source: UInt32, _ offset: UInt64, isPast: Bool, _ batch: inout FailureBatch
  ) {
    if let event = match.event {
      if !isPast { append(event, match, line, time, group, source, offset, &batch) }
      return
    }
    // Of what the run before has read, what it has stored is in the store.
    if isPast, group.jails[match.filter].allSatisfy({ isInStore[Int($0.jail)] }) { return }
    let lineRange = batch.store(line)
    let user = Self.store(match.user, of: match, in: lineRange, &batch)
    let rule = Self.store(match.rule, of: match, in: lineRange, &batch)
    let app = Self.store(match.app, of: match, in: lineRange, &batch)
    let name = Self.store(match.name, of: match, in: lineRange, &batch)
    for (jail, firstPattern) in group.jails[match.filter] where !isPast || !isInStore[Int(jail)] {
      let client =
        proxies[Int(jail)].isEmpty ? match.address : client(of: match, line, proxies[Int(jail)])
      var failure = Failure(
        time: time, address: client ?? match.address, jail: jail, pattern: firstPattern + UInt32(match.pattern),
        source: source)
      failure.line = lineRange
      failure.user = user
      failure.rule = rule
      failure.app = app
      failure.name = name
      failure.isHostName = match.isHostName
      failure.isPast = isPast
      failure.offset = offset
      failure.port = match.port
      failure.attempt = match.attempt
      failure.connection = match.connection
      failure.actLength = match.actLength
      failure.count = UInt32(clamping: match.count)
      // A proxy that does not say whom it spoke for: nobody can be banned for it.
      failure.weight = client == nil ? 0 : UInt32(clamping: match.weight)
      batch.append(failure)
    }
  }

  /// An activity is about no limit, so it is told once, however many jails use the filter.
  private func append(
    _ event: ActivityEvent, _ match: borrowing Match, _ line: borrowing Span<UInt8>, _ time: Instant,
    _ group: FilterSets.Group, _ source: UInt32, _ offset: UInt64, _ batch: inout FailureBatch
  ) {
    guard let index = groups.firstIndex(where: { $0 === group }), tellsActivity[index][match.filter],
      let (jail, firstPattern) = group.jails[match.filter].first
    else { return }
    var activity = Activity(
      time: time, event: event,
      address: match.host.isEmpty ? nil : client(of: match, line, proxies[Int(jail)]), jail: jail,
      pattern: firstPattern + UInt32(match.pattern), source: source)
    activity.line = batch.store(line)
    activity.user = Self.store(match.user, of: match, in: activity.line, &batch)
    activity.target = Self.store(match.target, of: match, in: activity.line, &batch)
    activity.detail = Self.store(match.detail, of: match, in: activity.line, &batch)
    activity.offset = offset
    activity.act = match.connection
    activity.actLength = match.actLength
    batch.append(activity)
  }

  /// Who it was: where a trusted proxy connected, whom it spoke for; nil where it does not say.
  private func client(of match: borrowing Match, _ line: borrowing Span<UInt8>, _ proxies: [Subnet]) -> Address? {
    guard proxies.contains(where: { $0.contains(match.address) }) else { return match.address }
    func isTrusted(_ address: Address) -> Bool { proxies.contains { $0.contains(address) } }
    let range = match.forwarded.range
    return match.forwarded.isInLine
      ? ForwardedFor.client(line.extracting(range), isTrusted: isTrusted)
      : ForwardedFor.client(match.texts.span.extracting(range), isTrusted: isTrusted)
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
