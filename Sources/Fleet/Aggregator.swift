internal import Cryptography
public import Detection
internal import Model
public import Settings
internal import Synchronization
internal import System

/// Decides for the fleet: reads `BL_FAIL` in its order, has a `FleetDetector` decide, and publishes to `BL_LIVE`. Any number may run; what
/// several decide alike the stream takes once.
///
/// ```swift
/// let aggregator = try Aggregator(settings, directory: "/var/lib/bailiff") { print($0) }
/// aggregator.run()   // on a thread of its own, until `stop`
/// ```
public final class Aggregator: Sendable {
  private let fleet: FleetSettings
  private let detector: Mutex<FleetDetector>
  private let connection: FleetConnection
  private let path: String
  private let report: @Sendable (String) -> Void
  private let state = Mutex(State())
  private let findtime: Int64

  private struct State {
    var isEnding = false
    var counters = AggregatorCounters()
  }

  /// Decisions about older messages are published only by whoever knows that they are not: the streams forget ids after ten minutes.
  private static let trustInDuplicates: Int64 = 120

  /// - Parameters:
  ///   - directory: where it keeps how far it is.
  ///   - report: hears what is wrong, once each time.
  public convenience init(_ settings: Settings, directory: String, report: @escaping @Sendable (String) -> Void) throws
  {
    guard let fleet = settings.fleet else {
      throw FleetError("there is no `fleet` in the settings", remedy: "write fleet: {servers: [nats://HOST:4222]}")
    }
    try self.init(
      settings, fleet, connection: FleetConnection(fleet, role: "aggregator"), directory: directory, report: report)
  }

  init(
    _ settings: Settings, _ fleet: FleetSettings, connection: FleetConnection, directory: String,
    report: @escaping @Sendable (String) -> Void
  ) throws {
    let jails = settings.jails.filter { $0.enabled && $0.scope == .fleet }.map(\.limits)
    guard !jails.isEmpty else {
      throw FleetError("no jail counts with the fleet", remedy: "write scope: fleet in a jail")
    }
    let key = try fleet.key.map { Array(try $0.read().utf8) } ?? []
    detector = Mutex(
      FleetDetector(
        jails: jails, nodes: fleet.nodes, sites: fleet.sites, operators: fleet.operators, seed: Self.seed(key)))
    self.fleet = fleet
    self.connection = connection
    self.report = report
    path = directory + "/fleet-aggregator"
    findtime = jails.map(\.findtime.seconds).max() ?? 600
  }

  /// The same for all who have the fleet's key.
  static func seed(_ key: [UInt8]) -> (UInt64, UInt64) {
    let digest = Digest.hmac(.sha256, key: key, Array("bailiff fleet tables".utf8))
    func number(_ range: Range<Int>) -> UInt64 { digest[range].reduce(0) { $0 << 8 | UInt64($1) } }
    return (number(0..<8), number(8..<16))
  }

  public var counters: AggregatorCounters {
    var counters = state.withLock { $0.counters }
    detector.withLock { detector in
      counters.decided = detector.counter.tally
      counters.input = detector.tally
      counters.nodes = detector.counter.nodes.count
      counters.tracked = detector.counter.tracked
      counters.memory = detector.counter.memory
    }
    return counters
  }

  public func stop() { state.withLock { $0.isEnding = true } }

  private var isEnding: Bool { state.withLock { $0.isEnding } }

  // MARK: On its own thread

  /// Reads and decides until `stop`.
  public func run() {
    var reader: StreamReader?
    var floor: UInt64?
    var problem: String?
    while !isEnding {
      do {
        let nats = try connection.open()
        if let problem = nats.problem { throw FleetError(problem) }
        if reader == nil { reader = try begin(nats, &floor) }
        let messages = try reader?.read(seconds: 1) ?? []
        decide(messages, nats, &floor)
        if problem != nil { report("fleet: the aggregator reads again") }
        problem = nil
        state.withLock { $0.counters.problem = nil }
      } catch {
        if problem == nil { report("fleet: the aggregator: \(error)") }
        problem = "\(error)"
        state.withLock { $0.counters.problem = "\(error)" }
        if reader?.isStale == true { reader = nil }
        pause(1)
      }
    }
  }

  private func pause(_ seconds: Double) {
    let end = monotonicSeconds() + seconds
    while !isEnding, monotonicSeconds() < end { ServiceThread.sleep(seconds: 0.05) }
  }

