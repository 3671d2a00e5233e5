extension Address {
  /// The IPv4 address that a translator wrote into this IPv6 address, and whose owner it is: NAT64's well-known prefix
  /// (64:ff9b::/96, RFC 6052), IPv4-translated (::ffff:0:0:0/96, RFC 2765) and IPv4-compatible (::/96, RFC 4291) addresses.
  /// Nil for IPv4 addresses themselves, for `::` and `::1`, and for a prefix that a network chose for itself.
  public var embeddedIPv4: Address? {
    guard !isIPv4 else { return nil }
    let (high, low) = (UInt64(truncatingIfNeeded: bits >> 64), UInt64(truncatingIfNeeded: bits))
    let ipv4 = Address(ipv4: UInt32(truncatingIfNeeded: low))
    switch (high, low >> 32) {
    case (0x0064_FF9B_0000_0000, 0): return ipv4
    case (0, 0xFFFF_0000): return ipv4
    case (0, 0): return low > 1 ? ipv4 : nil
    default: return nil
    }
  }

  /// Does the address share its first 64 bits with strangers all over the world? Then it is counted and banned alone: besides
  /// those with an IPv4 address in them, NAT64's local prefix (64:ff9b:1::/48, RFC 8215) and Teredo (2001::/32, RFC 4380), whose first 64
  /// bits name a server.
  public var sharesPrefixWithStrangers: Bool {
    guard !isIPv4 else { return false }
    let high = UInt64(truncatingIfNeeded: bits >> 64)
    return high >> 32 == 0x2001_0000 || high >> 16 == 0x0064_FF9B_0001 || embeddedIPv4 != nil
  }
}
