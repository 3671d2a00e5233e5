import HTTPServing
import Model
import System

extension PeerCredentials {
  /// The same with names; `session` is the client's word.
  func named(session: Address?, role: Role) -> Operator {
    let login = Self.loginUID(pid: pid)
    return Operator(
      uid: uid, gid: gid, pid: pid, user: Accounts.userName(uid) ?? "\(uid)", role: role, loginUID: login,
      loginUser: login.map { Accounts.userName($0) ?? "\($0)" }, session: session)
  }

  /// The uid that logged in, which `sudo` and `su` do not change (pam_loginuid(8)); the kernel says -1 where nobody did.
  private static func loginUID(pid: Int32) -> UInt32? {
    guard let text = SmallFile.text("/proc/\(pid)/loginuid"), let uid = UInt32(text.prefix { $0.isNumber }), uid != .max
    else {
      return nil
    }
    return uid
  }
}
