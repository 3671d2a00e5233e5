internal import CLinux
internal import Glibc

/// A stream socket that listens at a path (unix(7)), for servers that give a thread to each connection.
///
/// ```swift
/// let listener = try UnixListener("/run/example.sock", mode: 0o600)
/// while let connection = listener.accept() { … }   // until `stop`
/// ```
public final class UnixListener: Sendable {
  private let descriptor: Descriptor
  private let path: String
  private let inode: UInt64?

  /// A socket on which nobody listens any more is replaced; any other file, and a socket that is answered, is an error.
  /// - Parameter path: at most 107 bytes.
  public init(_ path: String, mode: UInt32) throws(SystemError) {
    let operation = "listen on \(path)"
    if Self.isAnswered(path) { throw SystemError(code: EADDRINUSE, operation: operation) }
    if let status = try? FileStatus.of(path: path), status.kind != "a socket" {
      throw SystemError(code: EEXIST, operation: operation)
    }
    // Safe: unlink(2) and chmod(2) read the path during the call.
    _ = unsafe unlink(path)
    let raw = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard raw >= 0 else { throw .last(operation) }
    descriptor = Descriptor(raw)
    // Nobody connects before the mode is set: connecting needs the right to write, and umask(2) is the whole process's.
    let result = try unsafe withUnixAddress(path) { unsafe Glibc.bind(raw, $0, $1) }
    guard result == 0, unsafe chmod(path, mode) == 0, Glibc.listen(raw, 64) == 0 else { throw .last(operation) }
    self.path = path
    inode = (try? FileStatus.of(path: path))?.inode
  }

  deinit { stop() }

  /// Nil when the listener has been stopped.
  public func accept() -> Descriptor? {
    while true {
      let raw = retrying { Glibc.accept(descriptor.raw, nil, nil) }
      if raw >= 0 {
        // A child that is started between the two calls inherits it, and has no use for it.
        _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
        return Descriptor(raw)
      }
      // Too many open files, a connection that was given up: others follow (accept(2), "Error handling").
      guard [EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED].contains(errno) else { return nil }
      ServiceThread.sleep(seconds: 0.1)
    }
  }

  /// From any thread. Removes the file if it still is this socket.
  public func stop() {
    _ = shutdown(descriptor.raw, Int32(SHUT_RDWR))
    if let inode, (try? FileStatus.of(path: path))?.inode == inode { _ = unsafe unlink(path) }
  }

  private static func isAnswered(_ path: String) -> Bool {
    let probe = Descriptor(
      Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0))
    let result = try? unsafe withUnixAddress(path) { unsafe Glibc.connect(probe.raw, $0, $1) }
    // EAGAIN: somebody listens whose backlog is full.
    return result == 0 || result == -1 && errno == EAGAIN
  }
}

/// Lends `path` as connect(2) and bind(2) take it.
func withUnixAddress(
  _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) throws(SystemError) -> Int32 {
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
    throw SystemError(code: ENAMETOOLONG, operation: "use the path \(path)")
  }
  // Safe: the path with its zero fits, and `body` reads the struct during the call.
  unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
  return unsafe withUnsafePointer(to: &address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
    }
  }
}

extension Descriptor {
  /// The user at the other end of a Unix socket; nil when the kernel does not say.
  public var peerUser: UInt32? { peer?.uid }

  /// Who is at the other end (`SO_PEERCRED` of unix(7)).
  var peer: (pid: Int32, uid: UInt32)? {
    // `struct ucred`: pid, uid, gid.
    var credentials: (pid: Int32, uid: UInt32, gid: UInt32) = (0, 0, 0)
    var length = socklen_t(MemoryLayout.size(ofValue: credentials))
    // Safe: the kernel writes at most `length` bytes.
    guard unsafe getsockopt(raw, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0, credentials.pid != 0 else {
      return nil
    }
    return (credentials.pid, credentials.uid)
  }

  /// How long a socket's reads and writes wait before they fail with EAGAIN.
  public func limitWaiting(seconds: Int) {
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    // Safe: setsockopt(2) reads the struct during the call.
    unsafe setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    unsafe setsockopt(raw, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
  }

  /// What there is, at most `limit` bytes; empty at the end.
  public func read(_ limit: Int = 64 << 10) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: limit)
    // Safe: read(2) writes at most the array's size.
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      retrying { unsafe Glibc.read(raw, buffer.baseAddress, buffer.count) }
    }
    guard count >= 0 else { throw .last("read") }
    return Array(bytes.prefix(count))
  }
}
