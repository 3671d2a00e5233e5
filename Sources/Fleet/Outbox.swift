internal import AuditLog
internal import Detection
internal import Model
internal import Settings
internal import Synchronization
internal import System

/// What this server tells the fleet: the failures of its fleet jails, folded, once a second. A consumer of the audit log: nobody
/// waits for it, and what NATS did not take stays in the log and comes again.
///
/// A report is written to a file before it is sent, and sent until NATS holds it; then the file says how far everything is sent, for the
/// store writes positions down a moment later. So after a crash the same report goes out with the same id, and nothing is told in two.
final class Outbox: Sendable {
  private struct State {
    var pending: FailureReport?
    /// Up to here everything is with NATS.
    var sent: (store: UInt32, to: UInt64)?
    var lastSent = -Double.infinity
    var pace = Pace()
    var counters = OutboxCounters()
  }

  private let settings: FleetSettings
  private let jails: Set<String>
  private let path: String
  private let folder: FailureFolder
  private let connection: FleetConnection
  private let state: Mutex<State>

  /// Rows that are folded at once.
  private static let page = FailureReport.mostEntries

  /// - Parameters:
  ///   - jails: those with `scope: fleet`.
  ///   - directory: for the file of what is under way.
  /// - Throws: when the fleet's key cannot be read.
  init(
    _ settings: FleetSettings, jails: [JailSettings], directory: String, connection: FleetConnection
  ) throws {
    self.settings = settings
    self.jails = Set(jails.map(\.name))
    self.connection = connection
    path = directory + "/fleet-outbox"
    folder = FailureFolder(
      key: try settings.key.map { Array(try $0.read().utf8) },
      spared: Dictionary(jails.map { ($0.name, $0.limits.ignore) }, uniquingKeysWith: { first, _ in first }))
    let left = (try? SmallFile.read(path, limit: 2 << 20)).flatMap { FailureReport($0) }
    // One without entries says up to where everything was sent.
    let isSent = left?.entries.isEmpty == true
    state = Mutex(State(pending: isSent ? nil : left, sent: isSent ? left.map { ($0.store, $0.to) } : nil))
  }

  var counters: OutboxCounters { state.withLock { $0.counters } }

  /// Empty where no jail counts with the fleet.
  var consumers: [DecisionConsumer] {
    guard !jails.isEmpty else { return [] }
    return [
      DecisionConsumer(
        name: Self.name, kinds: [.failure], jails: jails, start: .end, isRequired: true, limit: Self.page
      ) { [self] in try receive($0) }
    ]
  }

  /// As `status` calls it.
  static let name = "fleet"

  /// On the consumer's own thread.
  func receive(_ rows: [AuditRow]) throws -> DecisionConsumer.Receipt {
    let now = monotonicSeconds()
    if let problem = sendPending() { return .refused(problem, again: .seconds(1)) }
    let store = rows[0].position.map { Self.store(of: $0) } ?? 0
    let sent = state.withLock { $0.sent }
    let known = sent.map { $0.store == store ? $0.to : 0 } ?? 0
    let done = rows.prefix { UInt64(clamping: $0.number) <= known }.count
    let news = rows[done...]
    guard !news.isEmpty else { return .done }
    let wait = state.withLock { state in
      // More than a page waits: there is no use in collecting.
      let second = rows.count >= Self.page ? 0 : state.lastSent + 1 - now
      return max(second, state.pace.wait(at: now))
    }
    guard wait <= 0 else { return .later(.milliseconds(Int(wait * 1000) + 1), handled: done) }
    let report = folder.fold(news, store: store)
    if report.entries.isEmpty {
      state.withLock { $0.sent = (store, report.to) }
      return .done
    }
    try SmallFile.replace(path, with: report.bytes, mode: 0o600)
    state.withLock { state in
      state.pending = report
      state.lastSent = now
      state.pace.take(report.entries.count, at: now)
    }
    if let problem = sendPending() { return .refused(problem, again: .seconds(1), handled: done) }
    return .done
  }

  /// Returns why it could not be sent; nil: nothing waits any more.
  private func sendPending() -> String? {
    guard let report = state.withLock({ $0.pending }) else { return nil }
    do {
      let stream = JetStream(connection: try connection.open())
      let id = "\(settings.site).\(settings.name)-\(String(report.store, radix: 16))-\(report.to)"
      let answer = try stream.publish(Subject.failures(settings), report.bytes, id: id)
      state.withLock { state in
        state.pending = nil
        state.sent = (report.store, report.to)
        state.counters.reports += 1
        state.counters.entries += report.entries.count
        if answer.duplicate == true { state.counters.duplicates += 1 }
      }
      try SmallFile.replace(
        path, with: FailureReport(store: report.store, from: report.from, to: report.to).bytes, mode: 0o600)
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// The store is the first part of a position's text.
  static func store(of position: AuditPosition) -> UInt32 {
    UInt32("\(position)".prefix { $0 != "-" }, radix: 16) ?? 0
  }
}

/// What went out since the start.
public struct OutboxCounters: Sendable, Equatable {
  public var reports = 0
  public var entries = 0
  /// NATS had them already: sent again after a crash or a lost answer.
  public var duplicates = 0
}

/// No faster than the aggregators count (`FleetCounter.allowance`): whoever was cut off for hours loses nothing by hurrying.
struct Pace {
  private static let rate = 1000.0
  private static let burst = 100_000.0
  private var left = burst
  private var since = -Double.infinity

  mutating func wait(at now: Double) -> Double {
    refill(now)
    return left > 0 ? 0 : (1 - left) / Self.rate
  }

  mutating func take(_ count: Int, at now: Double) {
    refill(now)
    left -= Double(count)
  }

  private mutating func refill(_ now: Double) {
    if since.isFinite { left = min(Self.burst, left + max(0, now - since) * Self.rate) }
    since = now
  }
}
