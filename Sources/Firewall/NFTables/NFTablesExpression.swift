import CMnl

/// One step of a rule (linux/netfilter/nf_tables.h). Steps load something into the first register, or test what is there;
/// the first test that fails ends the rule.
enum NFTablesExpression: Hashable {
  /// What the packet is: its family (`NFT_META_NFPROTO`) or its transport protocol (`NFT_META_L4PROTO`).
  case meta(nft_meta_keys)
  /// `length` bytes at `offset` of the packet's network or transport header.
  case payload(nft_payload_bases, offset: UInt32, length: UInt32)
  /// Keeps the bits that are set in the mask.
  case mask([UInt8])
  /// Of the connection that the packet belongs to; a packet without one ends the rule.
  case connection(nft_ct_keys, original: Bool = false)
  case equals([UInt8])
  case differs([UInt8])
  case between([UInt8], [UInt8])
  case contained(set: String)
  /// Counts the packet in the named counter.
  case count(String)
  /// Counts the packet in the rule.
  case countHere
  /// Goes on while no more than `rate` packets came in a time of so many seconds, and `burst` at once.
  case limit(rate: Int, seconds: Int, burst: Int)
  /// The same for each value of the register by itself, which `set` remembers for so many milliseconds; goes on where the
  /// limit is exceeded.
  case meter(set: String, rate: Int, seconds: Int, burst: Int, milliseconds: Int)
  /// Goes on while everybody together exceeds the limit.
  case exceeds(rate: Int, seconds: Int, burst: Int)
  /// What kind of address the packet's destination is (`RTN_LOCAL` …).
  case destinationType
  /// Writes the packet to the kernel's log.
  case log(prefix: String)
  case accept
  case drop
  /// An ICMP "port unreachable", of either family.
  case reject
  /// Ends this chain, not the packet's way.
  case `return`
  case jump(String)
  case `goto`(String)

  private static let register = NFT_REG_1.rawValue

  func write(to list: inout NetlinkWriter) {
    let (name, body) = encoding
    list.nested(Int(NFTA_LIST_ELEM.rawValue)) { item in
      item.attribute(Int(NFTA_EXPR_NAME.rawValue), Array(name.utf8))
      item.nested(Int(NFTA_EXPR_DATA.rawValue)) { body(&$0) }
    }
  }

  private var encoding: (String, (inout NetlinkWriter) -> Void) {
    switch self {
    case .meta(let key):
      (
        "meta",
        {
          $0.attribute(Int(NFTA_META_KEY.rawValue), bigEndian: key.rawValue)
          $0.attribute(Int(NFTA_META_DREG.rawValue), bigEndian: Self.register)
        }
      )
    case .payload(let base, let offset, let length):
      (
        "payload",
        {
          $0.attribute(Int(NFTA_PAYLOAD_DREG.rawValue), bigEndian: Self.register)
          $0.attribute(Int(NFTA_PAYLOAD_BASE.rawValue), bigEndian: base.rawValue)
          $0.attribute(Int(NFTA_PAYLOAD_OFFSET.rawValue), bigEndian: offset)
          $0.attribute(Int(NFTA_PAYLOAD_LEN.rawValue), bigEndian: length)
        }
      )
    case .mask(let mask): ("bitwise", { Self.mask(mask, &$0) })
    case .connection(let key, let original):
      (
        "ct",
        {
          $0.attribute(Int(NFTA_CT_DREG.rawValue), bigEndian: Self.register)
          $0.attribute(Int(NFTA_CT_KEY.rawValue), bigEndian: key.rawValue)
          // 0 is IP_CT_DIR_ORIGINAL.
          if original { $0.attribute(Int(NFTA_CT_DIRECTION.rawValue), UInt8(0)) }
        }
      )
    case .equals(let value): ("cmp", { Self.compare(NFT_CMP_EQ, value, &$0) })
    case .differs(let value): ("cmp", { Self.compare(NFT_CMP_NEQ, value, &$0) })
    case .between(let first, let last):
      (
        "range",
        {
          $0.attribute(Int(NFTA_RANGE_SREG.rawValue), bigEndian: Self.register)
          $0.attribute(Int(NFTA_RANGE_OP.rawValue), bigEndian: NFT_RANGE_EQ.rawValue)
          $0.nested(Int(NFTA_RANGE_FROM_DATA.rawValue)) { Self.value(first, &$0) }
          $0.nested(Int(NFTA_RANGE_TO_DATA.rawValue)) { Self.value(last, &$0) }
        }
      )
    case .contained(let set):
      (
        "lookup",
        {
          $0.attribute(Int(NFTA_LOOKUP_SET.rawValue), Array(set.utf8))
          $0.attribute(Int(NFTA_LOOKUP_SREG.rawValue), bigEndian: Self.register)
        }
      )
    case .count(let counter):
      (
        "objref",
        {
          $0.attribute(Int(NFTA_OBJREF_IMM_TYPE.rawValue), bigEndian: UInt32(NFT_OBJECT_COUNTER))
          $0.attribute(Int(NFTA_OBJREF_IMM_NAME.rawValue), Array(counter.utf8))
        }
      )
    case .countHere: ("counter", { _ in })
    case .limit(let rate, let seconds, let burst):
      ("limit", { Self.limit(rate, seconds, burst, isExceeded: false, &$0) })
    case .exceeds(let rate, let seconds, let burst):
      ("limit", { Self.limit(rate, seconds, burst, isExceeded: true, &$0) })
    case .meter(let set, let rate, let seconds, let burst, let milliseconds):
      (
        "dynset",
        {
          $0.attribute(Int(NFTA_DYNSET_SET_NAME.rawValue), Array(set.utf8))
          $0.attribute(Int(NFTA_DYNSET_OP.rawValue), bigEndian: UInt32(NFT_DYNSET_OP_UPDATE.rawValue))
          $0.attribute(Int(NFTA_DYNSET_SREG_KEY.rawValue), bigEndian: Self.register)
          $0.attribute(Int(NFTA_DYNSET_TIMEOUT.rawValue), bigEndian: UInt64(milliseconds))
          $0.nested(Int(NFTA_DYNSET_EXPR.rawValue)) { inner in
            inner.attribute(Int(NFTA_EXPR_NAME.rawValue), Array("limit".utf8))
            inner.nested(Int(NFTA_EXPR_DATA.rawValue)) { Self.limit(rate, seconds, burst, isExceeded: true, &$0) }
          }
        }
      )
    case .destinationType:
      (
        "fib",
        {
          $0.attribute(Int(NFTA_FIB_DREG.rawValue), bigEndian: Self.register)
          $0.attribute(Int(NFTA_FIB_RESULT.rawValue), bigEndian: NFT_FIB_RESULT_ADDRTYPE.rawValue)
          $0.attribute(Int(NFTA_FIB_FLAGS.rawValue), bigEndian: NFTA_FIB_F_DADDR.rawValue)
        }
      )
    case .log(let prefix): ("log", { $0.attribute(Int(NFTA_LOG_PREFIX.rawValue), Array(prefix.utf8)) })
    case .accept: ("immediate", { Self.verdict(1, nil, &$0) })
    case .drop: ("immediate", { Self.verdict(0, nil, &$0) })
    case .reject:
      (
        "reject",
        {
          $0.attribute(Int(NFTA_REJECT_TYPE.rawValue), bigEndian: NFT_REJECT_ICMPX_UNREACH.rawValue)
          $0.attribute(Int(NFTA_REJECT_ICMP_CODE.rawValue), UInt8(NFT_REJECT_ICMPX_PORT_UNREACH.rawValue))
        }
      )
    case .return: ("immediate", { Self.verdict(NFT_RETURN.rawValue, nil, &$0) })
    case .jump(let chain): ("immediate", { Self.verdict(NFT_JUMP.rawValue, chain, &$0) })
    case .goto(let chain): ("immediate", { Self.verdict(NFT_GOTO.rawValue, chain, &$0) })
    }
  }

