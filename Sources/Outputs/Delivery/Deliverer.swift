internal import AuditLog
internal import Model
internal import Settings
internal import Synchronization
internal import System

/// One output at work: takes rows from its consumer, makes messages of them, and sees to it that they arrive.
///
/// What is not delivered yet is in the log, not here: `receive` says how many rows were dealt with, and is lent the others again.
final class Deliverer: Sendable {
  /// Which of an output's events it is for: those that break its quiet hours go their own way, since the others wait.
  enum Share: Sendable {
    case all
    case ordinary(below: OutputSettings.Severity)
    case urgent(from: OutputSettings.Severity)
  }

  private struct State {
    var pacing: Pacing
    /// Since when nothing has got through.
    var refusedSince: Instant?
    /// How often the message that is next was rejected.
    var rejections = 0
  }

  private let settings: OutputSettings
  private let share: Share
  private let destination: any Destination
  private let counters: OutputCounters
  private let clock: OutputClock
  private let host: String
  private let state: Mutex<State>
  /// Of rows that `receive` is lent at once.
  private let pageSize: Int

  static let rejectionLimit = 3

  init(
    _ settings: OutputSettings, _ share: Share, to destination: any Destination, counters: OutputCounters,
    pageSize: Int,
    host: String, clock: OutputClock = .system
  ) {
    self.settings = settings
    self.share = share
    self.destination = destination
    self.counters = counters
    self.pageSize = pageSize
    self.host = host
    self.clock = clock
    state = Mutex(State(pacing: Pacing(rate: settings.rate, digest: settings.digest)))
  }

  /// Called on the consumer's own thread, one call after the other.
  func receive(_ rows: [AuditRow]) -> DecisionConsumer.Receipt {
    let events = rows.enumerated().compactMap { index, row in wanted(row).map { (index: index, event: $0) } }
    guard let first = events.first else { return .done }
    if let left = quietTime { return .later(left, handled: first.index) }
    if let left = state.withLock({ $0.pacing.collects(at: clock.monotonic()) }), rows.count < pageSize {
      return .later(.seconds(left), handled: first.index)
    }
    var handled = first.index
    var next = 0
    while next < events.count {
      let (allowance, isCollecting) = state.withLock { state in
        let allowance = state.pacing.allowance(at: clock.monotonic())
        return (allowance, settings.digest != nil || state.pacing.isBacklogged)
      }
      guard allowance > 0 else {
        return .later(.seconds(state.withLock { $0.pacing.wait(at: clock.monotonic()) }), handled: handled)
      }
      let messages = messages(Array(events[next...].map(\.event)), allowance: allowance, isCollecting: isCollecting)
      let sent = send(messages)
      next += sent.events
      if next > 0 { handled = events[next - 1].index + 1 }
      if let error = sent.error {
        let behind = next + sent.refused
        return refused(
          error, rows[events[next].index..<(behind < events.count ? events[behind].index : rows.count)],
          handled: handled)
      }
    }
    state.withLock { state in
      if rows.count < pageSize {
        state.pacing.collectionIsSent()
        state.pacing.caughtUp()
      }
    }
    return .done
  }

  private func wanted(_ row: AuditRow) -> Event? {
    let event = Event(row)
    guard !event.kinds.isDisjoint(with: settings.kinds), event.severity >= settings.severity,
      settings.jails.isEmpty || row.jail.isEmpty || settings.jails.contains(row.jail),
      !event.isRepetition || settings.destination.wantsRepetitions, destination.wants(event)
    else { return nil }
    switch share {
    case .all: return event
    case .ordinary(let limit): return event.severity < limit ? event : nil
    case .urgent(let limit): return event.severity >= limit ? event : nil
    }
  }

  private var quietTime: Duration? {
    if case .urgent = share { return nil }
    return settings.quiet?.left(at: clock.now()).map { .seconds($0.seconds) }
  }

  // MARK: Messages

  /// At most `allowance` of them, and what can go at once.
  private func messages(_ events: [Event], allowance: Int, isCollecting: Bool) -> [Message] {
    var size = destination.batch
    // Everything in one message, if people read it, or if it would be too many messages.
    if destination.isForPeople, isCollecting || (events.count + size - 1) / size > allowance { size = events.count }
    let count = min(allowance, destination.parallel)
    return stride(from: 0, to: events.count, by: size).prefix(count).map { start in
      Message(Array(events[start..<min(start + size, events.count)]), of: settings, host: host)
    }
  }

  /// Sends them at the same time. Returns how many events arrived before the first message that did not, and how many that one
  /// has.
  private func send(_ messages: [Message]) -> (events: Int, refused: Int, error: DeliveryError?) {
    let results = messages.count == 1 ? [deliver(messages[0])] : deliverTogether(messages)
    var events = 0
    for (message, error) in zip(messages, results) {
      if let error { return (events, message.events.count, error) }
      events += message.events.count
      counters.delivered(events: message.events.count, at: clock.now())
      state.withLock { state in
        state.pacing.delivered(at: clock.monotonic())
        state.refusedSince = nil
        state.rejections = 0
      }
    }
    return (events, 0, nil)
  }

  private func deliver(_ message: Message) -> DeliveryError? {
    do {
      _ = try destination.deliver(message)
      return nil
    } catch { return error }
  }

  private func deliverTogether(_ messages: [Message]) -> [DeliveryError?] {
    let results = Mutex([DeliveryError?](repeating: nil, count: messages.count))
    let threads = messages.indices.map { index in
      ServiceThread("bailiff-output") { [self, message = messages[index]] in
        let error = deliver(message)
        results.withLock { $0[index] = error }
      }
    }
    for thread in threads { thread.join() }
    return results.withLock { $0 }
  }

  // MARK: Errors

  /// What becomes of the rows that one message was to tell of.
  private func refused(_ error: DeliveryError, _ rows: ArraySlice<AuditRow>, handled: Int) -> DecisionConsumer.Receipt {
    let now = clock.now()
    let (pause, isHopeless, isOver) = state.withLock { state in
      let since = state.refusedSince ?? now
      state.refusedSince = since
      var wish: Double?
      if case .unreachable(_, let after) = error { wish = after }
      let pause = state.pacing.refused(after: wish, random: clock.random())
      guard case .rejected = error else { return (pause, false, now.since(since) >= settings.keep) }
      state.rejections += 1
      guard state.rejections >= Self.rejectionLimit else { return (pause, false, false) }
      state.rejections = 0
      return (0.001, true, false)
    }
    counters.refused(error.message, at: now)
    let dropped = isHopeless ? rows : isOver ? rows.prefix { now.since($0.time) >= settings.keep } : []
    if !dropped.isEmpty {
      counters.dropped(dropped.count { wanted($0) != nil }, because: error, keep: settings.keep, at: now)
    }
    return .refused(
      error.message, again: .seconds(pause), handled: max(handled, dropped.isEmpty ? 0 : dropped.endIndex))
  }
}

extension OutputSettings.Destination {
  /// Is it a record, in which bans that were carried over belong, too?
  fileprivate var wantsRepetitions: Bool {
    switch self {
    case .file, .syslog: true
    case .webhook, .mail, .program, .abuse, .edge: false
    }
  }
}

/// Where an output's times come from; tests have their own.
struct OutputClock: Sendable {
  var now: @Sendable () -> Instant
  /// Seconds.
  var monotonic: @Sendable () -> Double
  /// From 0 to 1.
  var random: @Sendable () -> Double

  static let system = OutputClock(
    now: { SystemClock.now() }, monotonic: { monotonicSeconds() }, random: { Double.random(in: 0...1) })
}
