internal import CLinux
internal import Glibc

/// A name that one process at a time has in a network namespace: a listening socket with an abstract address (unix(7)), which
/// ends with its process, however that ends.
public final class NamespaceLock: Sendable {
  /// Who has it; nil where the kernel does not say.
  public struct Holder: Sendable {
    public var pid: Int32
    public var uid: UInt32
    /// Its arguments, as far as they may be read.
    public var command: String
  }

  public enum Failure: Error {
    case held(Holder?)
    case system(SystemError)
  }

  private let socket: Descriptor

  public init(_ name: String) throws(Failure) {
    // A name that begins with a zero byte is in no directory.
    let address = "\0" + name
    let operation = "bind @\(name)"
    let raw = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard raw >= 0 else { throw .system(.last(operation)) }
    socket = Descriptor(raw)
    let result: Int32
    do throws(SystemError) {
      result = try unsafe withUnixAddress(address) { unsafe Glibc.bind(raw, $0, $1) }
    } catch { throw .system(error) }
    guard result != 0 else {
      guard Glibc.listen(raw, 16) == 0 else { throw .system(.last(operation)) }
      return
    }
    guard errno == EADDRINUSE else { throw .system(.last(operation)) }
    throw .held(Self.holder(address))
  }

  /// The one that listens, by the credentials that the kernel keeps of it.
  private static func holder(_ address: String) -> Holder? {
    let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let probe = Descriptor(Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0))
    guard (try? unsafe withUnixAddress(address) { unsafe Glibc.connect(probe.raw, $0, $1) }) == 0,
      let peer = probe.peer
    else { return nil }
    let words = (SmallFile.text("/proc/\(peer.pid)/cmdline") ?? "").split(separator: "\0")
    return Holder(pid: peer.pid, uid: peer.uid, command: words.joined(separator: " "))
  }
}
