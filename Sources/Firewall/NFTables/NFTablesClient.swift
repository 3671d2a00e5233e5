import CMnl
import Glibc
import Model
import System

/// The kernel's nf_tables protocol: transactions, and what our table holds. The messages are those that `nft` sends.
struct NFTablesClient: ~Copyable {
  private var socket: NetlinkSocket

  init(faults: FaultInjector? = nil) throws(FirewallError) { socket = try NetlinkSocket(faults: faults) }

  /// By which notifications name what this client did.
  var port: UInt32 { socket.port }

  /// Is there nf_tables in this kernel, and may we speak to it?
  mutating func requireAccess() throws(FirewallError) {
    do {
      _ = try ask(NFT_MSG_GETGEN, isDump: false, { _ in }, (), { _, _, _, _ in })
    } catch  where error.code == .netlink {
      throw FirewallError(
        .kernelSupport, "the kernel has no nf_tables: load it with `modprobe nf_tables`, or use another backend")
    }
  }

  // MARK: Changes

  /// Carries out a transaction; when it is refused nothing has changed, and the error names the first message that is the
  /// reason.
  mutating func commit(_ transaction: consuming NFTablesTransaction) throws(FirewallError) {
    var transaction = transaction
    guard transaction.count > 0 else { return }
    guard let first = try answers(to: &transaction).filter({ $0.value != 0 }).min(by: { $0.key < $1.key }) else {
      return
    }
    throw Self.error(first.value)
  }

  /// Sends a batch and reads its answers: error codes by message number; 0 is the batch itself.
  private mutating func answers(to transaction: inout NFTablesTransaction) throws(FirewallError) -> [Int: Int32] {
    let bytes = transaction.complete()
    socket.reserveSending(bytes.count)
    try socket.send(bytes)
    var codes: [Int: Int32] = [:]
    let (first, count) = (transaction.sequence, transaction.count)
    while codes[count] == nil, codes[0] == nil {
      try socket.receive { bytes in Self.read(bytes, first, count, &codes) }
    }
    return codes
  }

  private static func read(
    _ bytes: borrowing Span<UInt8>, _ first: UInt32, _ count: Int, _ codes: inout [Int: Int32]
  ) {
    NetlinkReader.messages(bytes) { message in
      guard message.type == UInt16(NLMSG_ERROR), message.payload.count >= 4 else { return }
      let number = Int(message.sequence &- first)
      guard (0...count).contains(number) else { return }
      let code = -Int32(bitPattern: NetlinkReader.u32(bytes, message.payload.lowerBound))
      // Of two answers to one message the refusal counts.
      if codes[number, default: 0] == 0 { codes[number] = code }
    }
  }

  static func error(_ code: Int32) -> FirewallError {
    switch code {
    case EPERM, EACCES: .notPermitted()
    case ENOENT:
      FirewallError(
        .setMissing, "table inet \(NFTables.table) or a part of it is gone: it is made again by the next check")
    case ENFILE: FirewallError(.setFull, "the set is full: ban prefixes instead of single addresses")
    case EOPNOTSUPP: FirewallError(.kernelSupport, "the kernel's nf_tables does not know what is asked for")
    default: FirewallError(.netlink, "nf_tables refuses the change: \(SystemError.text(code))")
    }
  }

  // MARK: Questions

  struct Table: Equatable {
    var flags: UInt32 = 0
    var handle: UInt64 = 0
    /// The socket that owns it; nil: nobody.
    var owner: UInt32?
  }

  struct Chain: Hashable {
    var family: UInt8 = 0
    var table = ""
    var name = ""
    var handle: UInt64 = 0
    /// What packets it sees: `filter`, `nat`, `route`; nil: only those that jump to it.
    var type: String?
    var hook: UInt32 = 0
    var priority: Int32 = 0
    /// 1 is NF_ACCEPT.
    var policy: UInt32 = 1
  }

  struct SetHeader: Hashable {
    var name = ""
    var handle: UInt64 = 0
    var flags: UInt32 = 0
    var keyLength: UInt32 = 0
    var size: UInt32 = 0
  }

  mutating func table() throws(FirewallError) -> Table? {
    do {
      // swift-format-ignore: OnlyOneTrailingClosureArgument
      return try ask(
        NFT_MSG_GETTABLE, isDump: false, { $0.attribute(Int(NFTA_TABLE_NAME.rawValue), NFTables.tableBytes) },
        Table?.none
      ) { table, bytes, _, payload in
        var found = Table()
        NetlinkReader.attributes(bytes, in: payload) { type, value in
          switch type {
          case Int(NFTA_TABLE_FLAGS.rawValue): found.flags = NetlinkReader.number(bytes, value)
          case Int(NFTA_TABLE_HANDLE.rawValue): found.handle = Self.handle(bytes, value)
          case Int(NFTA_TABLE_OWNER.rawValue): found.owner = NetlinkReader.number(bytes, value)
          default: break
          }
        }
        table = found
      }
    } catch  where error.code == .setMissing {
      return nil
    }
  }

