import CMnl
import Model
import Synchronization

/// Changes to the ruleset that the kernel makes all at once, or not at all.
///
/// ```swift
/// var transaction = NFTablesTransaction()
/// transaction.addTable(flags: 0)
/// transaction.addRule(chain: "jail-sshd", [.payload(…), .contained(set: "ban-sshd-4-32"), .drop])
/// try client.commit(transaction)
/// ```
struct NFTablesTransaction {
  /// How many elements fit into one message: an attribute has at most 65,535 bytes, an IPv6 element with its end 40.
  static let elementsInMessage = 1500

  private(set) var writer = NetlinkWriter()
  /// How many messages there are between the begin and the end of the batch.
  private(set) var count = 0
  private(set) var isComplete = false
  /// Of the batch's begin; the messages have those that follow.
  let sequence: UInt32

  private static let epoch = Atomic<UInt32>(0)

  /// Numbers that no earlier request had: an answer that comes late is not taken for another's.
  static func freshSequence() -> UInt32 { epoch.add(1, ordering: .relaxed).newValue << 20 }

  init() {
    sequence = Self.freshSequence()
    begin(UInt16(NFNL_MSG_BATCH_BEGIN))
    writer.end()
  }

  private mutating func begin(_ type: UInt16) {
    writer.begin(
      type: type, flags: NLM_F_REQUEST, sequence: sequence &+ UInt32(count), resource: UInt16(NFNL_SUBSYS_NFTABLES))
  }

  mutating func message(_ kind: nf_tables_msg_types, flags: Int32 = 0, _ body: (inout NetlinkWriter) -> Void) {
    count += 1
    // Acknowledged, each of them: an answer to the last one says that all were looked at.
    writer.begin(
      type: UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(kind.rawValue), flags: NLM_F_REQUEST | NLM_F_ACK | flags,
      sequence: sequence &+ UInt32(count), family: NFTables.family)
    body(&writer)
    writer.end()
  }

  /// The bytes to be sent.
  mutating func complete() -> [UInt8] {
    if !isComplete {
      isComplete = true
      count += 1
      begin(UInt16(NFNL_MSG_BATCH_END))
      writer.end()
      count -= 1
    }
    return writer.bytes
  }
}

/// Our table, and how its parts are made and removed.
enum NFTables {
  /// IPv4 and IPv6 in one (`NFPROTO_INET`).
  static let family: UInt8 = 1
  static let table = "bailiff"
  static let tableBytes = Array(table.utf8)
  /// `NFT_TABLE_F_OWNER`: only the socket that made it may change it. Kernel 5.12.
  static let owner: UInt32 = 2
  /// `NFT_TABLE_F_PERSIST`: it stays when that socket is closed, and the next may own it. Kernel 6.9.
  static let persist: UInt32 = 4
  /// `NFT_TABLE_F_DORMANT`: its hooks are off.
  static let dormant: UInt32 = 1
  /// The flags of a set whose elements end by themselves.
  static let timeouts = NFT_SET_TIMEOUT.rawValue
  /// What `nft list table` shows.
  static let comment = "Bailiff's bans: `bailiff firewall show` explains, `bailiff firewall clear` removes"
}

extension NFTablesTransaction {
  mutating func addTable(flags: UInt32) {
    message(NFT_MSG_NEWTABLE, flags: NLM_F_CREATE) { message in
      message.attribute(Int(NFTA_TABLE_NAME.rawValue), NFTables.tableBytes)
      message.attribute(Int(NFTA_TABLE_FLAGS.rawValue), bigEndian: flags)
      // As `nft` keeps a comment: type 0, length, text with its NUL.
      let text = Array(NFTables.comment.utf8) + [0]
      message.attribute(Int(NFTA_TABLE_USERDATA.rawValue), raw: [0, UInt8(text.count)] + text)
    }
  }

  mutating func deleteTable() {
    message(NFT_MSG_DELTABLE) { $0.attribute(Int(NFTA_TABLE_NAME.rawValue), NFTables.tableBytes) }
  }

  /// A chain that others jump to.
  mutating func addChain(_ name: String) {
    message(NFT_MSG_NEWCHAIN, flags: NLM_F_CREATE) { message in
      message.attribute(Int(NFTA_CHAIN_TABLE.rawValue), NFTables.tableBytes)
      message.attribute(Int(NFTA_CHAIN_NAME.rawValue), Array(name.utf8))
    }
  }

