public import Model
public import Settings

/// The two streams of a fleet: `BL_FAIL`, what servers and operators tell, and `BL_LIVE`, the last word about each id.
public struct FleetStreams: Sendable {
  private let stream: JetStream

  /// What one stream is like, beside what it should be.
  public struct Report: Sendable, Equatable {
    public var name: String
    public var isNew: Bool
    /// What was changed, or differs: `num_replicas is 1, not 3`.
    public var differences: [String]
    public var messages: UInt64
    public var bytes: UInt64
    public var replicas: Int
    /// Nil: the server runs alone.
    public var leader: String?
    /// Replicas that do not have everything.
    public var behind: [String]
  }

  /// What `bailiff fleet init` can be told.
  public struct Limits: Sendable, Equatable {
    public var replicas = 1
    /// How long failures are kept: a window and what aggregators need to catch up.
    public var keep = TimeSpan.hours(24)
    /// How long the last word about an id is kept: no ban of the fleet is known longer to whoever was away.
    public var remember = TimeSpan.hours(32 * 24)
    /// Bytes of `BL_FAIL`, above which the oldest go.
    public var size: Int64 = 2 << 30

    public init() {}
  }

  public init(_ settings: FleetSettings) throws(FleetError) {
    let connection = try NATSConnection(settings, role: "fleet")
    // It connects in the background: a command waits a little.
    try connection.wait(seconds: 5)
    stream = JetStream(connection: connection)
  }

  static func configs(_ limits: Limits) -> [JetStream.StreamConfig] {
    [
      JetStream.StreamConfig(
        name: Subject.input, subjects: Subject.inputSubjects, numReplicas: limits.replicas,
        maxAge: limits.keep.nanoseconds, maxBytes: limits.size, duplicateWindow: 60_000_000_000),
      JetStream.StreamConfig(
        name: Subject.live, subjects: [Subject.liveSubjects], numReplicas: limits.replicas,
        maxAge: limits.remember.nanoseconds, maxBytes: -1, maxMsgsPerSubject: 1, duplicateWindow: 600_000_000_000),
    ]
  }

  /// Makes the streams, or changes those that are there to these limits.
  public func establish(_ limits: Limits) throws(FleetError) -> [Report] {
    var reports: [Report] = []
    for config in Self.configs(limits) {
      guard let known = try stream.stream(config.name) else {
        do throws(FleetError) {
          reports.append(Self.report(try stream.create(config), isNew: true, config))
        } catch {
          throw error.message.contains("insufficient storage")
            ? FleetError(error.message, remedy: "give --size less, or jetstream's max_file_store more") : error
        }
        continue
      }
      // nats-server 2.9 takes an update of a stream to more copies than it can have, and says that it has them.
      guard limits.replicas == 1 || known.cluster != nil else {
        throw FleetError(
          "\(limits.replicas) replicas take a cluster, and this server is alone",
          remedy: "give it `cluster` in its settings, or --replicas 1")
      }
      let differences = Self.differences(known.config, config)
      let info = differences.isEmpty ? known : try stream.update(config)
      var report = Self.report(info, isNew: false, config)
      report.differences = differences
      reports.append(report)
    }
    return reports
  }

  /// What is there; nil for a stream that is not.
  public func look() throws(FleetError) -> [(name: String, report: Report?)] {
    var reports: [(name: String, report: Report?)] = []
    for name in [Subject.input, Subject.live] {
      let info = try stream.stream(name)
      reports.append((name, info.map { Self.report($0, isNew: false, $0.config) }))
    }
    return reports
  }

  private static func report(
    _ info: JetStream.StreamInfo, isNew: Bool, _ wanted: JetStream.StreamConfig
  ) -> Report {
    let behind = (info.cluster?.replicas ?? []).filter { $0.offline == true || $0.current == false }
    return Report(
      name: info.config.name, isNew: isNew, differences: differences(info.config, wanted),
      messages: info.state.messages, bytes: info.state.bytes, replicas: info.config.numReplicas,
      leader: info.cluster?.leader,
      behind: behind.map { $0.offline == true ? "\($0.name) is away" : "\($0.name) lags" })
  }

