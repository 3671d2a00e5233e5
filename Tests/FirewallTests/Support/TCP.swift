import Glibc
import Model
import System

@testable import Firewall

/// TCP between two namespaces, with short waits: what is dropped must not hold up the tests.
enum TCP {
  static let wait = timeval(tv_sec: 0, tv_usec: 400_000)

  static func socket(_ address: Address, _ kind: __socket_type = SOCK_STREAM) -> Int32 {
    let fd = Glibc.socket(address.isIPv4 ? AF_INET : AF_INET6, Int32(kind.rawValue), 0)
    var one: Int32 = 1
    var wait = wait
    // Safe: options copied from locals.
    unsafe setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, 4)
    unsafe setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    unsafe setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    return fd
  }

  static func with(
    _ address: Address, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    if address.isIPv4 {
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      name.sin_addr.s_addr = address.ipv4.bigEndian
      // Safe: a sockaddr_in is read as the sockaddr that it begins with, during the call.
      return unsafe withUnsafePointer(to: &name) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
    var name = sockaddr_in6()
    name.sin6_family = sa_family_t(AF_INET6)
    name.sin6_port = port.bigEndian
    // Safe: 16 bytes into 16 bytes; then as above.
    unsafe withUnsafeMutableBytes(of: &name.sin6_addr) { bytes in
      for i in 0..<16 { unsafe bytes[i] = UInt8(truncatingIfNeeded: address.bits >> UInt128(8 * (15 - i))) }
    }
    return unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
      }
    }
  }

  /// A socket that listens in the calling thread's namespace. The kernel completes connections by itself.
  static func listen(_ address: String, port: UInt16) throws -> Int32 {
    let address = Address(address)!
    let fd = socket(address)
    // Safe: the pointer is valid during the call.
    guard unsafe with(address, port: port, { unsafe bind(fd, $0, $1) }) == 0, Glibc.listen(fd, 16) == 0 else {
      throw FirewallError(.invalid, "cannot listen on \(address):\(port): \(SystemError.text(errno))")
    }
    return fd
  }

  /// A connected socket, or nil when nothing answered in time.
  static func connect(from source: String, to target: String, port: UInt16) -> Int32? {
    let fd = socket(Address(source)!)
    // Safe: the pointers are valid during the calls.
    guard unsafe with(Address(source)!, port: 0, { unsafe bind(fd, $0, $1) }) == 0,
      unsafe with(Address(target)!, port: port, { unsafe Glibc.connect(fd, $0, $1) }) == 0
    else {
      close(fd)
      return nil
    }
    return fd
  }

  /// Does a connection come about, on a busy machine too?
  static func reaches(from source: String, to target: String, port: UInt16) -> Bool {
    let end = monotonicSeconds() + 10
    while monotonicSeconds() < end {
      if let fd = connect(from: source, to: target, port: port) {
        close(fd)
        return true
      }
    }
    return false
  }

  /// Does nothing answer? Twice, each time for as long as `wait`.
  static func isBlocked(from source: String, to target: String, port: UInt16) -> Bool {
    for _ in 0..<2 {
      guard let fd = connect(from: source, to: target, port: port) else { continue }
      close(fd)
      return false
    }
    return true
  }

  /// The error of a connection that is tried (EINPROGRESS: nothing answered); nil: it came about.
  static func refusal(from source: String, to target: String, port: UInt16) -> Int32? {
    let fd = socket(Address(source)!)
    defer { close(fd) }
    // Safe: the pointers are valid during the calls.
    _ = unsafe with(Address(source)!, port: 0) { unsafe bind(fd, $0, $1) }
    guard unsafe with(Address(target)!, port: port, { unsafe Glibc.connect(fd, $0, $1) }) != 0 else { return nil }
    guard errno == EINPROGRESS else { return errno }
    // An answer that comes while the kernel is still sending is only remembered: the second attempt, a second later, is told.
    var poll = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
    var code = EINPROGRESS
    var size = socklen_t(MemoryLayout<Int32>.size)
    // Safe: one entry; an option of the length named.
    if unsafe Glibc.poll(&poll, 1, 10_000) == 1 { unsafe getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) }
    return code
  }

  /// How a connection has ended, within ten seconds; 0: it has not, or with its peer's consent.
  static func error(_ fd: Int32) -> Int32 {
    var byte: UInt8 = 0
    let end = monotonicSeconds() + 10
    while monotonicSeconds() < end {
      // Safe: one byte.
      let count = unsafe recv(fd, &byte, 1, 0)
      if count == 0 { return 0 }
      if count < 0, errno != EAGAIN, errno != EINTR { return errno }
    }
    return 0
  }

  static func accept(_ listener: Int32) -> Int32? {
    let fd = Glibc.accept(listener, nil, nil)
    guard fd >= 0 else { return nil }
    var wait = wait
    // Safe: copied from a local.
    unsafe setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    return fd
  }

  static func write(_ fd: Int32) {
    var byte: UInt8 = 1
    // Safe: one byte.
    _ = unsafe send(fd, &byte, 1, Int32(MSG_NOSIGNAL))
  }

  /// Does a byte arrive within `tries` times `wait`?
  static func arrives(_ fd: Int32, tries: Int) -> Bool {
    var byte: UInt8 = 0
    for _ in 0..<tries {
      // Safe: one byte.
      if unsafe recv(fd, &byte, 1, 0) == 1 { return true }
    }
    return false
  }
}