  /// A chain that the kernel hands packets to, at `hook` (`NF_INET_PRE_ROUTING` …).
  mutating func addChain(_ name: String, hook: UInt32, priority: Int32) {
    message(NFT_MSG_NEWCHAIN, flags: NLM_F_CREATE) { message in
      message.attribute(Int(NFTA_CHAIN_TABLE.rawValue), NFTables.tableBytes)
      message.attribute(Int(NFTA_CHAIN_NAME.rawValue), Array(name.utf8))
      message.nested(Int(NFTA_CHAIN_HOOK.rawValue)) { nested in
        nested.attribute(Int(NFTA_HOOK_HOOKNUM.rawValue), bigEndian: hook)
        nested.attribute(Int(NFTA_HOOK_PRIORITY.rawValue), bigEndian: UInt32(bitPattern: priority))
      }
      // NF_ACCEPT
      message.attribute(Int(NFTA_CHAIN_POLICY.rawValue), bigEndian: UInt32(1))
      message.attribute(Int(NFTA_CHAIN_TYPE.rawValue), Array("filter".utf8))
    }
  }

  mutating func deleteChain(_ name: String) {
    message(NFT_MSG_DELCHAIN) { message in
      message.attribute(Int(NFTA_CHAIN_TABLE.rawValue), NFTables.tableBytes)
      message.attribute(Int(NFTA_CHAIN_NAME.rawValue), Array(name.utf8))
    }
  }

  /// Removes all rules of a chain.
  mutating func flushChain(_ name: String) {
    message(NFT_MSG_DELRULE) { message in
      message.attribute(Int(NFTA_RULE_TABLE.rawValue), NFTables.tableBytes)
      message.attribute(Int(NFTA_RULE_CHAIN.rawValue), Array(name.utf8))
    }
  }

  /// Appends a rule to a chain.
  mutating func addRule(_ chain: String, _ expressions: [NFTablesExpression]) {
    message(NFT_MSG_NEWRULE, flags: NLM_F_CREATE | NLM_F_APPEND) { message in
      message.attribute(Int(NFTA_RULE_TABLE.rawValue), NFTables.tableBytes)
      message.attribute(Int(NFTA_RULE_CHAIN.rawValue), Array(chain.utf8))
      message.nested(Int(NFTA_RULE_EXPRESSIONS.rawValue)) { list in
        for expression in expressions { expression.write(to: &list) }
      }
    }
  }

  mutating func addCounter(_ name: String) {
    message(NFT_MSG_NEWOBJ, flags: NLM_F_CREATE) { message in
      message.attribute(Int(NFTA_OBJ_TABLE.rawValue), NFTables.tableBytes)
      message.attribute(Int(NFTA_OBJ_NAME.rawValue), Array(name.utf8))
      message.attribute(Int(NFTA_OBJ_TYPE.rawValue), bigEndian: UInt32(NFT_OBJECT_COUNTER))
      message.nested(Int(NFTA_OBJ_DATA.rawValue)) { _ in }
    }
  }

  mutating func deleteCounter(_ name: String) {
    message(NFT_MSG_DELOBJ) { message in
      message.attribute(Int(NFTA_OBJ_TABLE.rawValue), NFTables.tableBytes)
      message.attribute(Int(NFTA_OBJ_NAME.rawValue), Array(name.utf8))
      message.attribute(Int(NFTA_OBJ_TYPE.rawValue), bigEndian: UInt32(NFT_OBJECT_COUNTER))
    }
  }

  /// A hash set of addresses whose elements end by themselves.
  mutating func addSet(_ name: String, isIPv4: Bool, size: UInt32) {
    message(NFT_MSG_NEWSET, flags: NLM_F_CREATE) { message in
      message.attribute(Int(NFTA_SET_TABLE.rawValue), NFTables.tableBytes)
      message.attribute(Int(NFTA_SET_NAME.rawValue), Array(name.utf8))
      message.attribute(Int(NFTA_SET_FLAGS.rawValue), bigEndian: NFTables.timeouts)
      // What `nft` calls ipv4_addr and ipv6_addr.
      message.attribute(Int(NFTA_SET_KEY_TYPE.rawValue), bigEndian: UInt32(isIPv4 ? 7 : 8))
      message.attribute(Int(NFTA_SET_KEY_LEN.rawValue), bigEndian: UInt32(isIPv4 ? 4 : 16))
      message.attribute(Int(NFTA_SET_ID.rawValue), bigEndian: UInt32(1))
      message.nested(Int(NFTA_SET_DESC.rawValue)) { description in
        description.attribute(Int(NFTA_SET_DESC_SIZE.rawValue), bigEndian: size)
      }
    }
  }