  private static func differences(_ known: JetStream.StreamConfig, _ wanted: JetStream.StreamConfig) -> [String] {
    func compare<Value: Equatable>(_ name: String, _ a: Value, _ b: Value) -> String? {
      a == b ? nil : "\(name) was \(a), is \(b)"
    }
    return [
      compare("subjects", known.subjects.sorted(), wanted.subjects.sorted()),
      compare("num_replicas", known.numReplicas, wanted.numReplicas),
      compare("max_age", known.maxAge / 1_000_000_000, wanted.maxAge / 1_000_000_000),
      compare("max_bytes", known.maxBytes, wanted.maxBytes),
      compare("max_msgs_per_subject", known.maxMsgsPerSubject, wanted.maxMsgsPerSubject),
      compare("duplicate_window", known.duplicateWindow, wanted.duplicateWindow),
      compare("allow_direct", known.allowDirect, wanted.allowDirect),
    ].compactMap { $0 }
  }

  // MARK: Who tells

  /// Servers that told something that is still kept, with how many batches each, by name.
  public func nodes() throws(FleetError) -> [(site: String, name: String, batches: UInt64)] {
    let subjects = try stream.stream(Subject.input, subjects: "bl.fail.>")?.state.subjects ?? [:]
    return subjects.compactMap { subject, count in
      Subject.sender(subject).map { (String($0.site), String($0.name), count) }
    }.sorted { ($0.site, $0.name) < ($1.site, $1.name) }
  }

  /// When a server told something last, in seconds since 1970.
  public func lastReport(site: String, name: String) throws(FleetError) -> Int64? {
    try stream.lastTime(Subject.input, "bl.fail.\(site).\(name)")
  }

  /// The last words about an address or a block, in each jail.
  public func words(about subnet: Subnet) throws(FleetError) -> [LiveMessage] {
    var words: [LiveMessage] = []
    var next: UInt64 = 1
    while let stored = try stream.next(Subject.live, from: next, "bl.live.*.\(Subject.id(subnet))") {
      if let message = LiveMessage(stored.data) { words.append(message) }
      next = stored.sequence + 1
    }
    return words
  }

  /// What each server told of an address or of those in a block, the oldest first.
  public func sightings(of subnet: Subnet, since time: Int64) throws(FleetError) -> [FleetSighting] {
    let start = try stream.firstSequence(Subject.input, since: time)
    let told = LastWords(connection: stream.connection, stream: Subject.input, filter: "bl.fail.>")
    var seen: [FleetSighting] = []
    _ = try told.read(from: start) { stored in
      guard let sender = Subject.sender(stored.subject), let report = FailureReport(stored.data) else { return }
      for entry in report.entries where subnet.contains(entry.address) {
        seen.append(
          FleetSighting(
            id: entry.address.description, jail: report.jails[Int(entry.jail)], site: String(sender.site),
            node: String(sender.name), second: Int64(entry.second), count: Int(entry.count)))
      }
    }
    return seen.sorted { ($0.second, $0.site, $0.node) < ($1.second, $1.site, $1.node) }
  }

  /// Who reads `BL_FAIL` to decide, and how far each is behind.
  public func aggregators() throws(FleetError) -> [(name: String, pending: UInt64)] {
    guard try stream.stream(Subject.input) != nil else { return [] }
    return try stream.consumers(Subject.input).filter { $0.name.hasPrefix("agg-") }.map { ($0.name, $0.numPending) }
  }

  /// Gives an operator's order to the fleet. Returns its number in the stream.
  public func give(_ order: SignedOrder, by name: String) throws(FleetError) -> UInt64 {
    try stream.publish(Subject.order(by: name), order.bytes, id: order.signature).seq
  }
}

extension TimeSpan {
  fileprivate var nanoseconds: Int64 { microseconds.multipliedReportingOverflow(by: 1000).partialValue }
}

/// What one server told of one address in one second.
public struct FleetSighting: Encodable, Sendable, Equatable {
  public var id: String
  public var jail: String
  public var site: String
  public var node: String
  /// Since 1970.
  public var second: Int64
  public var count: Int
}
