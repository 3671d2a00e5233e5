internal import CLinux
internal import Glibc

/// A datagram socket at a path (unix(7)) that everybody may send to, and that says who did.
///
/// ```swift
/// let listener = try DatagramListener("/run/example.sock", mode: 0o666)
/// while let datagram = listener.receive() { listener.answer(datagram, Array("ok".utf8)) }   // until `stop`
/// ```
public final class DatagramListener: Sendable {
  private let descriptor: Descriptor
  private let path: String
  private let inode: UInt64?

  public struct Datagram: Sendable {
    public var bytes: [UInt8]
    /// Was it longer than `largest`?
    public var isTooLong: Bool
    /// As the kernel says.
    public var uid: UInt32
    public var gid: UInt32
    public var pid: Int32
    /// The sender's own address, if it has bound one: a struct sockaddr_un's bytes.
    fileprivate var sender: [UInt8]
  }

  /// Bytes that a datagram may have.
  public static let largest = 16 << 10

  /// A socket that is left over from before is replaced; one that another process reads is an error, and so is any other file.
  public init(_ path: String, mode: UInt32) throws(SystemError) {
    let operation = "listen on \(path)"
    if (try? DatagramSocket.unix(path)) != nil { throw SystemError(code: EADDRINUSE, operation: operation) }
    if let status = try? FileStatus.ofLink(path: path), !status.isSocket {
      throw SystemError(code: EEXIST, operation: operation)
    }
    // Safe: unlink(2) and chmod(2) read the path during the call.
    _ = unsafe unlink(path)
    let raw = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard raw >= 0 else { throw .last(operation) }
    descriptor = Descriptor(raw)
    var isOn: Int32 = 1
    // Safe: setsockopt(2) reads one int.
    unsafe setsockopt(raw, SOL_SOCKET, SO_PASSCRED, &isOn, socklen_t(MemoryLayout<Int32>.size))
    let result = try unsafe withUnixAddress(path) { unsafe Glibc.bind(raw, $0, $1) }
    guard result == 0, unsafe chmod(path, mode) == 0 else { throw .last(operation) }
    self.path = path
    inode = (try? FileStatus.of(path: path))?.inode
  }

  deinit { stop() }

  /// Waits for the next one whose sender the kernel vouches for; nil when the listener has been stopped.
  public func receive() -> Datagram? {
    var buffer = [UInt8](repeating: 0, count: Self.largest)
    while true {
      var id: [UInt32] = [0, 0, 0]
      var hasID: Int32 = 0
      var from = sockaddr_un()
      var length: UInt32 = 0
      // Safe: the kernel writes at most the array's size, three numbers, and an address.
      let count = retrying {
        unsafe buffer.withUnsafeMutableBytes { room in
          unsafe bailiff_receive(descriptor.raw, room.baseAddress, room.count, &id, &hasID, &from, &length)
        }
      }
      // shutdown(2) ends waiting with an empty datagram that nobody sent.
      guard count > 0 || count == 0 && hasID == 1 && id[0] != 0 else { return nil }
      guard hasID == 1 else { continue }
      let isTooLong = count > buffer.count
      let sender = unsafe withUnsafeBytes(of: &from) { unsafe Array($0.prefix(Int(length))) }
      return Datagram(
        bytes: isTooLong ? [] : Array(buffer.prefix(count)), isTooLong: isTooLong, uid: id[1], gid: id[2],
        pid: Int32(bitPattern: id[0]), sender: sender)
    }
  }

  /// To a sender that has an address; one that does not read gets nothing.
  public func answer(_ datagram: Datagram, _ bytes: [UInt8]) {
    guard datagram.sender.count > MemoryLayout<sa_family_t>.size else { return }
    // Safe: the address is the kernel's own, as many bytes as it wrote; sendto(2) reads both arrays during the call.
    _ = unsafe datagram.sender.withUnsafeBytes { address in
      unsafe sendto(
        descriptor.raw, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL),
        address.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(address.count))
    }
  }

  /// From any thread. Removes the file if it still is this socket.
  public func stop() {
    _ = shutdown(descriptor.raw, Int32(SHUT_RDWR))
    if let inode, (try? FileStatus.of(path: path))?.inode == inode { _ = unsafe unlink(path) }
  }
}
