internal import Dispatch
public import Model
internal import Synchronization

/// Tells one consumer what is stored: call `run` on a thread of its own.
public final class ConsumerRunner: Sendable {
  private struct State {
    /// Nil until the store was asked where it begins.
    var position: AuditPosition?
    /// The end of the log, as far as anybody said.
    var end: AuditPosition?
    var behindSince: Instant?
    var delivered = 0
    var missed = 0
    var problem: String?
    /// To end when it has been told what is there, and at once.
    var isEnding = false
    var isStopped = false
    /// Waiting for a time, not for rows.
    var isDeferred = false
    var isWoken = false
    var isReplaced = false
  }

  public let consumer: DecisionConsumer
  private let path: String
  private let state: Mutex<State>
  private let wake = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)
  private let save: @Sendable (AuditPosition) -> Void
  private static let pauses = (first: Duration.seconds(1), longest: Duration.seconds(300))

  /// - Parameters:
  ///   - path: of the store.
  ///   - position: what the store knows of it; nil: it begins where the consumer says.
  ///   - save: hears each position that was reached.
  public init(
    _ consumer: DecisionConsumer, path: String, position: AuditPosition? = nil,
    save: @escaping @Sendable (AuditPosition) -> Void = { _ in }
  ) {
    self.consumer = consumer
    self.path = path
    self.save = save
    state = Mutex(State(position: position))
  }

  // MARK: From other threads

  /// Something was stored, and this is the end now. Waits for nothing.
  public func stored(_ end: AuditPosition, at now: Instant) {
    let signals = state.withLock { state in
      state.end = end
      if state.behindSince == nil, let position = state.position, behind(position, end) > 0 { state.behindSince = now }
      guard !state.isDeferred, !state.isWoken else { return false }
      state.isWoken = true
      return true
    }
    if signals { wake.signal() }
  }

  /// Another store took the place of the one that was read; all of it is news.
  public func storeWasReplaced() {
    state.withLock {
      $0.isReplaced = true
      $0.isWoken = true
    }
    wake.signal()
  }

  /// Ends `run` when the consumer has been told what is there, or wants to be left alone, or after so long: what it is receiving
  /// then it is told again by the next one. True when `run` has ended.
  @discardableResult
  public func stop(waiting patience: Duration = .seconds(2)) -> Bool {
    state.withLock { $0.isEnding = true }
    wake.signal()
    guard ended.wait(timeout: .now() + .milliseconds(patience.milliseconds)) == .success else {
      state.withLock { $0.isStopped = true }
      return false
    }
    ended.signal()
    return true
  }

  /// Until `run` has returned.
  func waitForEnd() {
    ended.wait()
    ended.signal()
  }

  public var status: ConsumerStatus {
    state.withLock { state in
      var behind = 0
      if let position = state.position, let end = state.end { behind = self.behind(position, end) }
      return ConsumerStatus(
        name: consumer.name, behind: behind, behindSince: behind > 0 ? state.behindSince : nil,
        delivered: state.delivered, problem: state.problem, missed: state.missed)
    }
  }

  /// Up to where it has been told everything; nil: not known yet.
  public var position: AuditPosition? { state.withLock { $0.position } }

  private func behind(_ position: AuditPosition, _ end: AuditPosition) -> Int {
    guard position.store == end.store else { return 0 }
    let kinds = RecordKind.allCases.filter { consumer.filter.wants($0) }
    return Int(clamping: kinds.reduce(0) { $0 + max(0, end[$1] - position[$1]) })
  }

  // MARK: On its own thread

  /// Tells the consumer what is there and what comes, until `stop`. `poll`: in another process than the one that writes, how often
  /// to look.
  public func run(poll: Duration? = nil) {
    var reader: AuditReader?
    var pause = Self.pauses.first
    var isEnding = false
    while !isEnding {
      isEnding = state.withLock { $0.isEnding }
      do {
        if state.withLock({ $0.isReplaced }) || poll != nil && reader?.isReplaced == true { reader = nil }
        let open = try reader ?? AuditStore.readOnly(path: path)
        reader = open
        let deferral = try step(open)
        pause = Self.pauses.first
        if let deferral { wait(deferral, isDeferred: true) } else { wait(poll, isDeferred: false) }
      } catch {
        state.withLock { $0.problem = "\(error)" }
        wait(pause, isDeferred: true)
        pause = min(pause * 2, Self.pauses.longest)
      }
    }
    ended.signal()
  }

  /// Tells all that is there. Returns how long the consumer wants to be left alone.
  private func step(_ reader: AuditReader) throws -> Duration? {
    var position = try begin(reader)
    while !state.withLock({ $0.isStopped }) {
      state.withLock { $0.isWoken = false }
      let delivery = try reader.rows(after: position, consumer.filter, limit: consumer.limit)
      var receipt = DecisionConsumer.Receipt.done
      if !delivery.rows.isEmpty { receipt = try consumer.receive(delivery.rows) }
      switch receipt {
      case .done:
        position = delivery.end
        advance(to: position, delivery.rows.count)
        if !delivery.hasMore { return nil }
      case .later(let pause, let handled):
        advance(to: &position, delivery.rows, handled)
        return max(pause, .milliseconds(1))
      case .refused(let problem, let pause, let handled):
        advance(to: &position, delivery.rows, handled)
        state.withLock { $0.problem = problem }
        return max(pause, .milliseconds(1))
      }
    }
    return nil
  }

  private func begin(_ reader: AuditReader) throws -> AuditPosition {
    let (known, isReplaced) = state.withLock { state in
      defer { state.isReplaced = false }
      return (state.position, state.isReplaced)
    }
    let end = try reader.end()
    if let known, known.store == end.store { return known }
    var position = end
    if known != nil || isReplaced {
      position = .beginning(of: end.store)
    } else {
      switch consumer.start {
      case .beginning: position = .beginning(of: end.store)
      case .end: break
      case .after(let wanted): position = wanted
      }
    }
    advance(to: position, 0)
    return position
  }

  /// The first `handled` rows were dealt with.
  private func advance(to position: inout AuditPosition, _ rows: [AuditRow], _ handled: Int) {
    guard handled > 0, let reached = rows[min(handled, rows.count) - 1].position else { return }
    position = reached
    advance(to: position, handled)
  }

  private func advance(to position: AuditPosition, _ rows: Int) {
    state.withLock { state in
      state.position = position
      state.delivered += rows
      state.problem = nil
      if state.end.map({ behind(position, $0) == 0 }) ?? true { state.behindSince = nil }
    }
    if consumer.isStored { save(position) }
  }

  /// Until it is to end, or something is stored (unless `isDeferred`), or the time is over.
  private func wait(_ pause: Duration?, isDeferred: Bool) {
    let mayWait = state.withLock { state in
      state.isDeferred = isDeferred
      return !state.isEnding && !state.isReplaced && (isDeferred || !state.isWoken)
    }
    defer { state.withLock { $0.isDeferred = false } }
    guard mayWait else { return }
    let deadline = pause.map { DispatchTime.now() + .milliseconds($0.milliseconds) } ?? .distantFuture
    while wake.wait(timeout: deadline) == .success {
      let goesOn = state.withLock { state in
        state.isEnding || state.isReplaced || (!isDeferred && state.isWoken)
      }
      if goesOn { return }
    }
  }
}

extension Duration {
  fileprivate var milliseconds: Int {
    Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
  }
}
