import CMnl
import Glibc
import Synchronization
import System

/// A netlink socket to the kernel's netfilter, in the network namespace of the thread that opens it (libmnl,
/// https://www.netfilter.org/projects/libmnl/doxygen/html/).
@safe struct NetlinkSocket: ~Copyable {
  private let handle: OpaquePointer
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private let faults: FaultInjector?

  /// - Parameters:
  ///   - bus: the kernel's side: netfilter, or NETLINK_SOCK_DIAG.
  ///   - groups: a bit for each multicast group to listen to.
  init(
    bus: Int32 = NETLINK_NETFILTER, groups: UInt32 = 0, faults: FaultInjector? = nil
  ) throws(FirewallError) {
    if let code = faults?.next() { throw netlinkError("cannot open a netlink socket", code) }
    // Safe: from here on the handle belongs to this value alone; deinit closes it.
    unsafe self.handle = try unsafe Self.open(bus, groups)
    self.faults = faults
    // Room for an error answer to every message of a batch; without the privilege the default stays. The answers leave out
    // the request, which is known by its number. No call waits permanently.
    var size: Int32 = 8 << 20
    var on: Int32 = 1
    var wait = timeval(tv_sec: 10, tv_usec: 0)
    // Safe: options are copied from locals of the length named.
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, 4)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, 4)
    unsafe mnl_socket_setsockopt(handle, Int32(NETLINK_CAP_ACK), &on, 4)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
  }

  private static func open(_ bus: Int32, _ groups: UInt32) throws(FirewallError) -> OpaquePointer {
    // Safe: libmnl's constructor, checked.
    guard let handle = unsafe mnl_socket_open2(bus, Int32(SOCK_CLOEXEC.rawValue)) else {
      throw netlinkError("cannot open a netlink socket", errno)
    }
    // Safe: a valid handle, closed where it is not returned.
    guard unsafe mnl_socket_bind(handle, groups, 0) == 0 else {
      let code = errno
      unsafe mnl_socket_close(handle)
      throw netlinkError("cannot bind a netlink socket", code)
    }
    return unsafe handle
  }

  // Safe: the handle is open as long as this value lives; closed once.
  deinit { unsafe mnl_socket_close(handle) }

  var descriptor: Int32 {
    // Safe: reads a field of the open handle.
    unsafe mnl_socket_get_fd(handle)
  }

  /// The address that the kernel gave this socket; its notifications name it as their cause.
  var port: UInt32 {
    // Safe: reads a field of the open handle.
    unsafe mnl_socket_get_portid(handle)
  }

  /// Drops in the kernel what the socket of number `port` causes: thousands of changes of one's own would fill the buffer
  /// before they are read, and one could not know any more whether somebody else's were among them. Where the kernel refuses,
  /// everything is received. (linux/filter.h; a datagram of notifications is of one cause, which its first header names.)
  func ignoreNotifications(by port: UInt32) {
    var program = [
      sock_filter(
        code: UInt16(BPF_LD | BPF_W | BPF_ABS), jt: 0, jf: 0, k: UInt32(MemoryLayout<nlmsghdr>.offset(of: \.nlmsg_pid)!)
      ),
      // The kernel reads the word as one of the network's byte order.
      sock_filter(code: UInt16(BPF_JMP | BPF_JEQ | BPF_K), jt: 0, jf: 1, k: port.bigEndian),
      sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: 0),
      sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: .max),
    ]
    // Safe: the kernel copies the program during the call.
    unsafe program.withUnsafeMutableBufferPointer { instructions in
      var filter = unsafe sock_fprog(len: UInt16(instructions.count), filter: instructions.baseAddress)
      unsafe setsockopt(
        descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &filter, socklen_t(MemoryLayout<sock_fprog>.size))
    }
  }

  /// Makes room for a datagram of `count` bytes; the kernel refuses one that is larger than the buffer.
  func reserveSending(_ count: Int) {
    guard count > 8 << 20 else { return }
    var size = Int32(clamping: count + count / 8)
    // Safe: copied from a local of the length named.
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, 4)
  }

  /// Sends all of `bytes` in one datagram.
  func send(_ bytes: [UInt8]) throws(FirewallError) {
    if let code = faults?.next() { throw netlinkError("cannot send to the kernel", code) }
    while true {
      // Safe: reads the array's own bytes during the call.
      let count = unsafe bytes.withUnsafeBytes { unsafe mnl_socket_sendto(handle, $0.baseAddress, $0.count) }
      if count == bytes.count { return }
      guard count < 0, errno == EINTR else {
        throw netlinkError("cannot send to the kernel", count < 0 ? errno : EMSGSIZE)
      }
    }
  }

  /// Hands one datagram to `body`.
  mutating func receive(_ body: (borrowing Span<UInt8>) -> Void) throws(FirewallError) {
    if let code = faults?.next() { throw netlinkError("cannot read the kernel's answer", code) }
    while true {
      // Safe: writes at most the buffer's count.
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe mnl_socket_recvfrom(handle, $0.baseAddress, $0.count) }
      if count >= 0 {
        body(buffer.span.extracting(first: count))
        return
      }
      guard errno == EINTR else { throw netlinkError("cannot read the kernel's answer", errno) }
    }
  }
}

func netlinkError(_ what: String, _ code: Int32) -> FirewallError {
  code == EPERM || code == EACCES
    ? .notPermitted() : FirewallError(.netlink, "\(what) (netlink): \(SystemError.text(code))")
}

extension FirewallError {
  /// CAP_NET_ADMIN alone is not enough: `iptables -m set` opens a raw socket.
  static func notPermitted(program: String? = nil) -> FirewallError {
    FirewallError(
      .notPermitted,
      "\(program.map { "\($0) is " } ?? "")not permitted to change the firewall: run as root or with CAP_NET_ADMIN and "
        + "CAP_NET_RAW, or use the dry-run backend, which changes nothing")
  }
}

/// Makes the n-th netlink call fail, for tests that ask what is true afterwards.
package final class FaultInjector: Sendable {
  private let left: Mutex<Int>
  private let code: Int32

  /// - Parameter failing: which call fails, from 1; later ones succeed.
  package init(failing: Int, with code: Int32) {
    left = Mutex(failing)
    self.code = code
  }

  /// Has the call that fails been reached?
  package var isSpent: Bool { left.withLock { $0 <= 0 } }

  func next() -> Int32? {
    left.withLock {
      $0 -= 1
      return $0 == 0 ? code : nil
    }
  }
}
