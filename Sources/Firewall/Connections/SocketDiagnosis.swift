import CMnl
import Glibc
import Model

/// Lists this machine's TCP sockets by their peers and ends them (sock_diag(7), as `ss -K` does): the other side gets a
/// reset, the program an error (ECONNABORTED).
struct SocketDiagnosis: ~Copyable {
  private var socket: NetlinkSocket
  private var sequence: UInt32 = 0

  init(faults: FaultInjector? = nil) throws(FirewallError) {
    socket = try NetlinkSocket(bus: NETLINK_SOCK_DIAG, faults: faults)
  }

  /// A connection: its id, as the kernel takes it back, and what is in it.
  struct Connection: Equatable {
    var family: UInt8
    var peer: Address
    var peerPort: UInt16
    var localPort: UInt16
    /// `struct inet_diag_sockid`, with the cookie that no other socket has.
    var id: [UInt8]
  }

  private static let idSize = 48
  /// All but TIME_WAIT (6), CLOSE (7) and LISTEN (10); bits by the numbers of net/tcp_states.h.
  private static let states: UInt32 = 0b1_1011_0011_1110

  /// TCP connections with peers in `subnet`; nil: with any peer.
  mutating func connections(with subnet: Subnet?) throws(FirewallError) -> [Connection] {
    var result: [Connection] = []
    // A socket that listens for both families has IPv4 peers as mapped addresses.
    for family in [AF_INET, AF_INET6] where !(family == AF_INET && subnet?.isIPv4 == false) {
      sequence &+= 1
      var writer = NetlinkWriter()
      writer.beginBare(type: UInt16(SOCK_DIAG_BY_FAMILY), flags: NLM_F_REQUEST | NLM_F_DUMP, sequence: sequence)
      writer.append(Self.request(UInt8(family), states: Self.states, id: [UInt8](repeating: 0, count: Self.idSize)))
      if let subnet { writer.attribute(INET_DIAG_REQ_BYTECODE, raw: Self.filter(subnet)) }
      writer.end()
      try socket.send(writer.bytes)
      _ = try answer(sequence) { bytes, payload in
        if let connection = Self.connection(bytes, payload) { result.append(connection) }
      }
    }
    return result
  }

  /// Ends it; false when it has ended already, or when the kernel was built without SOCK_DESTROY.
  mutating func end(_ connection: Connection) throws(FirewallError) -> Bool {
    sequence &+= 1
    var writer = NetlinkWriter()
    writer.beginBare(type: UInt16(SOCK_DESTROY), flags: NLM_F_REQUEST | NLM_F_ACK, sequence: sequence)
    writer.append(Self.request(connection.family, states: .max, id: connection.id))
    writer.end()
    try socket.send(writer.bytes)
    return try answer(sequence) { _, _ in } == 0
  }

  /// `struct inet_diag_req_v2`.
  private static func request(_ family: UInt8, states: UInt32, id: [UInt8]) -> [UInt8] {
    [family, UInt8(IPPROTO_TCP), 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: states >> (8 * $0)) } + id
  }

  /// One condition on the peer's address: `struct inet_diag_bc_op` and `struct inet_diag_hostcond` (linux/inet_diag.h).
  private static func filter(_ subnet: Subnet) -> [UInt8] {
    let address = subnet.isIPv4 ? 4 : 16
    let length = 4 + 8 + address
    var bytes: [UInt8] = [UInt8(INET_DIAG_BC_D_COND), UInt8(length), UInt8(length + 4), 0]
    bytes += [UInt8(subnet.isIPv4 ? AF_INET : AF_INET6), subnet.prefixLength, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
    return bytes + subnet.base.bytes.suffix(address)
  }

  /// Reads a `struct inet_diag_msg`.
  private static func connection(_ bytes: borrowing Span<UInt8>, _ payload: Range<Int>) -> Connection? {
    guard payload.count >= 4 + idSize else { return nil }
    let start = payload.lowerBound
    let family = bytes[start]
    let id = start + 4
    let peer = (id + 20)..<(id + 20 + (Int32(family) == AF_INET ? 4 : 16))
    guard let peer = NetlinkReader.address(bytes, peer) else { return nil }
    return Connection(
      family: family, peer: peer,
      peerPort: UInt16(truncatingIfNeeded: NetlinkReader.bigEndian(bytes, (id + 2)..<(id + 4))),
      localPort: UInt16(truncatingIfNeeded: NetlinkReader.bigEndian(bytes, id..<(id + 2))),
      id: (id..<(id + idSize)).map { bytes[$0] })
  }

  /// Reads to the end of an answer; returns its error code.
  private mutating func answer(
    _ sequence: UInt32, _ body: (borrowing Span<UInt8>, Range<Int>) -> Void
  ) throws(FirewallError) -> Int32 {
    var end: Int32?
    while end == nil {
      try socket.receive { bytes in
        NetlinkReader.messages(bytes) { message in
          guard message.sequence == sequence else { return }
          switch Int32(message.type) {
          case NLMSG_DONE, NLMSG_ERROR: end = NetlinkReader.code(bytes, message.payload)
          default: body(bytes, message.payload)
          }
        }
      }
    }
    return end ?? 0
  }
}

extension Address {
  /// All sixteen, in network order; IPv4's four are the last.
  fileprivate var bytes: [UInt8] {
    (0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(8 * (15 - $0))) }
  }
}
