import CMnl
import Glibc

/// What nf_tables' notifications say that concerns us (linux/netfilter/nf_tables.h).
struct RulesetEvent: Equatable {
  /// A table, chain or rule that we need was changed, perhaps by ourselves.
  var touched = false
  /// The program that did it: `iptables (pid 812)`.
  var cause: String?
  var stopped = false

  /// Reads one datagram. The kernel ends each transaction with the number and name of the process that made it.
  mutating func read(_ bytes: borrowing Span<UInt8>, _ chains: Set<String>) {
    var touched = self.touched
    var cause = self.cause
    NetlinkReader.messages(bytes) { message in
      guard message.type >> 8 == UInt16(NFNL_SUBSYS_NFTABLES), message.payload.count >= 4 else { return }
      let family = Int32(bytes[message.payload.lowerBound])
      let attributes = message.payload.dropFirst(4)
      let kind = UInt32(message.type & 0xFF)
      if kind == NFT_MSG_NEWGEN.rawValue {
        if touched, cause == nil { cause = Self.process(bytes, attributes) }
        return
      }
      guard family == AF_INET || family == AF_INET6 || family == 1 else { return }
      switch kind {
      case NFT_MSG_DELTABLE.rawValue: touched = true
      case NFT_MSG_NEWCHAIN.rawValue, NFT_MSG_DELCHAIN.rawValue:
        if Self.names(bytes, attributes, Int(NFTA_CHAIN_NAME.rawValue), chains) { touched = true }
      case NFT_MSG_NEWRULE.rawValue, NFT_MSG_DELRULE.rawValue:
        if Self.names(bytes, attributes, Int(NFTA_RULE_CHAIN.rawValue), chains) { touched = true }
      default: break
      }
    }
    self.touched = touched
    self.cause = cause
  }

  /// Is the attribute `type` the name of one of `chains`? Tables are not told apart: a chain of the same name in another
  /// table costs one look.
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
