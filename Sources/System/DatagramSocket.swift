internal import CLinux
internal import Glibc

/// A socket that sends messages of their own, without a connection: to a Unix socket (unix(7)) or by UDP (udp(7)).
///
/// ```swift
/// try DatagramSocket.unix("/dev/log").send(Array("<38>bailiff: hello".utf8))
/// ```
public struct DatagramSocket: ~Copyable, Sendable {
  private let descriptor: Descriptor
  private let name: String

  /// Connected to the socket at `path`, of at most 107 bytes.
  /// - Parameter answered: has an address of its own, so that the other side can answer.
  public static func unix(_ path: String, answered: Bool = false) throws(SystemError) -> DatagramSocket {
    let operation = "connect to \(path)"
    let socket = Descriptor(Glibc.socket(AF_UNIX, flags, 0))
    guard socket.isOpen else { throw .last(operation) }
    if answered {
      // An address without a path: the kernel finds a free one (unix(7), "Autobind feature").
      var none = sockaddr()
      none.sa_family = sa_family_t(AF_UNIX)
      // Safe: bind(2) reads the family alone.
      guard unsafe bind(socket.raw, &none, socklen_t(MemoryLayout<sa_family_t>.size)) == 0 else {
        throw .last(operation)
      }
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard path.utf8.count < room else { throw SystemError(code: ENAMETOOLONG, operation: operation) }
    // Safe: the path with its zero fits, and connect(2) reads the struct during the call.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(socket.raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw .last(operation) }
    return DatagramSocket(descriptor: socket, name: path)
  }

  /// Connected to the first address of `host` that there is a way to. Asks for the name, so it may wait.
  public static func udp(host: String, port: Int) throws(SystemError) -> DatagramSocket {
    let operation = "reach \(host) by UDP"
    // Safe: all zero but for what is set below.
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    // Safe: getaddrinfo(3) reads two texts and the hints, and makes a list that freeaddrinfo(3) takes back.
    guard unsafe getaddrinfo(host, "\(port)", &hints, &list) == 0 else {
      throw SystemError(code: EHOSTUNREACH, operation: "find the address of \(host)")
    }
    defer { unsafe freeaddrinfo(list) }
    var next = unsafe list
    while let entry = unsafe next {
      let socket = Descriptor(unsafe Glibc.socket(entry.pointee.ai_family, flags, 0))
      if socket.isOpen, unsafe connect(socket.raw, entry.pointee.ai_addr, entry.pointee.ai_addrlen) == 0 {
        return DatagramSocket(descriptor: socket, name: "\(host):\(port)")
      }
      unsafe next = entry.pointee.ai_next
    }
    throw .last(operation)
  }

  private static var flags: Int32 { Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) }

  private init(descriptor: consuming Descriptor, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  /// Sends, and waits for an answer of at most 64 KiB.
  public func ask(_ bytes: [UInt8], seconds: Int = 10) throws(SystemError) -> [UInt8] {
    try send(bytes, seconds: seconds)
    descriptor.limitWaiting(seconds: seconds)
    return try descriptor.read()
  }

  /// Waits for at most `seconds` while a Unix socket's receiver does not read.
  public func send(_ bytes: [UInt8], seconds: Int = 10) throws(SystemError) {
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    // Safe: setsockopt(2) and send(2) read what they are lent during the call.
    unsafe setsockopt(descriptor.raw, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let sent = retrying { unsafe Glibc.send(descriptor.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
    guard sent == bytes.count else { throw .last("send to \(name)") }
  }
}
