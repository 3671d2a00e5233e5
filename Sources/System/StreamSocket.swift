internal import CLinux
internal import Glibc

/// A question to a server on a Unix socket that answers and hangs up.
public enum StreamSocket {
  /// Returns what it answers until it closes, at most `limit` bytes. Waits `seconds` at most for each piece.
  public static func ask(
    _ path: String, _ bytes: [UInt8], seconds: Int = 10, limit: Int = 256 << 20
  ) throws(SystemError) -> [UInt8] {
    let socket = Descriptor(Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
    guard socket.isOpen else { throw .last("connect to \(path)") }
    socket.limitWaiting(seconds: seconds)
    let result = try unsafe withUnixAddress(path) { unsafe Glibc.connect(socket.raw, $0, $1) }
    guard result == 0 else { throw .last("connect to \(path)") }
    try socket.write(bytes)
    var answer: [UInt8] = []
    while answer.count <= limit {
      let piece = try socket.read()
      if piece.isEmpty { return answer }
      answer += piece
    }
    throw SystemError(code: EMSGSIZE, operation: "read the answer of \(path)")
  }
}
