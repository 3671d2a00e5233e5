import FoundationEssentials
import Glibc
import System

/// The socket's file: made ready before binding, opened to its group after it, removed at the end.
struct SocketFile: Sendable {
  var path: String

  /// The longest path that fits `sun_path` (unix(7)) with its final zero.
  static let longestPath = 107

  /// Checks that nobody answers on the path, and removes a socket that a dead daemon left behind.
  func prepare() throws(ControlError) {
    guard !path.isEmpty, path.utf8.count <= Self.longestPath else {
      throw ControlError(
        .invalid, "socket \(path): the path has \(path.utf8.count) bytes",
        remedy: "a Unix socket's path has 1 to \(Self.longestPath); set a shorter `socket:`")
    }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      // A directory that cannot be made is reported by bind.
      _ = unsafe mkdir(String(path[..<slash]), 0o755)
    }
    guard let attributes else { return }
    guard attributes[.type] as? FileAttributeType == .typeSocket else {
      throw ControlError(
        .failed, "\(path) exists and is no socket", remedy: "move it away, or set another path as `socket:`")
    }
    guard !isAnswered() else {
      throw ControlError(
        .failed, "another bailiff answers on \(path)", remedy: "stop it first, or set another path as `socket:`")
    }
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw ControlError(.failed, "cannot remove the old socket \(path): \(SystemError.text(errno))")
    }
  }

  /// Opens the socket to its owner and, when there is one, the group; to nobody else.
  func admit(group: UInt32?) throws(ControlError) {
    if let group, unsafe chown(path, uid_t.max, group) != 0 {
      throw ControlError(
        .failed, "cannot give \(path) to group \(group): \(SystemError.text(errno))",
        remedy: "run as root or as a member of the group")
    }
    guard unsafe chmod(path, 0o660) == 0 else {
      throw ControlError(.failed, "cannot set the mode of \(path): \(SystemError.text(errno))")
    }
  }

  /// Which file it is, so that at the end only our own is removed.
  func identity() -> UInt64? {
    (attributes?[.systemFileNumber] as? any BinaryInteger).map { UInt64(truncatingIfNeeded: $0) }
  }

  /// lstat(2), without following a link.
  private var attributes: [FileAttributeKey: Any]? { try? FileManager.default.attributesOfItem(atPath: path) }

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
