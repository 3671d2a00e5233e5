import CMnl
import Glibc

/// What nf_tables' notifications say that concerns us (linux/netfilter/nf_tables.h).
struct RulesetEvent: Equatable {
  /// A table, chain or rule that we need was changed, perhaps by ourselves.
  var touched = false
  /// Somebody else changed our own table.
  var ownTableChanged = false
  /// The program that did it: `iptables (pid 812)`.
  var cause: String?
  var stopped = false

  /// Reads one datagram. The kernel ends each transaction with the number and name of the process that made it.
  mutating func read(_ bytes: borrowing Span<UInt8>, _ watch: RulesetWatch) {
    var event = self
    NetlinkReader.messages(bytes) { message in
      guard message.type >> 8 == UInt16(NFNL_SUBSYS_NFTABLES), message.payload.count >= 4 else { return }
      let attributes = message.payload.dropFirst(4)
      let kind = UInt32(message.type & 0xFF)
      if kind == NFT_MSG_NEWGEN.rawValue {
        if event.touched, event.cause == nil { event.cause = Self.process(bytes, attributes) }
        return
      }
      let family = bytes[message.payload.lowerBound]
      if let own = watch.ownPort, own != message.port, family == NFTables.family,
        Self.names(bytes, attributes, Int(NFTA_TABLE_NAME.rawValue), [NFTables.table])
      {
        event.touched = true
        event.ownTableChanged = true
      }
      guard !watch.chains.isEmpty, [AF_INET, AF_INET6, Int32(NFTables.family)].contains(Int32(family)) else { return }
      switch kind {
      case NFT_MSG_DELTABLE.rawValue: event.touched = true
      case NFT_MSG_NEWCHAIN.rawValue, NFT_MSG_DELCHAIN.rawValue:
        if Self.names(bytes, attributes, Int(NFTA_CHAIN_NAME.rawValue), watch.chains) { event.touched = true }
      case NFT_MSG_NEWRULE.rawValue, NFT_MSG_DELRULE.rawValue:
        if Self.names(bytes, attributes, Int(NFTA_RULE_CHAIN.rawValue), watch.chains) { event.touched = true }
      default: break
      }
    }
    self = event
  }

  /// Is the attribute `type` the name of one of `chains`? The first attribute of every message is the
  /// name of its table; chains of other tables are not told apart, one of the same name costs a look.
  private static func names(
    _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ type: Int, _ chains: Set<String>
  ) -> Bool {
    var found = false
    NetlinkReader.attributes(bytes, in: range) { kind, value in
      if kind == type, chains.contains(NetlinkReader.string(bytes, value)) { found = true }
    }
    return found
  }

  private static func process(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> String? {
    var name: String?
    var pid: UInt32?
    NetlinkReader.attributes(bytes, in: range) { kind, value in
      switch kind {
      case Int(NFTA_GEN_PROC_NAME.rawValue): name = NetlinkReader.string(bytes, value)
      case Int(NFTA_GEN_PROC_PID.rawValue) where value.count == 4: pid = UInt32(NetlinkReader.bigEndian(bytes, value))
      default: break
      }
    }
    guard let name, let pid else { return nil }
    return "\(name) (pid \(pid))"
  }
}
