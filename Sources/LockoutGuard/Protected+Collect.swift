import Glibc
public import Model
import System

extension Protected {
  /// Looks at this machine as it is now. What cannot be read is left out.
  ///
  /// - Parameter caller: where the person who asks comes from (`sshClient`).
  public static func collect(caller: Address? = nil) -> Protected {
    var result = Protected()
    result.own = interfaceAddresses()
    // `thread-self`: in the network namespace of this thread, like everything else here (proc(5)).
    result.gateways = ipv4Gateways(route: text("/proc/thread-self/net/route"))
      .union(ipv6Gateways(route: text("/proc/thread-self/net/ipv6_route")))
    result.resolvers = nameServers(text("/etc/resolv.conf"))
    let administrators = Administrators.collect()
    for session in Sessions.collect() {
      if session.user.map(administrators.mayBecomeRoot) ?? true {
        result.sessions.insert(session.address)
      } else {
        result.otherSessions.insert(session.address)
      }
    }
    result.otherSessions.subtract(result.sessions)
    result.caller = caller
    return result
  }

  /// The client's address in the value of `SSH_CONNECTION` (`192.0.2.7 4711 198.51.100.1 22`, ssh(1)) or `SSH_CLIENT`.
  public static func sshClient(_ connection: String) -> Address? {
    connection.split(separator: " ").first.flatMap { Address(withoutZone($0)) }
  }

  /// All addresses of all interfaces (getifaddrs(3)).
  static func interfaceAddresses() -> Set<Address> {
    var result: Set<Address> = []
    var list: UnsafeMutablePointer<ifaddrs>?
    // Safe: the list is walked while it lives and freed once; each address is read by the size that its family has.
    guard unsafe getifaddrs(&list) == 0 else { return [] }
    defer { unsafe freeifaddrs(list) }
    var next = unsafe list
    while let item = unsafe next {
      unsafe next = unsafe item.pointee.ifa_next
      guard let name = unsafe item.pointee.ifa_addr else { continue }
      switch unsafe Int32(name.pointee.sa_family) {
      case AF_INET:
        let value = unsafe UnsafeRawPointer(name).loadUnaligned(as: sockaddr_in.self)
        result.insert(Address(ipv4: UInt32(bigEndian: value.sin_addr.s_addr)))
      case AF_INET6:
        var value = unsafe UnsafeRawPointer(name).loadUnaligned(as: sockaddr_in6.self)
        let bits = unsafe withUnsafeBytes(of: &value.sin6_addr) { bytes in
          unsafe bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        }
        result.insert(Address(bits: bits))
      default: break
      }
    }
    return result
  }

  /// `/proc/net/route`: addresses as hexadecimal numbers in the machine's order.
  static func ipv4Gateways(route: String) -> Set<Address> {
    var result: Set<Address> = []
    for line in route.split(separator: "\n").dropFirst() {
      let fields = line.split(whereSeparator: \.isWhitespace)
      guard fields.count >= 8, UInt32(fields[1], radix: 16) == 0, UInt32(fields[7], radix: 16) == 0,
        let gateway = UInt32(fields[2], radix: 16), gateway != 0
      else { continue }
      result.insert(Address(ipv4: gateway.byteSwapped))
    }
    return result
  }

  /// `/proc/net/ipv6_route`: destination, its length, source, its length, next hop … all hexadecimal.
  static func ipv6Gateways(route: String) -> Set<Address> {
    var result: Set<Address> = []
    for line in route.split(separator: "\n") {
      let fields = line.split(whereSeparator: \.isWhitespace)
      guard fields.count >= 10, UInt128(fields[0], radix: 16) == 0, UInt8(fields[1], radix: 16) == 0,
        let gateway = UInt128(fields[4], radix: 16), gateway != 0
      else { continue }
      result.insert(Address(bits: gateway))
    }
    return result
  }

  /// resolv.conf(5).
  static func nameServers(_ text: String) -> Set<Address> {
    Set(
      text.split(separator: "\n").compactMap { line in
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, words[0] == "nameserver" else { return nil }
        return Address(withoutZone(words[1]))
      })
  }

  static func withoutZone(_ text: Substring) -> Substring { text.prefix { $0 != "%" } }

  /// A small file, whole; empty when it cannot be read.
  static func text(_ path: String) -> String { SmallFile.text(path, limit: 16 << 20) ?? "" }
}
