import Glibc

/// A connection to the daemon's socket that ends at a deadline.
struct ClientConnection: ~Copyable {
  private let descriptor: CInt
  /// On the monotonic clock.
  private let end: ContinuousClock.Instant
  /// What has come and was not taken yet.
  private var received: [UInt8] = []
  private var taken = 0

  enum Failure: Error {
    case connect(errno: CInt)
    case deadline
    /// The daemon closed it, or it broke.
    case closed
  }

  /// - Parameter path: at most `SocketFile.longestPath` bytes.
  init(_ path: String, seconds: Int64) throws(Failure) {
    end = .now + .seconds(seconds)
    descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw .connect(errno: errno) }
    // A backlog that is full (EAGAIN) empties when the daemon accepts; poll(2) does not wait for that.
    while connectUnix(descriptor, path) != 0 {
      guard errno == EAGAIN || errno == EINTR else { throw .connect(errno: errno) }
      guard .now < end else { throw .deadline }
      usleep(10_000)
    }
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) throws(Failure) {
    var start = 0
    while start < bytes.count {
      // Safe: the pointer covers the bytes from `start` and stays inside the call.
      let count = unsafe bytes[start...].withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        start += count
      } else if errno == EAGAIN {
        try wait(for: POLLOUT)
      } else if errno == EPIPE || errno == ECONNRESET {
        // The daemon has answered before the request's end: the answer can still be read.
        return
      } else if errno != EINTR {
        throw .closed
      }
    }
  }

  /// The next line without its CR LF, of at most `limit` bytes.
  mutating func line(limit: Int = 64 << 10) throws(Failure) -> String {
    var searched = taken
    while true {
      if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = received[taken..<end]
        taken = end + 1
        return String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
      }
      guard received.count - taken <= limit else { throw .closed }
      searched = received.count
      let before = taken
      guard try fill() else { throw .closed }
      searched -= before - taken
    }
  }

  /// Whatever has come, at most `limit` bytes; empty at the end.
  mutating func bytes(limit: Int = .max) throws(Failure) -> ArraySlice<UInt8> {
    if taken == received.count, try !fill() { return [] }
    let next = received[taken..<taken + min(limit, received.count - taken)]
    taken = next.endIndex
    return next
  }

  /// Reads once more; false at the end.
  private mutating func fill() throws(Failure) -> Bool {
    received.removeFirst(taken)
    taken = 0
    let size = 64 << 10
    while true {
      let old = received.count
      received.append(contentsOf: repeatElement(0, count: size))
      // Safe: at most `size` bytes are written behind the `old` ones.
      let count = unsafe received.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress! + old, size, 0) }
      let code = errno
      received.removeLast(size - max(0, count))
      if count >= 0 { return count > 0 }
      if code == EAGAIN {
        try wait(for: POLLIN)
      } else if code != EINTR {
        throw .closed
      }
    }
  }

  private func wait(for events: CInt) throws(Failure) {
    while true {
      let left = end - .now
      guard left > .zero else { throw .deadline }
      let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
      var poll = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      // Safe: one entry, which the call fills.
      let result = unsafe Glibc.poll(&poll, 1, CInt(clamping: milliseconds))
      if result > 0 { return }
      guard result == 0 || errno == EINTR else { throw .closed }
    }
  }
}

/// connect(2) to a Unix socket; 0, or -1 with errno.
func connectUnix(_ descriptor: CInt, _ path: String) -> CInt {
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  let bytes = Array(path.utf8.prefix(SocketFile.longestPath))
  // Safe: the path is shorter than `sun_path`, whose rest stays zero.
  unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
  // Safe: the pointer is used only inside the call, with the structure's own size.
  return unsafe withUnsafePointer(to: &address) {
    unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
    }
  }
}