  /// The chains of all tables of all families.
  mutating func chains() throws(FirewallError) -> [Chain] {
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    try ask(NFT_MSG_GETCHAIN, family: UInt8(AF_UNSPEC), { _ in }, [Chain]()) { chains, bytes, family, payload in
      var chain = Chain()
      chain.family = family
      NetlinkReader.attributes(bytes, in: payload) { type, value in
        switch type {
        case Int(NFTA_CHAIN_TABLE.rawValue): chain.table = NetlinkReader.string(bytes, value)
        case Int(NFTA_CHAIN_NAME.rawValue): chain.name = NetlinkReader.string(bytes, value)
        case Int(NFTA_CHAIN_HANDLE.rawValue): chain.handle = Self.handle(bytes, value)
        case Int(NFTA_CHAIN_TYPE.rawValue): chain.type = NetlinkReader.string(bytes, value)
        case Int(NFTA_CHAIN_POLICY.rawValue): chain.policy = NetlinkReader.number(bytes, value)
        case Int(NFTA_CHAIN_HOOK.rawValue):
          NetlinkReader.attributes(bytes, in: value) { type, value in
            let number = NetlinkReader.number(bytes, value)
            if type == Int(NFTA_HOOK_HOOKNUM.rawValue) { chain.hook = number }
            if type == Int(NFTA_HOOK_PRIORITY.rawValue) { chain.priority = Int32(bitPattern: number) }
          }
        default: break
        }
      }
      chains.append(chain)
    }
  }

  /// Our table's rules by chain, in order; the kernel never uses a handle twice.
  mutating func ruleHandles() throws(FirewallError) -> [String: [UInt64]] {
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    try ask(
      NFT_MSG_GETRULE, { $0.attribute(Int(NFTA_RULE_TABLE.rawValue), NFTables.tableBytes) }, [String: [UInt64]]()
    ) { rules, bytes, _, payload in
      var table = ""
      var chain = ""
      var handle: UInt64 = 0
      NetlinkReader.attributes(bytes, in: payload) { type, value in
        switch type {
        case Int(NFTA_RULE_TABLE.rawValue): table = NetlinkReader.string(bytes, value)
        case Int(NFTA_RULE_CHAIN.rawValue): chain = NetlinkReader.string(bytes, value)
        case Int(NFTA_RULE_HANDLE.rawValue): handle = Self.handle(bytes, value)
        default: break
        }
      }
      if table == NFTables.table { rules[chain, default: []].append(handle) }
    }
  }

  mutating func sets() throws(FirewallError) -> [SetHeader] {
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    try ask(
      NFT_MSG_GETSET, { $0.attribute(Int(NFTA_SET_TABLE.rawValue), NFTables.tableBytes) }, [SetHeader]()
    ) { sets, bytes, _, payload in
      var set = SetHeader()
      var table = ""
      NetlinkReader.attributes(bytes, in: payload) { type, value in
        switch type {
        case Int(NFTA_SET_TABLE.rawValue): table = NetlinkReader.string(bytes, value)
        case Int(NFTA_SET_NAME.rawValue): set.name = NetlinkReader.string(bytes, value)
        case Int(NFTA_SET_HANDLE.rawValue): set.handle = Self.handle(bytes, value)
        case Int(NFTA_SET_FLAGS.rawValue): set.flags = NetlinkReader.number(bytes, value)
        case Int(NFTA_SET_KEY_LEN.rawValue): set.keyLength = NetlinkReader.number(bytes, value)
        case Int(NFTA_SET_DESC.rawValue):
          NetlinkReader.attributes(bytes, in: value) { type, value in
            if type == Int(NFTA_SET_DESC_SIZE.rawValue) { set.size = NetlinkReader.number(bytes, value) }
          }
        default: break
        }
      }
      if table == NFTables.table { sets.append(set) }
    }
  }

