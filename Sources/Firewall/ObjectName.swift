/// What is made in the kernel for a jail is named after it.
///
/// A jail's name that is too long, or that has characters with a meaning for one of the programs, is shortened and carries a
/// hash behind `~`, which no plain name contains.
enum ObjectName {
  /// As many bytes as ipset has room for.
  private static let limit = 21

  /// `sshd`, or `nginx-http~0123456789`.
  static func of(jail: String) -> String {
    let bytes = Array(jail.utf8)
    if bytes.count <= limit, bytes.allSatisfy(isPlain) { return jail }
    let head = bytes.prefix(10).map { isPlain($0) ? $0 : UInt8(ascii: "_") }
    let hash = String(fnv1a(bytes) & 0xFF_FFFF_FFFF, radix: 16)
    let padding = String(repeating: "0", count: 10 - hash.count)
    return String(decoding: head, as: UTF8.self) + "~" + padding + hash
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): stable between runs and versions, as names must be.
  private static func fnv1a(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
