internal import AuditLog
internal import Detection
internal import LogSources
public import Model
public import Settings
internal import System

/// The same engine over past logs: what would have been banned, and when. Nothing is applied; with a store, everything is
/// recorded as `run` would have.
public final class Replay {
  public struct Summary: Sendable, Equatable {
    public var lines = 0
    public var bytes = 0
    public var matched = 0
    public var ignored = 0
    public var tooLong = 0
    public var failures = 0
    /// Of host names, which a replay does not look up.
    public var hostNames = 0
    public var bans = 0
    public var activities = 0
    public var alerts = 0
    public var ids = 0

    public init() {}
  }

  /// How far a log has been read.
  public struct Progress: Sendable {
    public var log: String
    /// Bytes of a file, entries of a journal.
    public var done: UInt64
    /// Of a file, in bytes; nil where nobody knows: what comes through a pipe or is compressed.
    public var size: UInt64?
    public var isJournal = false
  }

  private let plan: Plan
  private var detector: Detector
  /// Opened while filters are compiled and the first lines are matched; nothing is judged before it is open.
  private let opening: StoreOpening?
  private var recorder: ReplayRecorder?
  private var summary = Summary()
  private var decisions: [Decision] = []
  /// Told of alerts as they are raised.
  public var onAlert: (Alert) throws -> Void = { _ in }
  private let now = SystemClock.now()
  /// Of the last log. It holds thousands of sessions, which would be taken apart one by one at the end: kept until the
  /// process goes, and all at once with it.
  private var lastSink: ReplaySink?

  /// Names in `ignoreip` that have no address now; nothing is ignored for them.
  public let unresolved: [String]

  /// - Parameters:
  ///   - database: where to record; nil: nowhere.
  ///   - resolver: asked for the names in `ignoreip`, once; the lists there are read once.
  public init(_ settings: Settings, database: String? = nil, resolver: NameResolver = NameResolver()) throws {
    opening = database.map { StoreOpening($0) }
    plan = Plan(settings, start: .beginning)
    if let jail = plan.dropped.first {
      opening?.wait()
      throw DaemonError("jail \(jail.name): \(jail.reason)", remedy: "bailiff check tells more")
    }
    detector = Detector(plan, ignoring: OwnAddresses.ignored(settings))
    defer { resolver.stop() }
    var names = IgnoredNames()
    let ignored = names.resolve(plan, resolver)
    unresolved = ignored.unresolved
    if let lists = ignored.lists { detector.ignore(lists) }
  }

  /// Plays one log after the other; `body` gets every ban as it falls, `progress` a word now and then.
  public func run(
    _ paths: [String], progress: @escaping (Progress) -> Void = { _ in },
    onDecision body: @escaping (Decision) throws -> Void
  ) throws -> Summary {
    let logs = paths.flatMap {
      PastJournal.isDirectory($0) ? journals(in: $0) : [Log.file($0, jails: jails(reading: $0))]
    }
    let names = Names(jails: plan.jailNames, patterns: plan.patternNames, sources: logs.map(\.name))
    defer {
      recorder?.cancel()
      recorder = nil
      // A log that cannot be read ends this early.
      opening?.wait()
    }
    for (number, log) in logs.enumerated() {
      let take: (inout FailureBatch) throws -> Void = { [self] batch in try self.take(&batch, names, body) }
      let counts: ReplayCounts
      switch log {
      case .file(let path, let jails):
        let file = try PastLog(path)
        counts = try read(file, jails, number, { progress(Progress(log: path, done: $0, size: file.size)) }, take)
      case .journal(let journal, let jails):
        let read: (ReplaySink) throws -> PastLog.Counts = { sink in
          try journal.read(as: number, to: sink, while: { sink.error == nil })
        }
        counts = try readInOrder(
          jails, { progress(Progress(log: journal.name, done: $0, isJournal: true)) }, take, read)
      }
      summary.lines += counts.lines
      summary.bytes += counts.bytes
      summary.tooLong += counts.tooLong
      summary.matched += counts.matched
      summary.ignored += counts.ignored
    }
    try recorder?.finish()
    try opening?.store().close()
    summary.ids = plan.jailNames.indices.reduce(0) { $0 + detector.decider.tracked(in: $1) }
    return summary
  }

  /// A file, or what one list of matches fits in a journal.
  private enum Log {
    case file(String, jails: [Int])
    case journal(PastJournal, jails: [Int])

    /// How the audit names it.
    var name: String {
      switch self {
      case .file(let path, _): path
      case .journal(let journal, _): journal.name
      }
    }
  }

  private func read(
    _ log: PastLog, _ jails: [Int], _ source: Int, _ progress: @escaping (UInt64) -> Void,
    _ body: @escaping (inout FailureBatch) throws -> Void
  ) throws -> ReplayCounts {
    if let size = log.size, size >= SegmentedLog.smallest, SegmentedLog.workers > 1, !plan.needsOrder(jails) {
      return try SegmentedLog(log, plan: plan, jails: jails, source: source).read(progress, body)
    }
    return try readInOrder(jails, progress, body) { sink in
      // What comes through a pipe may be happening now.
      sink.isAtOnce = log.size == nil
      return try log.read(as: source, to: sink, while: { sink.error == nil })
    }
  }

