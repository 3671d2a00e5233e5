import Glibc
import HTTPServing
import Model
import Synchronization
import System

/// Whom the daemon listens to on its Unix socket.
final class Admission: Sendable {
  private let admitted: Mutex<(group: UInt32?, name: String?)>

  init(group: UInt32? = nil, groupName: String? = nil) { admitted = Mutex((group, groupName)) }

  /// From now on; whoever is connected stays.
  func admit(group: UInt32?, groupName: String?) { admitted.withLock { $0 = (group, groupName) } }

  /// What the process at the other end may do.
  /// - Throws: `RequestError` when it is nobody's business.
  func role(of peer: PeerCredentials) throws(RequestError) -> Role {
    let (group, groupName) = admitted.withLock { $0 }
    if peer.uid == 0 || peer.uid == geteuid() { return .administer }
    if let group, peer.isMember(of: group) { return .operate }
    let admitted = groupName.map { "root and members of group \($0)" } ?? "root"
    throw RequestError(
      .notPermitted, "uid \(peer.uid) may not control bailiff; only \(admitted) may",
      remedy: groupName.map { "use sudo, or join the group: usermod -aG \($0) USER" } ?? "use sudo")
  }
}
