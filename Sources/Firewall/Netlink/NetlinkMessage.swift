import CMnl
import Model

/// Writes netlink messages one behind the other, as one sendmsg takes them (RFC 3549 section 2.3.2.2; netlink(7)).
///
/// Integers are in the machine's order, which is little-endian wherever Swift runs on Linux. Plain bounds-checked Swift: a message is a few integers, and libmnl's writers would each need an unsafe pointer.
struct NetlinkWriter {
  private(set) var bytes: [UInt8] = []
  private var messageStart = 0

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// `nlmsghdr`.
  mutating func beginBare(type: UInt16, flags: Int32, sequence: UInt32) {
    messageStart = bytes.count
    put(UInt32(0))
    put(type)
    put(UInt16(truncatingIfNeeded: flags))
    put(sequence)
    put(UInt32(0))
  }

  /// `nlmsghdr` and `nfgenmsg`; `resource` is the latter's `res_id`.
  mutating func begin(type: UInt16, flags: Int32, sequence: UInt32, family: UInt8 = 0, resource: UInt16 = 0) {
    beginBare(type: type, flags: flags, sequence: sequence)
    bytes.append(family)
    bytes.append(UInt8(NFNETLINK_V0))
    put(resource.byteSwapped)
  }

  /// What a message without `nfgenmsg` begins with: a multiple of four bytes.
  mutating func append(_ raw: [UInt8]) { bytes += raw }

  mutating func end() { patch(UInt32(bytes.count - messageStart), at: messageStart) }

  mutating func attribute(_ type: Int, _ value: UInt8) {
    header(type, payload: 1)
    bytes.append(value)
    pad()
  }

  /// In network order, as ipset wants its numbers.
  mutating func attribute(_ type: Int, bigEndian value: UInt32) {
    header(type | Int(NLA_F_NET_BYTEORDER), payload: 4)
    put(value.byteSwapped)
  }

  mutating func attribute(_ type: Int, bigEndian value: UInt64) {
    header(type | Int(NLA_F_NET_BYTEORDER), payload: 8)
    put(value.byteSwapped)
  }

  /// Four bytes or sixteen.
  mutating func attribute(_ type: Int, _ address: Address, isIPv4: Bool) {
    header(type | Int(NLA_F_NET_BYTEORDER), payload: isIPv4 ? 4 : 16)
    guard !isIPv4 else {
      put(address.ipv4.byteSwapped)
      return
    }
    put(UInt64(truncatingIfNeeded: address.bits >> 64).byteSwapped)
    put(UInt64(truncatingIfNeeded: address.bits).byteSwapped)
  }

  /// With the NUL that ends it.
  mutating func attribute(_ type: Int, _ value: [UInt8]) {
    header(type, payload: value.count + 1)
    bytes += value
    bytes.append(0)
    pad()
  }

  mutating func attribute(_ type: Int, raw value: [UInt8]) {
    header(type, payload: value.count)
    bytes += value
    pad()
  }

  mutating func nested(_ type: Int, _ body: (inout Self) -> Void) {
    let start = bytes.count
    header(type | Int(NLA_F_NESTED), payload: 0)
    body(&self)
    patch(UInt16(bytes.count - start), at: start)
  }

  private mutating func header(_ type: Int, payload: Int) {
    put(UInt16(4 + payload))
    put(UInt16(truncatingIfNeeded: type))
  }

  private mutating func pad() { while bytes.count & 3 != 0 { bytes.append(0) } }

  private mutating func put<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  private mutating func patch<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    for i in 0..<(T.bitWidth / 8) { bytes[offset + i] = UInt8(truncatingIfNeeded: value >> (8 * i)) }
  }
}

/// Reads netlink messages and attributes. Lengths are checked: what does not fit ends the walk.
enum NetlinkReader {
  struct Message {
    var type: UInt16
    var flags: UInt16
    var sequence: UInt32
    /// The socket that caused it, in a notification.
    var port: UInt32
    /// The bytes behind `nlmsghdr`.
    var payload: Range<Int>
  }

  static func messages(_ bytes: borrowing Span<UInt8>, _ body: (Message) -> Void) {
    var at = 0
    while at + 16 <= bytes.count {
      let length = Int(u32(bytes, at))
      guard length >= 16, length <= bytes.count - at else { return }
      body(
        Message(
          type: u16(bytes, at + 4), flags: u16(bytes, at + 6), sequence: u32(bytes, at + 8),
          port: u32(bytes, at + 12), payload: (at + 16)..<(at + length)))
      at += (length + 3) & ~3
    }
  }

  /// `body` is given each attribute's type, without flags, and where its payload is.
  static func attributes(_ bytes: borrowing Span<UInt8>, in range: Range<Int>, _ body: (Int, Range<Int>) -> Void) {
    var at = range.lowerBound
    while at + 4 <= range.upperBound {
      let length = Int(u16(bytes, at))
      guard length >= 4, length <= range.upperBound - at else { return }
      body(Int(u16(bytes, at + 2)) & ~Int(NLA_F_NESTED | NLA_F_NET_BYTEORDER), (at + 4)..<(at + length))
      at += (length + 3) & ~3
    }
  }

  static func u16(_ bytes: borrowing Span<UInt8>, _ at: Int) -> UInt16 {
    UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8
  }

  static func u32(_ bytes: borrowing Span<UInt8>, _ at: Int) -> UInt32 {
    UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
  }

  /// A number of up to eight bytes in network order.
  static func bigEndian(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    var value: UInt64 = 0
    for i in range.prefix(8) { value = value << 8 | UInt64(bytes[i]) }
    return value
  }

  /// An address of four bytes or of sixteen; nil for any other length.
  static func address(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Address? {
    switch range.count {
    case 4: return Address(ipv4: number(bytes, range))
    case 16:
      let high = bigEndian(bytes, range.prefix(8))
      let low = bigEndian(bytes, range.dropFirst(8))
      return Address(bits: UInt128(high) << 64 | UInt128(low))
    default: return nil
    }
  }

  /// The error code in the payload of NLMSG_ERROR or NLMSG_DONE; 0: none.
  static func code(_ bytes: borrowing Span<UInt8>, _ payload: Range<Int>) -> Int32 {
    payload.count >= 4 ? -Int32(bitPattern: u32(bytes, payload.lowerBound)) : 0
  }

  /// A number of four bytes, as most of netfilter's are.
  static func number(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt32 {
    UInt32(truncatingIfNeeded: bigEndian(bytes, range))
  }

  static func string(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> String {
    var text: [UInt8] = []
    for i in range {
      if bytes[i] == 0 { break }
      text.append(bytes[i])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
