/// An IP address of either family as one 128-bit number; IPv4 is as IPv4-mapped IPv6 (`::ffff:a.b.c.d`, RFC 4291
/// section 2.5.5.2), so `192.0.2.7` and `::ffff:192.0.2.7` are the same address, as they are to a dual-stack daemon.
///
/// ```swift
/// Address("192.0.2.7")!.isIPv4          // true
/// Address("2001:DB8:0:0::1")!.description  // "2001:db8::1"
/// ```
public struct Address: Hashable, Comparable, Sendable {
  // Two halves, not one UInt128: Swift 6.3 spills 128-bit integers in closures to addresses of half their alignment and
  // then reads them with an instruction that demands all of it, which crashes. Halves also pack tighter.
  private let high: UInt64
  private let low: UInt64

  /// Network order read as one number: the first byte of the address is the most significant.
  public var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }

  private static let mappedPrefix: UInt64 = 0xFFFF << 32

  public init(bits: UInt128) {
    high = UInt64(truncatingIfNeeded: bits >> 64)
    low = UInt64(truncatingIfNeeded: bits)
  }

  public init(ipv4: UInt32) {
    high = 0
    low = Self.mappedPrefix | UInt64(ipv4)
  }

  public var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

  /// The 32 bits of an IPv4 address; meaningless for IPv6.
  public var ipv4: UInt32 { UInt32(truncatingIfNeeded: low) }

  public static func < (a: Address, b: Address) -> Bool { (a.high, a.low) < (b.high, b.low) }

  /// Nil when `text` is anything but one whole address: no port, no brackets, no zone.
  public init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    self.init(parsing: bytes.span)
  }

  /// Reads an address that fills `text`. IPv4 parts have no leading zeros (RFC 6943 section 3.1.1: `010` means 8 to some
  /// programs and 10 to others, and a ban must not depend on whom one asks).
  public init?(parsing text: borrowing Span<UInt8>) {
    guard text.count >= 2, text.count <= 45 else { return nil }
    // Before its first colon, IPv6 has four digits at most.
    var colon = false
    for i in 0..<min(text.count, 5) where text[i] == UInt8(ascii: ":") {
      colon = true
      break
    }
    if colon {
      guard let bits = Self.parseIPv6(text) else { return nil }
      self.init(bits: bits)
    } else {
      guard let v4 = Self.parseIPv4(text, from: 0) else { return nil }
      self.init(ipv4: v4)
    }
  }

  private static func parseIPv4(_ text: borrowing Span<UInt8>, from start: Int) -> UInt32? {
    var value: UInt32 = 0
    var at = start
    for part in 0..<4 {
      if part > 0 {
        guard at < text.count, text[at] == UInt8(ascii: ".") else { return nil }
        at &+= 1
      }
      guard at < text.count else { return nil }
      var number = UInt32(text[at] &- UInt8(ascii: "0"))
      guard number < 10 else { return nil }
      at &+= 1
      // Two digits more, unless the first one is 0.
      let end = min(text.count, number == 0 ? at : at &+ 2)
      while at < end {
        let digit = UInt32(text[at] &- UInt8(ascii: "0"))
        guard digit < 10 else { break }
        number = number &* 10 &+ digit
        at &+= 1
      }
      guard number <= 255 else { return nil }
      value = value << 8 | number
    }
    return at == text.count ? value : nil
  }

  private static func parseIPv6(_ text: borrowing Span<UInt8>) -> UInt128? {
    var head: UInt128 = 0  // groups before `::`
    var tail: UInt128 = 0  // groups after it
    var groups = 0
    var tailGroups = 0
    var gap = false
    var i = 0
    let end = text.count
    if text[0] == UInt8(ascii: ":") {
      guard end >= 2, text[1] == UInt8(ascii: ":") else { return nil }
      gap = true
      i = 2
    }
    while i < end {
      var value: UInt128 = 0
      var digits = 0
      let groupStart = i
      while i < end, let digit = hexDigit(text[i]) {
        value = value << 4 | UInt128(digit)
        digits += 1
        i += 1
        guard digits <= 4 else { return nil }
      }
      if i < end, text[i] == UInt8(ascii: ".") {
        // The last 32 bits may be written as IPv4.
        guard let v4 = parseIPv4(text, from: groupStart) else { return nil }
        if gap { tail = tail << 32 | UInt128(v4) } else { head = head << 32 | UInt128(v4) }
        if gap { tailGroups += 2 } else { groups += 2 }
        i = end
        break
      }
      guard digits > 0 else { return nil }
      if gap {
        tail = tail << 16 | value
        tailGroups += 1
      } else {
        head = head << 16 | value
        groups += 1
      }
      guard groups + tailGroups <= 8 else { return nil }
      if i == end { break }
      guard text[i] == UInt8(ascii: ":") else { return nil }
      i += 1
      guard i < end else { return nil }
      if text[i] == UInt8(ascii: ":") {
        guard !gap else { return nil }
        gap = true
        i += 1
      }
    }
    if gap {
      guard groups + tailGroups <= 7 else { return nil }
      return groups == 0 ? tail : head << UInt128(16 * (8 - groups)) | tail
    }
    return groups == 8 ? head : nil
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

extension Address: CustomStringConvertible {
  /// Dotted quad, or RFC 5952: lower case, no leading zeros, the first longest run of zero groups as `::`.
  public var description: String {
    if isIPv4 {
      let text = DottedQuad(ipv4)
      return unsafe String(unsafeUninitializedCapacity: DottedQuad.longest) { bytes in
        // Safe: no text is longer than the capacity.
        for i in 0..<text.count { unsafe bytes[i] = text[i] }
        return text.count
      }
    }
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(16 * (7 - $0))) }
    var longest = 0..<0
    var i = 0
    while i < 8 {
      guard groups[i] == 0 else {
        i += 1
        continue
      }
      let start = i
      while i < 8, groups[i] == 0 { i += 1 }
      if i - start > longest.count, i - start > 1 { longest = start..<i }
    }
    func hex(_ range: Range<Int>) -> String {
      groups[range].map { String($0, radix: 16) }.joined(separator: ":")
    }
    return longest.isEmpty ? hex(0..<8) : hex(0..<longest.lowerBound) + "::" + hex(longest.upperBound..<8)
  }
}