  /// Begins so far before what was published that all windows are as they were.
  private func begin(_ nats: NATSConnection, _ floor: inout UInt64?) throws(FleetError) -> StreamReader {
    let jetStream = JetStream(connection: nats)
    guard let stream = try jetStream.stream(Subject.input) else {
      throw FleetError("there is no stream \(Subject.input)", remedy: "run bailiff fleet init")
    }
    let now = SystemClock.now().seconds
    // A stream that was made again counts from 1.
    let known = SmallFile.text(path).flatMap { UInt64($0.prefix { $0.isNumber }) }.flatMap {
      $0 <= stream.state.lastSeq ? $0 : nil
    }
    var published = try jetStream.firstSequence(Subject.input, since: now - Self.trustInDuplicates) - 1
    if let known { published = known }
    // What came while this one was away is decided now, with what the windows held then.
    var time = now
    if let taken = try jetStream.time(Subject.input, from: published) { time = min(time, taken) }
    let start = try jetStream.firstSequence(Subject.input, since: time - findtime - 60)
    var held: [LiveMessage] = []
    _ = try LastWords(
      connection: nats, stream: Subject.live, filter: Subject.liveSubjects
    ).read(from: 1) { if let message = LiveMessage($0.data) { held.append(message) } }
    detector.withLock { detector in
      for message in held.sorted(by: { $0.version < $1.version }) { detector.restore(message, before: start, now: now) }
    }
    floor = published
    return StreamReader(nats, Subject.input, name: reader, from: start)
  }

  /// The name of its consumer.
  private var reader: String { "agg-\(fleet.site)-\(fleet.name)" }

  private func decide(_ messages: [StreamReader.Message], _ nats: NATSConnection, _ floor: inout UInt64?) {
    guard let last = messages.last else { return }
    let now = SystemClock.now().seconds
    var outputs: [FleetDetector.Output] = []
    detector.withLock { detector in
      for message in messages {
        let time = message.time / 1_000_000_000
        let decided = detector.take(
          .init(sequence: message.sequence, time: time, subject: message.subject, data: message.data))
        let isNews = message.sequence > floor ?? .max
        if isNews { outputs += decided }
      }
    }
    let lag = now - last.time / 1_000_000_000
    state.withLock { state in
      state.counters.lag = max(0, lag)
      state.counters.pending = last.pending
      state.counters.sequence = last.sequence
    }
    guard publish(outputs, nats, isLate: lag > 60), last.sequence > floor ?? .max else { return }
    floor = last.sequence
    try? SmallFile.replace(path, with: Array("\(last.sequence)\n".utf8), mode: 0o600)
  }

  /// Until the stream holds all of them: what was decided is not decided again. False when it was told to stop before.
  private func publish(_ outputs: [FleetDetector.Output], _ nats: NATSConnection, isLate: Bool) -> Bool {
    var left = isLate ? outputs.filter { isNewer($0, nats) } : outputs
    let publisher = Publisher(connection: nats)
    var problem: String?
    while !left.isEmpty {
      do {
        let before = left.count
        left = try publisher.publish(left)
        state.withLock { $0.counters.published += before - left.count }
        if left.isEmpty { break }
        problem = "\(Subject.live) does not take \(left.count) decisions"
      } catch {
        if problem == nil { report("fleet: \(error); decisions wait") }
        problem = "\(error)"
      }
      state.withLock { $0.counters.problem = problem }
      if isEnding { return false }
      pause(0.5)
    }
    return true
  }

  /// One that lags must not overwrite what others have decided since.
  private func isNewer(_ output: FleetDetector.Output, _ nats: NATSConnection) -> Bool {
    guard let held = try? JetStream(connection: nats).last(Subject.live, output.subject),
      let message = LiveMessage(held.data)
    else { return true }
    return message.version < output.message.version
  }
}

/// How an aggregator is doing.
public struct AggregatorCounters: Sendable, Equatable {
  public var decided = FleetCounter.Tally()
  public var input = FleetDetector.Tally()
  public var published = 0
  public var nodes = 0
  /// Ids in windows, and what they take in bytes.
  public var tracked = 0
  public var memory = 0
  /// The last message that was decided on.
  public var sequence: UInt64 = 0
  /// How many messages wait in the stream, and how old the last one was, in seconds.
  public var pending: UInt64 = 0
  public var lag: Int64 = 0
  public var problem: String?
}
