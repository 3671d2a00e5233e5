import Glibc
import Model
import System

/// The socket's file: made ready before binding, opened to its group after it, removed at the end.
struct SocketFile: Sendable {
  var path: String

  /// The longest path that fits `sun_path` (unix(7)) with its final zero.
  static let longestPath = 107

  /// Checks that nobody answers on the path, and removes a socket that a dead daemon left behind.
  func prepare() throws(RequestError) {
    guard !path.isEmpty, path.utf8.count <= Self.longestPath else {
      throw RequestError(
        .invalid, "socket \(path): the path has \(path.utf8.count) bytes",
        remedy: "a Unix socket's path has 1 to \(Self.longestPath); set a shorter `socket:`")
    }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      // A directory that cannot be made is reported by bind.
      _ = unsafe mkdir(String(path[..<slash]), 0o755)
    }
    guard let status = try? FileStatus.ofLink(path: path) else { return }
    guard status.isSocket else {
      throw RequestError(
        .failed, "\(path) exists and is no socket", remedy: "move it away, or set another path as `socket:`")
    }
    guard !isAnswered() else {
      throw RequestError(
        .failed, "another bailiff answers on \(path)", remedy: "stop it first, or set another path as `socket:`")
    }
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw RequestError(.failed, "cannot remove the old socket \(path): \(SystemError.text(errno))")
    }
  }

  /// Opens the socket to its owner and, when there is one, the group; to nobody else.
  func admit(group: UInt32?) throws(RequestError) {
    if let group, unsafe chown(path, uid_t.max, group) != 0 {
      throw RequestError(
        .failed, "cannot give \(path) to group \(group): \(SystemError.text(errno))",
        remedy: "run as root or as a member of the group")
    }
    guard unsafe chmod(path, 0o660) == 0 else {
      throw RequestError(.failed, "cannot set the mode of \(path): \(SystemError.text(errno))")
    }
  }

  /// Which file it is, so that at the end only our own is removed.
  func identity() -> UInt64? { (try? FileStatus.ofLink(path: path))?.inode }

  func remove(ifStill identity: UInt64?) {
    if let identity, self.identity() == identity { _ = unsafe unlink(path) }
  }

  private func isAnswered() -> Bool {
    let probe = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard probe >= 0 else { return false }
    defer { close(probe) }
    let result = connectUnix(probe, path)
    // EAGAIN: somebody listens whose backlog is full.
    return result == 0 || errno == EAGAIN || errno == EINPROGRESS
  }
}