  /// A set that rules fill, each element with a state of its own.
  mutating func addMeter(_ name: String, isIPv4: Bool, size: UInt32, milliseconds: Int) {
    message(NFT_MSG_NEWSET, flags: NLM_F_CREATE) { message in
      message.attribute(Int(NFTA_SET_TABLE.rawValue), NFTables.tableBytes)
      message.attribute(Int(NFTA_SET_NAME.rawValue), Array(name.utf8))
      message.attribute(Int(NFTA_SET_FLAGS.rawValue), bigEndian: NFTables.timeouts | NFT_SET_EVAL.rawValue)
      message.attribute(Int(NFTA_SET_KEY_TYPE.rawValue), bigEndian: UInt32(isIPv4 ? 7 : 8))
      message.attribute(Int(NFTA_SET_KEY_LEN.rawValue), bigEndian: UInt32(isIPv4 ? 4 : 16))
      message.attribute(Int(NFTA_SET_ID.rawValue), bigEndian: UInt32(1))
      message.attribute(Int(NFTA_SET_TIMEOUT.rawValue), bigEndian: UInt64(milliseconds))
      message.nested(Int(NFTA_SET_DESC.rawValue)) { description in
        description.attribute(Int(NFTA_SET_DESC_SIZE.rawValue), bigEndian: size)
      }
    }
  }

  mutating func deleteSet(_ name: String) {
    message(NFT_MSG_DELSET) { message in
      message.attribute(Int(NFTA_SET_TABLE.rawValue), NFTables.tableBytes)
      message.attribute(Int(NFTA_SET_NAME.rawValue), Array(name.utf8))
    }
  }

  struct Element {
    /// The first address of the block.
    var key: Address
    /// Milliseconds; 0: permanent.
    var timeout: UInt64
  }

  /// Adds elements. One that is there keeps its end.
  mutating func addElements(_ elements: some Collection<Element>, to set: String, isIPv4: Bool) {
    send(NFT_MSG_NEWSETELEM, NLM_F_CREATE, elements, set, isIPv4)
  }

  /// Removes elements; one that is not there undoes the transaction.
  mutating func deleteElements(_ elements: some Collection<Element>, from set: String, isIPv4: Bool) {
    send(NFT_MSG_DELSETELEM, 0, elements.lazy.map { Element(key: $0.key, timeout: 0) }, set, isIPv4)
  }

  private mutating func send(
    _ kind: nf_tables_msg_types, _ flags: Int32, _ elements: some Collection<Element>, _ set: String, _ isIPv4: Bool
  ) {
    var rest = elements[...]
    while !rest.isEmpty {
      let part = rest.prefix(Self.elementsInMessage)
      rest = rest.dropFirst(Self.elementsInMessage)
      message(kind, flags: flags) { message in
        message.attribute(Int(NFTA_SET_ELEM_LIST_TABLE.rawValue), NFTables.tableBytes)
        message.attribute(Int(NFTA_SET_ELEM_LIST_SET.rawValue), Array(set.utf8))
        message.nested(Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)) { list in
          for element in part { Self.write(element, isIPv4, to: &list) }
        }
      }
    }
  }

  private static func write(_ element: Element, _ isIPv4: Bool, to list: inout NetlinkWriter) {
    list.nested(Int(NFTA_LIST_ELEM.rawValue)) { item in
      item.nested(Int(NFTA_SET_ELEM_KEY.rawValue)) { key in
        key.attribute(Int(NFTA_DATA_VALUE.rawValue), element.key, isIPv4: isIPv4)
      }
      if element.timeout > 0 {
        item.attribute(Int(NFTA_SET_ELEM_TIMEOUT.rawValue), bigEndian: element.timeout)
      }
    }
  }
}
