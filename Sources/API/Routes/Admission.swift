import Glibc
import HTTPServing
import Model

/// Whom the daemon listens to on its Unix socket.
struct Admission: Sendable {
  var group: UInt32?
  var groupName: String?

  /// What the process at the other end may do.
  /// - Throws: `RequestError` when it is nobody's business.
  func role(of peer: PeerCredentials) throws(RequestError) -> Role {
    if peer.uid == 0 || peer.uid == geteuid() { return .administer }
    if let group, peer.isMember(of: group) { return .operate }
    let admitted = groupName.map { "root and members of group \($0)" } ?? "root"
    throw RequestError(
      .notPermitted, "uid \(peer.uid) may not control bailiff; only \(admitted) may",
      remedy: groupName.map { "use sudo, or join the group: usermod -aG \($0) USER" } ?? "use sudo")
  }
}
