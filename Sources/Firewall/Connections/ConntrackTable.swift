import CMnl
import Glibc
import Model
import System

/// The connections that the kernel tracks (linux/netfilter/nfnetlink_conntrack.h): those that are forwarded to containers,
/// with their translated ports.
struct ConntrackTable: ~Copyable {
  private var socket: NetlinkSocket
  private var sequence: UInt32 = 0

  init(faults: FaultInjector? = nil) throws(FirewallError) { socket = try NetlinkSocket(faults: faults) }

  /// How many connections this network namespace tracks; 0 where it does not.
  static var count: Int {
    SmallFile.text("/proc/sys/net/netfilter/nf_conntrack_count").flatMap { Int($0.prefix { $0 != "\n" }) } ?? 0
  }

  struct Entry: Equatable {
    /// Who opened the connection, and from which port.
    var client: Address
    var clientPort: UInt16
    var transport: UInt8
    /// The port that the client knows.
    var port: UInt16
    /// The port that answers, which is another one where the destination was translated.
    var answeringPort: UInt16
    /// What names the entry to the kernel: its original tuple, its zone and its id, as they came.
    var name: [(type: Int, value: [UInt8])]

    static func == (a: Entry, b: Entry) -> Bool {
      (a.client, a.clientPort, a.transport, a.port) == (b.client, b.clientPort, b.transport, b.port)
    }
  }

  /// The connections that clients in `subnet` have opened; nil: those of all clients.
  mutating func entries(from subnet: Subnet?) throws(FirewallError) -> [Entry] {
    var result: [Entry] = []
    for family in [AF_INET, AF_INET6] where subnet.map({ $0.isIPv4 == (family == AF_INET) }) ?? true {
      begin(IPCTNL_MSG_CT_GET, NLM_F_DUMP, family)
      if let subnet, subnet.isIPv4, subnet.isSingleAddress { filter(subnet.base) }
      writer.end()
      try socket.send(writer.bytes)
      _ = try answer { bytes, payload in
        guard let entry = Self.entry(bytes, payload), subnet?.contains(entry.client) ?? true else { return }
        result.append(entry)
      }
    }
    return result
  }

  /// Has the kernel forget a connection; false when it had already.
  mutating func delete(_ entry: Entry) throws(FirewallError) -> Bool {
    begin(IPCTNL_MSG_CT_DELETE, NLM_F_ACK, entry.client.isIPv4 ? AF_INET : AF_INET6)
    for (type, value) in entry.name { writer.attribute(type, raw: value) }
    writer.end()
    try socket.send(writer.bytes)
    return try answer { _, _ in } == 0
  }

  private var writer = NetlinkWriter()

  private mutating func begin(_ kind: cntl_msg_types, _ flags: Int32, _ family: Int32) {
    writer.removeAll()
    sequence &+= 1
    writer.begin(
      type: UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | UInt16(kind.rawValue), flags: NLM_F_REQUEST | flags,
      sequence: sequence, family: UInt8(family))
  }

  /// Only the connections of one client are answered, which spares us reading a table of hundreds of thousands. Kernels
  /// before 5.8 ignore it. IPv6 is read whole: asked for an address, the kernel leaves out just that one (seen with 6.18).
  private mutating func filter(_ client: Address) {
    writer.nested(Int(CTA_TUPLE_ORIG.rawValue)) { tuple in
      tuple.nested(Int(CTA_TUPLE_IP.rawValue)) { $0.attribute(Int(CTA_IP_V4_SRC.rawValue), client, isIPv4: true) }
    }
    writer.nested(Int(CTA_FILTER.rawValue)) { filter in
      // CTA_FILTER_F_CTA_IP_SRC (net/netfilter/nf_internals.h), in the machine's order.
      filter.attribute(Int(CTA_FILTER_ORIG_FLAGS.rawValue), raw: [1, 0, 0, 0])
      filter.attribute(Int(CTA_FILTER_REPLY_FLAGS.rawValue), raw: [0, 0, 0, 0])
    }
  }

  private struct Tuple {
    var source: Address?
    var transport: UInt8 = 0
    var sourcePort: UInt16 = 0
    var destinationPort: UInt16 = 0
  }

  private static func entry(_ bytes: borrowing Span<UInt8>, _ payload: Range<Int>) -> Entry? {
    var original = Tuple()
    var reply = Tuple()
    var name: [(type: Int, value: [UInt8])] = []
    NetlinkReader.attributes(bytes, in: payload) { type, value in
      switch type {
      case Int(CTA_TUPLE_ORIG.rawValue): original = tuple(bytes, value)
      case Int(CTA_TUPLE_REPLY.rawValue): reply = tuple(bytes, value)
      case Int(CTA_ZONE.rawValue), Int(CTA_ID.rawValue): break
      default: return
      }
      guard type != Int(CTA_TUPLE_REPLY.rawValue) else { return }
      let nested = type == Int(CTA_TUPLE_ORIG.rawValue) ? Int(NLA_F_NESTED) : 0
      name.append((type | nested, value.map { bytes[$0] }))
    }
    guard let client = original.source else { return nil }
    return Entry(
      client: client, clientPort: original.sourcePort, transport: original.transport, port: original.destinationPort,
      answeringPort: reply.sourcePort, name: name)
  }

  private static func tuple(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Tuple {
    var tuple = Tuple()
    NetlinkReader.attributes(bytes, in: range) { type, value in
      NetlinkReader.attributes(bytes, in: value) { inner, value in
        let number = NetlinkReader.bigEndian(bytes, value)
        switch (type, inner) {
        case (Int(CTA_TUPLE_IP.rawValue), Int(CTA_IP_V4_SRC.rawValue)),
          (Int(CTA_TUPLE_IP.rawValue), Int(CTA_IP_V6_SRC.rawValue)):
          tuple.source = NetlinkReader.address(bytes, value)
        case (Int(CTA_TUPLE_PROTO.rawValue), Int(CTA_PROTO_NUM.rawValue)):
          tuple.transport = UInt8(truncatingIfNeeded: number)
        case (Int(CTA_TUPLE_PROTO.rawValue), Int(CTA_PROTO_SRC_PORT.rawValue)):
          tuple.sourcePort = UInt16(truncatingIfNeeded: number)
        case (Int(CTA_TUPLE_PROTO.rawValue), Int(CTA_PROTO_DST_PORT.rawValue)):
          tuple.destinationPort = UInt16(truncatingIfNeeded: number)
        default: break
        }
      }
    }
    return tuple
  }

  private mutating func answer(_ body: (borrowing Span<UInt8>, Range<Int>) -> Void) throws(FirewallError) -> Int32 {
    var end: Int32?
    let wanted = sequence
    while end == nil {
      try socket.receive { bytes in
        NetlinkReader.messages(bytes) { message in
          guard message.sequence == wanted else { return }
          switch Int32(message.type) {
          case NLMSG_DONE, NLMSG_ERROR: end = NetlinkReader.code(bytes, message.payload)
          case _ where message.payload.count >= 4: body(bytes, message.payload.dropFirst(4))
          default: break
          }
        }
      }
    }
    return end ?? 0
  }
}