  /// What a set holds: the key, and the milliseconds that are left (nil: permanent). Elements whose time is over are left
  /// out.
  mutating func elements(of set: String) throws(FirewallError) -> [(key: Address, remaining: UInt64?)] {
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    try ask(
      NFT_MSG_GETSETELEM,
      {
        $0.attribute(Int(NFTA_SET_ELEM_LIST_TABLE.rawValue), NFTables.tableBytes)
        $0.attribute(Int(NFTA_SET_ELEM_LIST_SET.rawValue), Array(set.utf8))
      }, [(key: Address, remaining: UInt64?)]()
    ) { result, bytes, _, payload in
      NetlinkReader.attributes(bytes, in: payload) { type, list in
        guard type == Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue) else { return }
        NetlinkReader.attributes(bytes, in: list) { _, item in
          if let element = Self.element(bytes, item) { result.append(element) }
        }
      }
    }
  }

  private static func element(
    _ bytes: borrowing Span<UInt8>, _ item: Range<Int>
  ) -> (key: Address, remaining: UInt64?)? {
    var key: Address?
    var hasTimeout = false
    var remaining: UInt64 = 0
    NetlinkReader.attributes(bytes, in: item) { type, value in
      switch type {
      case Int(NFTA_SET_ELEM_KEY.rawValue):
        NetlinkReader.attributes(bytes, in: value) { _, value in key = NetlinkReader.address(bytes, value) }
      case Int(NFTA_SET_ELEM_TIMEOUT.rawValue): hasTimeout = true
      case Int(NFTA_SET_ELEM_EXPIRATION.rawValue): remaining = handle(bytes, value)
      default: break
      }
    }
    guard let key, !hasTimeout || remaining > 0 else { return nil }
    return (key, hasTimeout ? remaining : nil)
  }

  /// Our table's counters by name.
  mutating func counters() throws(FirewallError) -> [String: PacketCount] {
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    try ask(
      NFT_MSG_GETOBJ,
      {
        $0.attribute(Int(NFTA_OBJ_TABLE.rawValue), NFTables.tableBytes)
        $0.attribute(Int(NFTA_OBJ_TYPE.rawValue), bigEndian: UInt32(NFT_OBJECT_COUNTER))
      }, [String: PacketCount]()
    ) { counters, bytes, _, payload in
      var table = ""
      var name = ""
      var count = PacketCount()
      NetlinkReader.attributes(bytes, in: payload) { type, value in
        switch type {
        case Int(NFTA_OBJ_TABLE.rawValue): table = NetlinkReader.string(bytes, value)
        case Int(NFTA_OBJ_NAME.rawValue): name = NetlinkReader.string(bytes, value)
        case Int(NFTA_OBJ_DATA.rawValue):
          NetlinkReader.attributes(bytes, in: value) { type, value in
            if type == Int(NFTA_COUNTER_PACKETS.rawValue) { count.packets = Self.handle(bytes, value) }
            if type == Int(NFTA_COUNTER_BYTES.rawValue) { count.bytes = Self.handle(bytes, value) }
          }
        default: break
        }
      }
      if table == NFTables.table { counters[name] = count }
    }
  }

  private static func handle(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) -> UInt64 {
    NetlinkReader.bigEndian(bytes, value)
  }

  /// Asks, and hands the family and the attributes of each answer to `body`, which collects them in what begins as
  /// `initial`. A dump that the kernel says was interrupted by a change is made again.
  private mutating func ask<Result>(
    _ kind: nf_tables_msg_types, family: UInt8 = NFTables.family, isDump: Bool = true,
    _ attributes: (inout NetlinkWriter) -> Void, _ initial: Result,
    _ body: (inout Result, borrowing Span<UInt8>, UInt8, Range<Int>) -> Void
  ) throws(FirewallError) -> Result {
    for _ in 0..<50 {
      let sequence = NFTablesTransaction.freshSequence()
      var writer = NetlinkWriter()
      writer.begin(
        type: UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(kind.rawValue),
        flags: NLM_F_REQUEST | (isDump ? NLM_F_DUMP : NLM_F_ACK), sequence: sequence, family: family)
      attributes(&writer)
      writer.end()
      try socket.send(writer.bytes)
      var result = initial
      let (code, isWhole) = try answer(sequence) { body(&result, $0, $1, $2) }
      if code == 0, isWhole { return result }
      if code != 0, code != EINTR { throw Self.error(code) }
    }
    throw FirewallError(.netlink, "nf_tables is changed faster than it can be read")
  }

  /// Reads to the end of an answer; returns its error code, and whether nothing changed meanwhile.
  private mutating func answer(
    _ sequence: UInt32, _ body: (borrowing Span<UInt8>, UInt8, Range<Int>) -> Void
  ) throws(FirewallError) -> (code: Int32, isWhole: Bool) {
    var end: Int32?
    var isWhole = true
    while end == nil {
      try socket.receive { bytes in
        NetlinkReader.messages(bytes) { message in
          guard message.sequence == sequence else { return }
          if Int32(message.flags) & NLM_F_DUMP_INTR != 0 { isWhole = false }
          let payload = message.payload
          switch Int32(message.type) {
          case NLMSG_DONE, NLMSG_ERROR:
            end = NetlinkReader.code(bytes, payload)
          case _ where message.type >> 8 == UInt16(NFNL_SUBSYS_NFTABLES) && payload.count >= 4:
            body(bytes, bytes[payload.lowerBound], payload.dropFirst(4))
          default: break
          }
        }
      }
    }
    return (end ?? 0, isWhole)
  }
}
