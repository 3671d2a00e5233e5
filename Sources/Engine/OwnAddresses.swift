internal import Glibc
internal import Model
internal import Settings

/// Addresses that are never counted, whatever the jails say.
enum OwnAddresses {
  /// Loopback and, with `ignoreself`, every address of this machine's interfaces.
  static func ignored(_ settings: Settings) -> [Subnet] {
    guard settings.ignoreself else { return [] }
    return [Subnet("127.0.0.0/8")!, Subnet("::1")!] + interfaces().map { Subnet($0) }
  }

  /// getifaddrs(3).
  static func interfaces() -> [Address] {
    var list: UnsafeMutablePointer<ifaddrs>?
    // Safe: the list belongs to us from here to freeifaddrs, and every pointer in it is checked before it is read.
    guard unsafe getifaddrs(&list) == 0 else { return [] }
    defer { unsafe freeifaddrs(list) }
    var found: [Address] = []
    var next = unsafe list
    while let entry = unsafe next {
      unsafe next = entry.pointee.ifa_next
      guard let address = unsafe entry.pointee.ifa_addr else { continue }
      switch unsafe Int32(address.pointee.sa_family) {
      case AF_INET:
        // Safe: the family says that the address is a sockaddr_in.
        let bits = unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
          unsafe $0.pointee.sin_addr.s_addr
        }
        found.append(Address(ipv4: UInt32(bigEndian: bits)))
      case AF_INET6:
        // Safe: as above, sockaddr_in6; the sixteen bytes are in network order.
        let bits = unsafe address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { six in
          unsafe withUnsafeBytes(of: six.pointee.sin6_addr) { bytes in
            unsafe bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
          }
        }
        found.append(Address(bits: bits))
      default: break
      }
    }
    return found
  }
}
