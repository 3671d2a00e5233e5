internal import Model

extension IgnoreEntry {
  /// What of the world these entries spare entirely, each by itself or all together: `every IPv4 address`; nil: nothing.
  ///
  /// Of IPv6 it is 2000::/3 that counts, from where the addresses of the Internet are (RFC 4291).
  static func everybody(in subnets: [Subnet]) -> String? {
    if covers(subnets.filter(\.isIPv4), Subnet("0.0.0.0/0")!) { return "every IPv4 address" }
    if covers(subnets.filter { !$0.isIPv4 }, Subnet("2000::/3")!) { return "every IPv6 address" }
    return nil
  }

  private static func covers(_ subnets: [Subnet], _ whole: Subnet) -> Bool {
    var next = whole.base
    for subnet in subnets.sorted(by: { $0.base < $1.base }) where subnet.last >= next {
      guard subnet.base <= next else { return false }
      guard subnet.last < whole.last else { return true }
      next = Address(bits: subnet.last.bits + 1)
    }
    return false
  }
}
