import CMnl

/// How ports are closed that nobody has opened.
///
/// ```
/// chain gate-host { type filter hook input priority filter - 5
///   ct state established,related accept; iif lo accept; ct status dnat goto gate-translated; fib daddr type local goto gate }
/// chain gate { meta l4proto tcp th dport 22 jump jail-allow_only:22; …; meta l4proto tcp counter name gate drop; … }
/// ```
///
/// Behind conntrack, so that what answers this machine's own requests comes in. An accept here lets the packet go on to
/// other tables: what those drop stays closed. ICMP and protocols without ports are not asked.
extension TableLayout {
  static let gate = "gate"
  static let translatedGate = "gate-translated"
  static let hostGate = BaseChain(name: "gate-host", hook: 1, priority: -5)
  static let forwardedGate = BaseChain(name: "gate-forwarded", hook: 2, priority: -5)

  static func gates(for paths: Set<PacketPath>) -> [BaseChain] {
    (paths.contains(.host) ? [hostGate] : []) + (paths.contains(.containers) ? [forwardedGate] : [])
  }

  static func rules(for base: BaseChain) -> [Rule] {
    // `NF_CT_STATE_BIT` of IP_CT_ESTABLISHED and IP_CT_RELATED, in the machine's order.
    let isKnown: Rule = [.connection(NFT_CT_STATE), .mask([6, 0, 0, 0]), .differs([0, 0, 0, 0]), .accept]
    let translated = isTranslated + [.goto(translatedGate)]
    guard base == hostGate else { return [isKnown, translated] }
    // The loopback interface is the first of every network namespace.
    return [isKnown, [.meta(NFT_META_IIF), .equals([1, 0, 0, 0]), .accept], translated, isLocal + [.goto(gate)]]
  }

  /// What comes behind the rules that open.
  static let gateEnd: [Rule] =
    dhcp.map { port in
      [
        .meta(NFT_META_L4PROTO), .equals([17]), .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 2, length: 2),
        .equals([UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]), .accept,
      ]
    }
    + FirewallTarget.TransportProtocol.allCases.map { transport in
      [.meta(NFT_META_L4PROTO), .equals([transport.number]), .count(gate), .drop]
    }

  /// The ports of DHCP's clients (RFC 2131, RFC 8415): the answer comes from another address than the one that was asked.
  private static let dhcp: [UInt16] = [68, 546]
}
