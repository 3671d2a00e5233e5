public import Model
internal import Settings
internal import Synchronization
internal import System

/// Hears what the fleet decided: each word as it is published, and after a time away the last word about each id.
///
/// NATS delivers to whoever listens, once or not at all; the stream has it all. So whoever was cut off, or lost some, reads
/// what the stream holds from the last message on that it is sure of.
final class Follower: Sendable {
  /// Returns when it is carried out.
  typealias Act = @Sendable (FleetWord) async -> Void

  private let fleet: FleetSettings
  private let connection: FleetConnection
  private let path: String
  private let report: @Sendable (String) -> Void
  private let act: Act
  private let state = Mutex(State())

  private struct State {
    var isEnding = false
    var counters = FollowerCounters()
  }

  /// So long after the last word it is looked whether some were lost: until then whoever starts again would hear those again.
  private static let settling = 10.0
  /// And so often when there is nothing; servers of a fleet do it at different times.
  private static let interval = 240.0...360.0

  init(
    _ fleet: FleetSettings, connection: FleetConnection, directory: String,
    report: @escaping @Sendable (String) -> Void, act: @escaping Act
  ) {
    self.fleet = fleet
    self.connection = connection
    self.report = report
    self.act = act
    path = directory + "/fleet-live"
  }

  var counters: FollowerCounters { state.withLock { $0.counters } }

  func stop() { state.withLock { $0.isEnding = true } }

  private var isEnding: Bool { state.withLock { $0.isEnding } }

  // MARK: On its own thread

  func run() {
    var problem: String?
    while !isEnding {
      do {
        try follow { if problem != nil { report("fleet: decisions are heard again") } }
        problem = nil
      } catch {
        if problem == nil { report("fleet: \(error)") }
        problem = "\(error)"
        state.withLock { $0.counters.problem = "\(error)" }
        pause(1)
      }
    }
  }

  private func pause(_ seconds: Double) {
    let end = monotonicSeconds() + seconds
    while !isEnding, monotonicSeconds() < end { ServiceThread.sleep(seconds: 0.05) }
  }

  /// Until something is wrong, or `stop`.
  private func follow(_ isUp: () -> Void) throws(FleetError) {
    let nats = try connection.open()
    if let problem = nats.problem { throw FleetError(problem) }
    // First this, so that nothing falls between.
    let subscription = try nats.subscribe(Subject.liveSubjects)
    var position = SmallFile.text(path).flatMap { UInt64($0.prefix { $0.isNumber }) } ?? 0
    // Words that were heard and lie behind `position`: they are not news when the stream is read.
    var heard: Set<HeardWord> = []
    try catchUp(nats, &position, &heard)
    isUp()
    state.withLock { $0.counters.problem = nil }
    var due = monotonicSeconds() + .random(in: Self.interval)
    while !isEnding {
      if let message = try subscription.next(seconds: 0.25) {
        guard let word = LiveMessage(message.data).flatMap({ FleetWord($0, message.subject, fleet) }) else {
          state.withLock { $0.counters.refused += 1 }
          continue
        }
        if heard.insert(HeardWord(subject: message.subject, version: word.version)).inserted { perform(word) }
        due = min(due, monotonicSeconds() + Self.settling * .random(in: 1...2))
      }
      // It reconnects by itself; what was published meanwhile is in the stream.
      if let problem = nats.problem { throw FleetError(problem) }
      if monotonicSeconds() >= due {
        try catchUp(nats, &position, &heard)
        due = monotonicSeconds() + .random(in: Self.interval)
      }
    }
  }

  private func catchUp(
    _ nats: NATSConnection, _ position: inout UInt64, _ heard: inout Set<HeardWord>
  ) throws(FleetError) {
    let jetStream = JetStream(connection: nats)
    // A stream that was made again counts from 1.
    if position > 0, let last = try jetStream.last(Subject.live, Subject.liveSubjects), last.sequence < position {
      position = 0
    }
    var words: [FleetWord] = []
    let last = try LastWords(
      connection: nats, stream: Subject.live, filter: Subject.liveSubjects
    ).read(from: position + 1) { stored in
      guard let word = LiveMessage(stored.data).flatMap({ FleetWord($0, stored.subject, fleet) }),
        !heard.contains(HeardWord(subject: stored.subject, version: word.version))
      else { return }
      words.append(word)
    }
    // Who is allowed comes first, so that nobody is banned in between.
    for word in words.sorted(by: FleetWord.isBefore) { perform(word) }
    guard last > position else { return }
    position = last
    heard.removeAll()
    do throws(SystemError) {
      try SmallFile.replace(path, with: Array("\(last)\n".utf8), mode: 0o600)
    } catch {
      report("fleet: \(error)")
    }
  }

  private func perform(_ word: FleetWord) {
    let isDone = Monitor(false)
    Task { [act] in
      await act(word)
      isDone.change { $0 = true }
    }
    _ = isDone.wait { $0 ? true : nil }
    state.withLock { $0.counters.words += 1 }
  }
}

private struct HeardWord: Hashable {
  var subject: String
  var version: UInt64
}

/// How it goes with hearing.
public struct FollowerCounters: Sendable, Equatable {
  public var words = 0
  /// What was neither decided by an aggregator's form nor signed by an operator.
  public var refused = 0
  public var problem: String? = "not connected yet"

  public init() {}
}

/// What this server is to do.
public struct FleetWord: Sendable, Equatable {
  public enum Action: Sendable, Equatable {
    case ban(until: Instant?, count: Int)
    case unban
    case allow(until: Instant?)
    case disallow
  }

  public var version: UInt64
  public var action: Action
  public var subnet: Subnet
  /// Nil: all of them; of a ban, all ports.
  public var jail: String?
  /// Who said so, and why, for the audit.
  public var detail: String

  /// Nil for what is published under another's subject, or as an operator's without being signed: the aggregators can ban, and
  /// nothing else.
  init?(_ message: LiveMessage, _ subject: String, _ fleet: FleetSettings) {
    version = message.version
    guard let signed = message.order else {
      guard let subnet = message.subnet, let jail = message.jail, subject == Subject.decision(jail: jail, subnet)
      else { return nil }
      self.subnet = subnet
      self.jail = jail
      action = .ban(until: message.until.map { Instant(seconds: $0) }, count: message.count)
      detail = message.reason
      return
    }
    guard let order = signed.verified(by: fleet.operators), let subnet = order.subnet, order.subject == subject else {
      return nil
    }
    self.subnet = subnet
    jail = order.jail
    detail = "\(order.action) by \(order.by)" + (order.why.isEmpty ? "" : ": \(order.why)")
    let until = order.until.map { Instant(seconds: $0) }
    action =
      switch order.action {
      case .ban: .ban(until: until, count: 0)
      case .unban: .unban
      case .allow: .allow(until: until)
      case .disallow: .disallow
      }
  }

  static func isBefore(_ a: FleetWord, _ b: FleetWord) -> Bool {
    (a.isAllowance ? 0 : 1, a.version) < (b.isAllowance ? 0 : 1, b.version)
  }

  private var isAllowance: Bool {
    switch action {
    case .allow, .disallow: true
    case .ban, .unban: false
    }
  }
}
