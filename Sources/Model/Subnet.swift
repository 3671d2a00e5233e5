/// A block of addresses: `192.0.2.0/24`, `2001:db8::/64`, or one address alone (`/32` and `/128`, printed without them).
public struct Subnet: Hashable, Sendable {
  /// The first address; the bits past the prefix are zero.
  public let base: Address

  /// 0 to 128, counted in the 128-bit form: IPv4's /24 is 120 here. `prefixLength` gives what a person writes.
  public let length: UInt8

  /// `base` is masked, so `Subnet(Address("192.0.2.7")!, length: 120)` is 192.0.2.0/24.
  public init(_ address: Address, length: UInt8 = 128) {
    self.length = min(length, 128)
    base = Address(bits: address.bits & Self.mask(self.length))
  }

  /// `ipv4Prefix` or `ipv6Prefix` bits of `address`, by its family.
  public init(_ address: Address, ipv4Prefix: UInt8, ipv6Prefix: UInt8) {
    self.init(address, length: address.isIPv4 ? 96 + min(ipv4Prefix, 32) : ipv6Prefix)
  }

  /// An address, or `ADDRESS/PREFIX`. Bits past the prefix are dropped. Nil for anything else.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = Address(first) else { return nil }
    guard parts.count == 2 else {
      self.init(address)
      return
    }
    let widest: UInt8 = address.isIPv4 ? 32 : 128
    let digits = parts[1]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let prefix = UInt8(digits),
      prefix <= widest
    else { return nil }
    self.init(address, length: address.isIPv4 ? 96 + prefix : prefix)
  }

  public var isIPv4: Bool { length >= 96 && base.isIPv4 }

  public var isSingleAddress: Bool { length == 128 }

  /// The prefix as it is written for its family: 0 to 32 for IPv4, 0 to 128 for IPv6.
  public var prefixLength: UInt8 { isIPv4 ? length - 96 : length }

  public var last: Address { Address(bits: base.bits | ~Self.mask(length)) }

  public func contains(_ address: Address) -> Bool { address.bits & Self.mask(length) == base.bits }

  public func contains(_ other: Subnet) -> Bool { other.length >= length && contains(other.base) }

  private static func mask(_ length: UInt8) -> UInt128 {
    length == 0 ? 0 : ~0 << UInt128(128 - Int(length))
  }
}

extension Subnet: Comparable {
  /// By the first address; a block comes before what it holds.
  public static func < (a: Subnet, b: Subnet) -> Bool { a.base == b.base ? a.length < b.length : a.base < b.base }
}

extension Subnet: CustomStringConvertible {
  public var description: String { isSingleAddress ? "\(base)" : "\(base)/\(prefixLength)" }
}
