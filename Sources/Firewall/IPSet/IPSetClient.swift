import CMnl
import Glibc
import Model
import System

/// The kernel's ipset protocol: adding and removing entries in batches, and reading sets.
///
/// The messages are those that `ipset` itself sends (linux/netfilter/ipset/ip_set.h); protocol 6 is what every kernel since
/// 2.6.39 takes.
struct IPSetClient: ~Copyable {
  /// How many messages go in one sendmsg. More is no faster, and the answers must fit the socket's buffer.
  static let batch = 1000

  private var socket: NetlinkSocket
  private var writer = NetlinkWriter()
  private var sequence: UInt32 = 1

  init(faults: FaultInjector? = nil) throws(FirewallError) {
    socket = try NetlinkSocket(faults: faults)
    writer.reserve(Self.batch * 128)
  }

  struct Entry {
    var add: Bool
    var set: [UInt8]
    var subnet: Subnet
    /// Seconds; 0: never ends.
    var timeout: UInt32 = 0
  }

  struct Header: Equatable {
    var name = ""
    var type = ""
    var family: UInt8 = 0
    var hasTimeout = false
    var maxElements: UInt32 = 0
    var elements = 0
  }

  /// Is there an ipset in this kernel, and may we speak to it?
  mutating func requireAccess() throws(FirewallError) {
    writer.removeAll()
    begin(IPSET_CMD_PROTOCOL, flags: NLM_F_REQUEST | NLM_F_ACK)
    writer.end()
    try socket.send(writer.bytes)
    var code: Int32 = 0
    let wanted = sequence
    try answers(last: wanted) { number, answer in if number == wanted { code = answer } }
    guard code != 0 else { return }
    if code == EPERM || code == EACCES { throw .notPermitted() }
    throw FirewallError(
      .kernelSupport,
      "the kernel has no ipset (\(SystemError.text(code))): load it with `modprobe ip_set`, or use the dry-run backend")
  }

  /// Carries out `entries` in order. The result has the kernel's error code for each, 0 when it was done. Adding what is
  /// there sets its timeout; removing what is not there is done already (both because NLM_F_EXCL is not set).
  mutating func apply(_ entries: [Entry]) throws(FirewallError) -> [Int32] {
    var codes = [Int32](repeating: 0, count: entries.count)
    var start = 0
    while start < entries.count {
      let end = min(start + Self.batch, entries.count)
      do {
        try send(entries, start..<end, &codes)
      } catch {
        // Which of them were done is not known; done again, one at a time, each has an answer of its own.
        for i in start..<end { try send(entries, i..<(i + 1), &codes) }
      }
      start = end
    }
    return codes
  }

  private mutating func send(_ entries: [Entry], _ range: Range<Int>, _ codes: inout [Int32]) throws(FirewallError) {
    writer.removeAll()
    let first = sequence &+ 1
    for i in range {
      let entry = entries[i]
      let last = i == range.upperBound - 1
      begin(entry.add ? IPSET_CMD_ADD : IPSET_CMD_DEL, flags: last ? NLM_F_REQUEST | NLM_F_ACK : NLM_F_REQUEST)
      writer.attribute(IPSET_ATTR_SETNAME, entry.set)
      writer.nested(IPSET_ATTR_DATA) { data in
        data.nested(IPSET_ATTR_IP) { ip in
          let isIPv4 = entry.subnet.isIPv4
          ip.attribute(
            isIPv4 ? IPSET_ATTR_IPADDR_IPV4 : IPSET_ATTR_IPADDR_IPV6, entry.subnet.base, isIPv4: isIPv4)
        }
        data.attribute(IPSET_ATTR_CIDR, entry.subnet.prefixLength)
        if entry.add { data.attribute(IPSET_ATTR_TIMEOUT, bigEndian: entry.timeout) }
      }
      writer.end()
    }
    try socket.send(writer.bytes)
    try answers(last: sequence) { number, code in
      let i = range.lowerBound + Int(number &- first)
      if range.contains(i) { codes[i] = code }
    }
  }

  private mutating func begin(_ command: ipset_cmd, flags: Int32) {
    sequence &+= 1
    writer.begin(
      type: UInt16(NFNL_SUBSYS_IPSET) << 8 | UInt16(command.rawValue), flags: flags, sequence: sequence,
      family: UInt8(AF_INET))
    writer.attribute(IPSET_ATTR_PROTOCOL, UInt8(IPSET_PROTOCOL_MIN))
  }

  /// Reads until the message numbered `last` is answered; `body` is given the number and the code of each answer.
  private mutating func answers(last: UInt32, _ body: (UInt32, Int32) -> Void) throws(FirewallError) {
    var done = false
    while !done {
      try socket.receive { bytes in
        NetlinkReader.messages(bytes) { message in
          guard message.type == UInt16(NLMSG_ERROR), message.payload.count >= 4 else { return }
          // What is left over from a call that failed half-way has another number.
          body(message.sequence, -Int32(bitPattern: NetlinkReader.u32(bytes, message.payload.lowerBound)))
          if message.sequence == last { done = true }
        }
      }
    }
  }

  /// The headers of all sets in this namespace, ours and others'. Counting entries walks through every set.
  mutating func headers() throws(FirewallError) -> [Header] {
    var headers: [Header] = []
    try dump(set: nil, headersOnly: true) { bytes, payload in headers.append(Self.header(bytes, payload)) }
    return headers
  }

