import CMnl
import Model

/// The chains, rules and sets of our table for a plan; pure, so that tests see what is written.
///
/// ```
/// table inet bailiff {
///   set ban-sshd-4-32 { type ipv4_addr; flags timeout; }       one for each jail, family and prefix length in use
///   counter jail-sshd { }                                      what the jail's bans have refused
///   chain packets { type filter hook prerouting priority raw - 10; meta l4proto tcp th dport 22 jump jail-sshd }
///   chain jail-sshd { ip saddr @ban-sshd-4-32 counter name jail-sshd drop }
/// }
/// ```
///
/// Packets are seen before conntrack and before any address is translated: the port is the one that the client knows, also
/// of what is published by a container, and what is refused costs conntrack nothing. A drop here is final, whatever other
/// tables accept.
enum TableLayout {
  /// The base chain on the way of all packets; `NF_INET_PRE_ROUTING`, before raw (-300), after fragments are joined (-400).
  static let all = BaseChain(name: "packets", hook: 0, priority: -310)
  /// For plans that leave out a way; `NF_INET_LOCAL_IN` and `NF_INET_FORWARD`, before filter (0).
  static let host = BaseChain(name: "packets-host", hook: 1, priority: -10)
  static let forwarded = BaseChain(name: "packets-forwarded", hook: 2, priority: -10)

  struct BaseChain: Hashable {
    var name: String
    var hook: UInt32
    var priority: Int32
  }

  static func base(for paths: Set<PacketPath>) -> BaseChain? {
    switch (paths.contains(.host), paths.contains(.containers)) {
    case (true, true): all
    case (true, false): host
    case (false, true): forwarded
    case (false, false): nil
    }
  }

  static func chain(_ jail: String) -> String { "jail-" + ObjectName.of(jail: jail) }

  /// Addresses of one family that are looked up by the same number of leading bits.
  struct Width: Hashable, Comparable {
    var isIPv4: Bool
    /// 1 to 32, or 1 to 128.
    var prefix: UInt8

    init(isIPv4: Bool, prefix: UInt8) {
      self.isIPv4 = isIPv4
      self.prefix = prefix
    }

    init(_ subnet: Subnet) { self.init(isIPv4: subnet.isIPv4, prefix: subnet.prefixLength) }

    /// What a jail is looked up by from the start.
    static let usual = [Width(isIPv4: true, prefix: 32), Width(isIPv4: false, prefix: 64)]

    static func < (a: Width, b: Width) -> Bool { (a.isIPv4 ? 0 : 1, b.prefix) < (b.isIPv4 ? 0 : 1, a.prefix) }
  }

  static func set(_ jail: String, _ width: Width) -> String {
    "ban-\(ObjectName.of(jail: jail))-\(width.isIPv4 ? 4 : 6)-\(width.prefix)"
  }

  /// The width of a set that `set` has named for this jail.
  static func width(of set: String, jail: String) -> Width? {
    let stem = "ban-\(ObjectName.of(jail: jail))-"
    guard set.hasPrefix(stem) else { return nil }
    let parts = set.dropFirst(stem.utf8.count).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, ["4", "6"].contains(parts[0]), let prefix = UInt8(parts[1]), prefix >= 1,
      prefix <= (parts[0] == "4" ? 32 : 128)
    else { return nil }
    return Width(isIPv4: parts[0] == "4", prefix: prefix)
  }

  // MARK: Rules

  typealias Rule = [NFTablesExpression]

  /// Drops or rejects what comes from a block of this width that is banned in the jail.
  static func rule(for target: FirewallTarget, _ width: Width) -> Rule {
    let found = source(isIPv4: width.isIPv4, prefix: Int(width.prefix)) + [.contained(set: set(target.jail, width))]
    switch target.verdict {
    case .drop: return found + [.count(chain(target.jail)), .drop]
    case .reject: return found + [.count(chain(target.jail)), .reject]
    case .pass: return found + [.accept]
    }
  }

  static func mask(_ prefix: Int, of bits: Int) -> [UInt8] {
    (0..<bits / 8).map { byte in
      let ones = min(max(prefix - byte * 8, 0), 8)
      return UInt8(truncatingIfNeeded: 0xFF00 >> ones)
    }
  }

  /// The rules that hand the packets to a jail's ports to the jail's chain.
  /// - Parameter original: ask conntrack for the port that the client knows.
  static func dispatch(_ target: FirewallTarget, original: Bool) -> [Rule] {
    let jump: NFTablesExpression = target.isForEverybody ? .accept : .jump(chain(target.jail))
    guard case .ranges(let ranges) = target.ports else { return [[jump]] }
    // The destination port is at byte 2 of all of these protocols' headers.
    let port: NFTablesExpression =
      original
      ? .connection(NFT_CT_PROTO_DST, original: true)
      : .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 2, length: 2)
    return target.protocols.flatMap { transport in
      ChainRules.merged(ranges).map { range in
        [.meta(NFT_META_L4PROTO), .equals([transport.number]), port, test(range), jump]
      }
    }
  }

  private static func test(_ range: ClosedRange<UInt16>) -> NFTablesExpression {
    func bytes(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)] }
    return range.lowerBound == range.upperBound
      ? .equals(bytes(range.lowerBound)) : .between(bytes(range.lowerBound), bytes(range.upperBound))
  }

  /// The name of the chain for packets whose destination was translated.
  static let translated = "packets-translated"

  /// `IPS_DST_NAT` of the connection's status, in the machine's order: its destination was translated.
  static let isTranslated: Rule = [.connection(NFT_CT_STATUS), .mask([0x20, 0, 0, 0]), .differs([0, 0, 0, 0])]
}

extension FirewallTarget.TransportProtocol {
  /// https://www.iana.org/assignments/protocol-numbers
  var number: UInt8 {
    switch self {
    case .tcp: 6
    case .udp: 17
    case .dccp: 33
    case .sctp: 132
    case .udplite: 136
    }
  }
}
