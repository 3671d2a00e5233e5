internal import Glibc

/// Who connected, by the kernel: `SO_PEERCRED` and `SO_PEERGROUPS` of unix(7) and socket(7).
package struct PeerCredentials: Sendable {
  package var pid: Int32
  package var uid: UInt32
  package var gid: UInt32
  /// Supplementary groups.
  package var groups: [UInt32]

  init?(socket: CInt) {
    // `struct ucred` is three 32-bit numbers: pid, uid, gid.
    var cred: (pid: Int32, uid: UInt32, gid: UInt32) = (0, 0, 0)
    var length = socklen_t(MemoryLayout.size(ofValue: cred))
    // Safe: the kernel writes at most `length` bytes, the size of the tuple.
    guard unsafe getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &length) == 0, cred.pid != 0 else { return nil }
    pid = cred.pid
    uid = cred.uid
    gid = cred.gid
    groups = Self.groups(socket: socket)
  }

  private static func groups(socket: CInt) -> [UInt32] {
    let peerGroups: CInt = 59  // SO_PEERGROUPS, <asm-generic/socket.h>, Linux 4.13
    var groups = [UInt32](repeating: 0, count: 64)
    while true {
      var length = socklen_t(groups.count * 4)
      // Safe: the kernel writes at most `length` bytes, the array's size.
      let result = unsafe getsockopt(socket, SOL_SOCKET, peerGroups, &groups, &length)
      if result == 0 { return Array(groups.prefix(Int(length) / 4)) }
      // ERANGE sets `length` to what is needed; NGROUPS_MAX is 65,536.
      guard errno == ERANGE, Int(length) / 4 > groups.count, length <= 4 * 65_536 else { return [] }
      groups = [UInt32](repeating: 0, count: Int(length) / 4)
    }
  }

  package func isMember(of group: UInt32) -> Bool { gid == group || groups.contains(group) }
}