  /// One set's header; nil when there is no such set.
  mutating func header(of set: String) throws(FirewallError) -> Header? {
    var header: Header?
    do {
      try dump(set: set, headersOnly: true) { bytes, payload in header = Self.header(bytes, payload) }
    } catch  where error.code == .setMissing {
      return nil
    }
    return header
  }

  private static func header(_ bytes: borrowing Span<UInt8>, _ payload: Range<Int>) -> Header {
    var header = Header()
    NetlinkReader.attributes(bytes, in: payload) { type, value in
      switch type {
      case IPSET_ATTR_SETNAME: header.name = NetlinkReader.string(bytes, value)
      case IPSET_ATTR_TYPENAME: header.type = NetlinkReader.string(bytes, value)
      case IPSET_ATTR_FAMILY where value.count == 1: header.family = bytes[value.lowerBound]
      case IPSET_ATTR_DATA:
        NetlinkReader.attributes(bytes, in: value) { type, value in
          let number = value.count == 4 ? UInt32(NetlinkReader.bigEndian(bytes, value)) : 0
          switch type {
          case IPSET_ATTR_TIMEOUT: header.hasTimeout = true
          case IPSET_ATTR_MAXELEM: header.maxElements = number
          case IPSET_ATTR_ELEMENTS: header.elements = Int(number)
          default: break
          }
        }
      default: break
      }
    }
    return header
  }

  /// What a set holds, and how many seconds each entry has left (0: permanent).
  mutating func entries(of set: String) throws(FirewallError) -> [(subnet: Subnet, timeout: UInt32)] {
    var result: [(subnet: Subnet, timeout: UInt32)] = []
    try dump(set: set, headersOnly: false) { bytes, payload in
      NetlinkReader.attributes(bytes, in: payload) { type, list in
        guard type == IPSET_ATTR_ADT else { return }
        NetlinkReader.attributes(bytes, in: list) { _, entry in
          if let value = Self.entry(bytes, entry) { result.append(value) }
        }
      }
    }
    return result
  }

  private static func entry(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> (subnet: Subnet, timeout: UInt32)? {
    var address: Address?
    var prefix: UInt8?
    var timeout: UInt32 = 0
    NetlinkReader.attributes(bytes, in: range) { type, value in
      switch type {
      case IPSET_ATTR_IP:
        NetlinkReader.attributes(bytes, in: value) { _, value in address = NetlinkReader.address(bytes, value) }
      case IPSET_ATTR_CIDR where value.count == 1: prefix = bytes[value.lowerBound]
      case IPSET_ATTR_TIMEOUT where value.count == 4: timeout = UInt32(NetlinkReader.bigEndian(bytes, value))
      default: break
      }
    }
    return address.map { (Subnet($0, ipv4Prefix: prefix ?? 32, ipv6Prefix: prefix ?? 128), timeout) }
  }

  /// Hands the attributes of each answer to `body`. A set that does not exist is an error; so is a dump that breaks off.
  private mutating func dump(
    set: String?, headersOnly: Bool, _ body: (borrowing Span<UInt8>, Range<Int>) -> Void
  ) throws(FirewallError) {
    writer.removeAll()
    begin(IPSET_CMD_LIST, flags: NLM_F_REQUEST | NLM_F_DUMP)
    if let set { writer.attribute(IPSET_ATTR_SETNAME, Array(set.utf8)) }
    if headersOnly { writer.attribute(IPSET_ATTR_FLAGS, bigEndian: IPSET_FLAG_LIST_HEADER.rawValue) }
    writer.end()
    try socket.send(writer.bytes)
    let wanted = sequence
    var end: Int32?
    while end == nil {
      try socket.receive { bytes in
        NetlinkReader.messages(bytes) { message in
          guard message.sequence == wanted else { return }
          let payload = message.payload
          switch Int32(message.type) {
          case NLMSG_DONE, NLMSG_ERROR:
            end = NetlinkReader.code(bytes, payload)
          case NFNL_SUBSYS_IPSET << 8 | Int32(IPSET_CMD_LIST.rawValue) where payload.count >= 4:
            body(bytes, payload.dropFirst(4))
          default: break
          }
        }
      }
    }
    if let code = end, code != 0 {
      throw Self.error(code, set: set ?? "all sets")
    }
  }

  /// What the kernel means by `code` (linux/netfilter/ipset/ip_set.h; net/netfilter/ipset/ip_set_hash_gen.h).
  static func error(_ code: Int32, set: String) -> FirewallError {
    switch code {
    case ENOENT:
      FirewallError(
        .setMissing, "set \(set) does not exist: another program removed it; it is made again by the next check")
    case Int32(IPSET_ERR_TYPE_SPECIFIC.rawValue):
      FirewallError(.setFull, "set \(set) is full: ban prefixes instead of single addresses, or raise maxelem")
    case Int32(IPSET_ERR_INVALID_CIDR.rawValue):
      FirewallError(.invalid, "set \(set) takes no block this wide: /0 cannot be banned")
    case EPERM, EACCES: .notPermitted()
    default:
      FirewallError(
        .netlink,
        code >= 4096
          ? "set \(set): the kernel's ipset refuses it with code \(code)" : "set \(set): \(SystemError.text(code))")
    }
  }
}
