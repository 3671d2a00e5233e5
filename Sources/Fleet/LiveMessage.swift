internal import JSON
internal import Model

/// The last word about an id: what the aggregators decided, or an operator's order that they passed on.
public struct LiveMessage: Codable, Sendable, Equatable {
  /// The number in `BL_FAIL` of the message that led to it: a later word has a higher one.
  public var version: UInt64
  public var jail: String?
  public var id: String
  /// Seconds since 1970; nil: permanent.
  public var until: Int64?
  public var time: Int64
  public var count: Int
  public var nodes: Int
  public var sites: Int
  public var evidence: [Sighting]
  /// An operator's; then nothing else is looked at.
  public var order: SignedOrder?

  /// What one server saw in one second.
  public struct Sighting: Codable, Sendable, Equatable {
    public var node: String
    public var site: String
    public var second: Int64
    public var count: Int
  }

  /// No more are told: the fleet's own log has all of them.
  static let mostEvidence = 64

  var bytes: [UInt8] { JSONOutput.line(of: self) }

  init?(_ bytes: [UInt8]) {
    guard let message = try? JSONInput.decode(LiveMessage.self, from: bytes) else { return nil }
    self = message
  }

  init(version: UInt64, order: SignedOrder, _ content: Order) {
    self.version = version
    self.order = order
    (jail, id, until, time) = (content.jail, content.id, content.until, content.time)
    (count, nodes, sites, evidence) = (0, 0, 0, [])
  }

  init(
    version: UInt64, jail: String, subnet: Subnet, until: Int64?, time: Int64, evidence: [Sighting]
  ) {
    self.version = version
    self.jail = jail
    id = subnet.description
    self.until = until
    self.time = time
    count = evidence.reduce(0) { $0 + $1.count }
    nodes = Set(evidence.map { "\($0.site).\($0.node)" }).count
    sites = Set(evidence.map(\.site)).count
    self.evidence = Array(evidence.suffix(Self.mostEvidence))
  }

  var subnet: Subnet? { Subnet(id) }

  /// For audits and people.
  public var reason: String {
    "\(count) failures on \(nodes) servers at \(sites) sites (\(version))"
  }
}