  private func readInOrder(
    _ jails: [Int], _ progress: @escaping (UInt64) -> Void, _ body: @escaping (inout FailureBatch) throws -> Void,
    _ read: (ReplaySink) throws -> PastLog.Counts
  ) throws -> ReplayCounts {
    let sink = ReplaySink(plan, jails: jails)
    lastSink = sink
    sink.onBatch = body
    sink.onProgress = progress
    let counts = try read(sink)
    sink.finish()
    // They hold this replay, which holds the sink.
    sink.onBatch = { _ in }
    sink.onProgress = { _ in }
    if let error = sink.error { throw error }
    return ReplayCounts(counts, sink.matcher.counts)
  }

  /// The jails that watch this very path; all of them when none does (a log that was rotated or copied elsewhere).
  private func jails(reading path: String) -> [Int] {
    let watching = plan.jails.indices.filter {
      plan.jails[$0].settings.logpath.contains { PathMatch.matches($0, path) }
    }
    return watching.isEmpty ? Array(plan.jails.indices) : watching
  }

  /// A journal's directory is read once for each list of matches that jails have, as `run` reads the journal; where no jail
  /// has any, all of it by all jails.
  private func journals(in directory: String) -> [Log] {
    var readers: [(matches: [String], jails: [Int])] = []
    for (number, jail) in plan.jails.enumerated() where !jail.settings.journalmatch.isEmpty {
      if let index = readers.firstIndex(where: { $0.matches == jail.settings.journalmatch }) {
        readers[index].jails.append(number)
      } else {
        readers.append((jail.settings.journalmatch, [number]))
      }
    }
    if readers.isEmpty { readers = [([], Array(plan.jails.indices))] }
    return readers.map { .journal(PastJournal(matches: $0.matches, directory: directory), jails: $0.jails) }
  }

  private func take(
    _ batch: inout FailureBatch, _ names: Names, _ body: (Decision) throws -> Void
  ) throws {
    if recorder == nil, let opening { recorder = ReplayRecorder(try opening.store(), names: names) }
    decisions.removeAll(keepingCapacity: true)
    for failure in batch.failures {
      summary.failures &+= Int(failure.count)
      if failure.isHostName { summary.hostNames &+= Int(failure.count) }
    }
    detector.detect(in: &batch, now: now, into: &decisions)
    summary.activities += batch.activities.count
    summary.alerts += batch.alerts.count
    for alert in batch.alerts { try onAlert(alert) }
    try recorder?.record(&batch, decisions)
    for decision in decisions {
      summary.bans += decision.action == .ban ? 1 : 0
      try body(decision)
    }
  }
}

/// A replay's end of a source: lines in, batches to the judge.
final class ReplaySink: LineSink {
  let matcher: LineMatcher
  var onBatch: (inout FailureBatch) throws -> Void = { _ in }
  /// Hears at checkpoints how far the source has been read: bytes or entries.
  var onProgress: (UInt64) -> Void = { _ in }
  private var done: UInt64 = 0
  /// Returns a batch at every checkpoint, however small.
  var isAtOnce = false
  private(set) var error: (any Error)?
  private var batch = FailureBatch()
  /// A batch's lines are gone through three times: matched, judged and recorded. So many stay in the processor's cache meanwhile.
  private static let batchSize = 1024
  private let now = SystemClock.now()

  init(_ plan: Plan, jails: [Int]) { matcher = LineMatcher(plan, jails: jails) }

  func begin(_ source: SourceInfo) {}

  func consume(lines: borrowing Span<UInt8>, of origin: LineOrigin, from source: Int) {
    matcher.match(lines, of: origin, source: UInt32(source), now: now, into: &batch)
    done = origin.offset(of: lines.count)
  }

  func consume(message: borrowing Span<UInt8>, of entry: JournalEntry, from source: Int) {
    matcher.match(message: message, of: entry, source: UInt32(source), now: now, into: &batch)
    done += 1
  }

  func checkpoint(_ positions: [SourcePosition]) {
    onProgress(done)
    if isAtOnce || batch.failures.count + batch.activities.count >= Self.batchSize { finish() }
  }

  /// Returns what is left.
  func finish() {
    guard !batch.hasNoRows, error == nil else { return }
    do { try onBatch(&batch) } catch { self.error = error }
    batch.removeAll()
  }

  func report(_ event: SourceEvent) {}
}

/// What became of one log's lines.
struct ReplayCounts: Sendable {
  var lines = 0
  var bytes = 0
  var tooLong = 0
  var matched = 0
  var ignored = 0

  init() {}

  init(_ read: PastLog.Counts, _ matched: LineMatcher.Counts) {
    lines = Int(clamping: read.lines)
    bytes = Int(clamping: read.bytes)
    tooLong = Int(clamping: read.tooLong)
    self.matched = matched.matched
    ignored = matched.ignored
  }

  mutating func add(_ other: ReplayCounts) {
    lines += other.lines
    bytes += other.bytes
    tooLong += other.tooLong
    matched += other.matched
    ignored += other.ignored
  }
}
