public import Model

/// Addresses whose ban would cut off this machine or the person who runs it, and the decision whether a ban touches them.
///
/// ```swift
/// let objections = Protected.collect(caller: request.sshClient).objections(to: subnet, sparing: .everybody)
/// guard objections.isEmpty || force else { … }
/// ```
public struct Protected: Hashable, Sendable {
  /// This machine's own addresses.
  public var own: Set<Address> = []
  /// The gateways of its default routes.
  public var gateways: Set<Address> = []
  public var resolvers: Set<Address> = []
  /// Where people are logged in from, through SSH, who may become root.
  public var sessions: Set<Address> = []
  /// Where others are logged in from.
  public var otherSessions: Set<Address> = []
  /// Where the person comes from who asks for the ban.
  public var caller: Address?

  public init() {}

  public enum Reason: Hashable, Sendable {
    case own(Address)
    case gateway(Address)
    case resolver(Address)
    case session(Address)
    case caller(Address)
    /// The block is wider than `limit` bits of prefix allow.
    case tooWide(limit: UInt8)
  }

  public struct Objection: Hashable, Sendable, CustomStringConvertible {
    public var subnet: Subnet
    public var reason: Reason

    public init(subnet: Subnet, reason: Reason) {
      self.subnet = subnet
      self.reason = reason
    }

    public var description: String {
      switch reason {
      case .own(let address): "\(subnet) holds this machine's own address \(address)"
      case .gateway(let address): "\(subnet) holds this machine's gateway \(address)"
      case .resolver(let address): "\(subnet) holds this machine's name server \(address)"
      case .session(let address):
        "somebody is logged in from \(address)\(subnet.isSingleAddress ? "" : ", which \(subnet) holds")"
      case .caller(let address):
        "this session comes from \(address)\(subnet.isSingleAddress ? "" : ", which \(subnet) holds")"
      case .tooWide(let limit): "\(subnet) is wider than /\(limit)"
      }
    }
  }

  /// The widest blocks that are banned without being asked twice.
  public static let widestIPv4: UInt8 = 16
  public static let widestIPv6: UInt8 = 32

  /// Everything that speaks against banning `subnet`; empty: nothing does.
  public func objections(to subnet: Subnet, sparing: SparedSessions = .everybody) -> [Objection] {
    var reasons: [Reason] = []
    let limit = subnet.isIPv4 ? Self.widestIPv4 : Self.widestIPv6
    if subnet.prefixLength < limit { reasons.append(.tooWide(limit: limit)) }
    // An IPv6 block holds no IPv4 address for the kernel, though in 128 bits it may.
    func held(_ addresses: Set<Address>) -> [Address] {
      addresses.filter { $0.isIPv4 == subnet.isIPv4 && subnet.contains($0) }.sorted()
    }
    reasons += held(own).map { .own($0) }
    if own.isDisjoint(with: held(own)), let loopback = loopback(in: subnet) { reasons.append(.own(loopback)) }
    reasons += held(gateways).map { .gateway($0) }
    reasons += held(resolvers).map { .resolver($0) }
    if let caller, !held([caller]).isEmpty { reasons.append(.caller(caller)) }
    reasons += held(spared(sparing)).filter { $0 != caller }.map { .session($0) }
    return reasons.map { Objection(subnet: subnet, reason: $0) }
  }

  private func spared(_ sessions: SparedSessions) -> Set<Address> {
    switch sessions {
    case .none: []
    case .administrators: self.sessions
    case .everybody: self.sessions.union(otherSessions)
    }
  }

  /// Every address that has an objection to its ban: a block that holds one is not banned as a whole.
  public func addresses(sparing: SparedSessions) -> Set<Address> {
    own.union(gateways).union(resolvers).union(spared(sparing))
  }

  /// All of 127.0.0.0/8 is this machine, whatever its interfaces list.
  private func loopback(in subnet: Subnet) -> Address? {
    guard let block = Subnet("127.0.0.0/8"), let ipv6 = Address("::1") else { return nil }
    if subnet.isIPv4 { return block.contains(subnet) ? subnet.base : subnet.contains(block) ? block.base : nil }
    return subnet.contains(ipv6) ? ipv6 : nil
  }
}