  private static func limit(
    _ rate: Int, _ seconds: Int, _ burst: Int, isExceeded: Bool, _ writer: inout NetlinkWriter
  ) {
    writer.attribute(Int(NFTA_LIMIT_RATE.rawValue), bigEndian: UInt64(rate))
    writer.attribute(Int(NFTA_LIMIT_UNIT.rawValue), bigEndian: UInt64(seconds))
    writer.attribute(Int(NFTA_LIMIT_BURST.rawValue), bigEndian: UInt32(burst))
    writer.attribute(Int(NFTA_LIMIT_TYPE.rawValue), bigEndian: NFT_LIMIT_PKTS.rawValue)
    writer.attribute(Int(NFTA_LIMIT_FLAGS.rawValue), bigEndian: isExceeded ? NFT_LIMIT_F_INV.rawValue : 0)
  }

  private static func value(_ bytes: [UInt8], _ writer: inout NetlinkWriter) {
    writer.attribute(Int(NFTA_DATA_VALUE.rawValue), raw: bytes)
  }

  private static func compare(_ operation: nft_cmp_ops, _ bytes: [UInt8], _ writer: inout NetlinkWriter) {
    writer.attribute(Int(NFTA_CMP_SREG.rawValue), bigEndian: register)
    writer.attribute(Int(NFTA_CMP_OP.rawValue), bigEndian: operation.rawValue)
    writer.nested(Int(NFTA_CMP_DATA.rawValue)) { value(bytes, &$0) }
  }

  private static func mask(_ mask: [UInt8], _ writer: inout NetlinkWriter) {
    writer.attribute(Int(NFTA_BITWISE_SREG.rawValue), bigEndian: register)
    writer.attribute(Int(NFTA_BITWISE_DREG.rawValue), bigEndian: register)
    writer.attribute(Int(NFTA_BITWISE_LEN.rawValue), bigEndian: UInt32(mask.count))
    writer.nested(Int(NFTA_BITWISE_MASK.rawValue)) { value(mask, &$0) }
    writer.nested(Int(NFTA_BITWISE_XOR.rawValue)) { value([UInt8](repeating: 0, count: mask.count), &$0) }
  }

  /// `code` is NF_DROP, NF_ACCEPT or one of `nft_verdicts`.
  private static func verdict(_ code: Int32, _ chain: String?, _ writer: inout NetlinkWriter) {
    writer.attribute(Int(NFTA_IMMEDIATE_DREG.rawValue), bigEndian: NFT_REG_VERDICT.rawValue)
    writer.nested(Int(NFTA_IMMEDIATE_DATA.rawValue)) { data in
      data.nested(Int(NFTA_DATA_VERDICT.rawValue)) { verdict in
        verdict.attribute(Int(NFTA_VERDICT_CODE.rawValue), bigEndian: UInt32(bitPattern: code))
        if let chain { verdict.attribute(Int(NFTA_VERDICT_CHAIN.rawValue), Array(chain.utf8)) }
      }
    }
  }
}