/// An IPv4 address as it is written, `192.0.2.7`, without a String: its bytes are those of two words, the lowest first.
public struct DottedQuad: Sendable {
  public static let longest = 15

  public let low: UInt64
  public let high: UInt64
  public let count: Int

  public init(_ address: UInt32) {
    let (a, b, c, d) = (Self.part(address >> 24), Self.part(address >> 16), Self.part(address >> 8), Self.part(address))
    let dot = UInt64(UInt8(ascii: "."))
    // Two parts and two dots fit the first word, and take half of it at least.
    var low = a.text | dot &<< a.bits | b.text &<< (a.bits &+ 8) | dot &<< (a.bits &+ 8 &+ b.bits)
    var at = a.bits &+ b.bits &+ 16
    var high = c.text
    if at < 64 {
      low |= c.text &<< at
      high = c.text &>> (64 &- at)
    }
    at &+= c.bits
    let last = dot | d.text &<< 8
    if at < 64 {
      low |= last &<< at
      high |= last &>> (64 &- at)
    } else {
      high |= last &<< (at &- 64)
    }
    (self.low, self.high) = (low, high)
    count = Int(truncatingIfNeeded: (at &+ 8 &+ d.bits) &>> 3)
  }

  public subscript(index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: (index < 8 ? low : high) >> UInt64(8 * (index & 7)))
  }

  /// The lowest byte of `part` in decimal, the first digit the lowest, and how many bits that takes.
  @inline(__always)
  private static func part(_ part: UInt32) -> (text: UInt64, bits: UInt64) {
    let value = UInt64(part & 255)
    // Quotients without dividing: exact for 0 to 255 and for 0 to 99.
    let hundreds = (value &* 41) &>> 12
    let rest = value &- hundreds &* 100
    let tens = (rest &* 103) &>> 10
    let digits = hundreds | tens &<< 8 | (rest &- tens &* 10) &<< 16 | 0x30_3030
    // Leading zeros fall off.
    let bits: UInt64 = value >= 100 ? 24 : value >= 10 ? 16 : 8
    return (digits &>> (24 &- bits), bits)
  }
}
