import CMnl
import Model

/// How new connections are limited.
///
/// ```
/// chain packets { …; tcp flags & (fin|syn|rst|ack) == syn iif != lo fib daddr type local jump syn-limit }
/// chain syn-limit {
///   ip saddr 192.0.2.1 return                                         who is spared
///   update @syn-4 { ip saddr limit rate over 30/second burst 60 packets } jump syn-refused
/// }
/// chain syn-refused { limit rate 10/second burst 50 packets log prefix "…"; counter name syn-refused drop }
/// ```
extension TableLayout {
  static let synLimit = "syn-limit"
  static let synRefused = "syn-refused"
  /// What remembers the addresses.
  static let meters = [(name: "syn-4", isIPv4: true), (name: "syn-6", isIPv4: false)]
  /// How many addresses are remembered; those beyond are not limited.
  static let meterSize: UInt32 = 65_536

  /// The source address masked to so many bits, in the first register; ends the rule for packets of the other family.
  static func source(isIPv4: Bool, prefix: Int) -> Rule {
    let address: Rule =
      isIPv4
      // The source address is at byte 12 of an IPv4 header, at byte 8 of an IPv6 header.
      ? [.meta(NFT_META_NFPROTO), .equals([2]), .payload(NFT_PAYLOAD_NETWORK_HEADER, offset: 12, length: 4)]
      : [.meta(NFT_META_NFPROTO), .equals([10]), .payload(NFT_PAYLOAD_NETWORK_HEADER, offset: 8, length: 16)]
    let bits = isIPv4 ? 32 : 128
    return prefix == bits ? address : address + [.mask(mask(prefix, of: bits))]
  }

  /// The packets that begin a connection from outside; the flags are byte 13 of TCP's header.
  static let begins: Rule = [
    .meta(NFT_META_L4PROTO), .equals([6]), .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 13, length: 1),
    .mask([0x17]), .equals([0x02]),
    // The loopback interface is the first of every network namespace.
    .meta(NFT_META_IIF), .differs([1, 0, 0, 0]),
  ]

  /// Addressed to this machine, in the machine's byte order: RTN_LOCAL (linux/rtnetlink.h).
  static let isLocal: Rule = [.destinationType, .equals([2, 0, 0, 0])]

  static func rules(for limit: SynLimit) -> [Rule] {
    let spared = limit.spared.map { subnet in
      source(isIPv4: subnet.isIPv4, prefix: Int(subnet.prefixLength)) + [.equals(bytes(subnet)), .return]
    }
    let refuse = NFTablesExpression.jump(synRefused)
    guard limit.scope == .address else {
      return spared + [[.exceeds(rate: limit.rate, seconds: limit.unit.rawValue, burst: limit.burst), refuse]]
    }
    return spared
      + meters.map { meter in
        source(isIPv4: meter.isIPv4, prefix: meter.isIPv4 ? 32 : 64) + [
          .meter(
            set: meter.name, rate: limit.rate, seconds: limit.unit.rawValue, burst: limit.burst,
            milliseconds: SynLimit.memory), refuse,
        ]
      }
  }

  static func refusal(for limit: SynLimit) -> [Rule] {
    let log = limit.logPrefix.map { prefix in
      [
        NFTablesExpression.limit(rate: SynLimit.logged.rate, seconds: 1, burst: SynLimit.logged.burst),
        .log(prefix: prefix),
      ]
    }
    return [log, [.count(synRefused), .drop]].compactMap { $0 }
  }

  private static func bytes(_ subnet: Subnet) -> [UInt8] {
    let count = subnet.isIPv4 ? 4 : 16
    return (0..<count).map { UInt8(truncatingIfNeeded: subnet.base.bits >> UInt128(8 * (count - 1 - $0))) }
  }
}
