public import Detection
internal import Model

/// What an aggregator does, without the network: the input stream's messages go in in their order, decisions come out. Whoever is fed
/// the same stream decides the same, so any number of aggregators need no election: their decisions have the same ids.
public struct FleetDetector: Sendable {
  /// A message of `BL_FAIL`.
  public struct Input: Sendable {
    public var sequence: UInt64
    /// When the stream took it, in seconds since 1970.
    public var time: Int64
    public var subject: String
    public var data: [UInt8]

    public init(sequence: UInt64, time: Int64, subject: String, data: [UInt8]) {
      self.sequence = sequence
      self.time = time
      self.subject = subject
      self.data = data
    }
  }

  /// A decision, and where it goes.
  public struct Output: Sendable, Equatable {
    public var subject: String
    public var message: LiveMessage
    /// The same for everybody who decides the same.
    public var id: String
  }

  public struct Tally: Sendable, Equatable {
    public var messages = 0
    /// Told already: sent again after a crash.
    public var duplicates = 0
    /// What no server of the fleet writes, and orders that nobody may give.
    public var malformed = 0
    public var orders = 0

    public init() {}
  }

  public private(set) var counter: FleetCounter
  public private(set) var tally = Tally()
  private let jails: [String: Int]
  private let operators: [String]
  /// Up to which failure of which of its logs each server was heard.
  private var heard: [Int: (store: UInt32, to: UInt64)] = [:]
  /// Orders of the last minutes, by signature, with when they were given: none is obeyed twice.
  private var orders: [String: Int64] = [:]
  /// Orders are obeyed for so many seconds after they were given, by the stream's clock.
  static let patience: Int64 = 600

  /// - Parameters:
  ///   - jails: those with `scope: fleet`; the same for all aggregators.
  ///   - seed: see `FleetCounter`.
  public init(
    jails: [Jail], nodes: Int, sites: Int, operators: [String] = [], capacity: Int = 20_000_000,
    seed: (UInt64, UInt64)
  ) {
    counter = FleetCounter(jails: jails, nodes: nodes, sites: sites, capacity: capacity, seed: seed)
    self.jails = Dictionary(jails.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.operators = operators
  }

  public mutating func take(_ input: Input) -> [Output] {
    tally.messages += 1
    if input.subject.hasPrefix("bl.order.") { return obey(input) }
    guard let sender = Subject.sender(input.subject), let report = FailureReport(input.data),
      let node = counter.node(String(sender.name), site: String(sender.site))
    else {
      tally.malformed += 1
      return []
    }
    if let known = heard[node], known.store == report.store, report.from < known.to {
      tally.duplicates += 1
      return []
    }
    heard[node] = (report.store, report.to)
    let numbers = report.jails.map { jails[$0] }
    var decisions: [FleetCounter.Decision] = []
    for entry in report.entries {
      guard let jail = numbers[Int(entry.jail)] else { continue }
      counter.consider(
        jail: jail, entry.address, count: Int(entry.count), at: Int64(entry.second), by: node, now: input.time
      ) { decisions.append($0) }
    }
    return decisions.enumerated().map { output($1, input.sequence, $0) }
  }

  /// What was decided before the part of the stream that is read again: bans in force, and who is allowed.
  mutating func restore(_ message: LiveMessage, before sequence: UInt64, now: Int64) {
    guard message.version < sequence, let subnet = message.subnet else { return }
    guard let signed = message.order else {
      guard let jail = message.jail.flatMap({ jails[$0] }), message.until.map({ $0 > now }) ?? true else { return }
      counter.override(subnet, jail: jail, bannedUntil: message.until ?? .max)
      return
    }
    guard let order = signed.verified(by: operators) else { return }
    apply(order, now: now)
  }

  // MARK: Inside

  private func output(_ decision: FleetCounter.Decision, _ sequence: UInt64, _ index: Int) -> Output {
    let jail = counter.jails[decision.jail].name
    let evidence = decision.evidence.map { entry in
      let node = counter.nodes[entry.node]
      return LiveMessage.Sighting(node: node.name, site: node.site, second: entry.second, count: entry.count)
    }
    let message = LiveMessage(
      version: sequence, jail: jail, subnet: decision.subnet, until: decision.until?.seconds,
      time: decision.time.seconds, evidence: evidence)
    // With what it is about: a stream that was begun again counts from 1, and BL_LIVE remembers ids.
    let subject = Subject.decision(jail: jail, decision.subnet)
    return Output(subject: subject, message: message, id: "\(sequence).\(index).\(subject)")
  }

  private mutating func obey(_ input: Input) -> [Output] {
    guard let signed = SignedOrder(input.data), let order = signed.verified(by: operators), let subject = order.subject,
      abs(order.time - input.time) <= Self.patience, orders[signed.signature] == nil
    else {
      tally.malformed += 1
      return []
    }
    orders = orders.filter { $0.value >= input.time - 2 * Self.patience }
    orders[signed.signature] = input.time
    tally.orders += 1
    apply(order, now: input.time)
    let message = LiveMessage(version: input.sequence, order: signed, order)
    return [Output(subject: subject, message: message, id: "\(input.sequence).order")]
  }

  private mutating func apply(_ order: Order, now: Int64) {
    guard let subnet = order.subnet, order.until.map({ $0 > now }) ?? true else { return }
    let jail = order.jail.flatMap { jails[$0] }
    // A jail that the fleet does not count: the servers know what to do.
    guard jail != nil || order.jail == nil || order.action == .allow || order.action == .disallow else { return }
    switch order.action {
    case .allow:
      counter.allowed.removeAll { $0 == subnet }
      counter.allowed.append(subnet)
      counter.override(subnet, jail: nil, bannedUntil: nil)
    case .disallow: counter.allowed.removeAll { $0 == subnet }
    case .unban: counter.override(subnet, jail: jail, bannedUntil: nil)
    case .ban:
      // One on all ports is no jail's ban: what is counted goes on.
      if let jail { counter.override(subnet, jail: jail, bannedUntil: order.until ?? .max) }
    }
  }
}
