public import Model

/// Who asks, as the kernel vouches for it when the socket was connected (`SO_PEERCRED`, unix(7)).
public struct Operator: Hashable, Sendable {
  public var uid: UInt32
  public var gid: UInt32
  public var pid: Int32
  /// The name of `uid`; the number when it has none.
  public var user: String
  /// Who logged in before `sudo` or `su`, by the kernel's login uid (`/proc/PID/loginuid`); nil where there is none.
  public var loginUID: UInt32?
  public var loginUser: String?
  /// Where the operator's own SSH session comes from, as the client says; it serves only to keep operators from locking
  /// themselves out, so a lie gains nothing.
  public var session: Address?

  public init(
    uid: UInt32, gid: UInt32, pid: Int32, user: String, loginUID: UInt32? = nil, loginUser: String? = nil,
    session: Address? = nil
  ) {
    self.uid = uid
    self.gid = gid
    self.pid = pid
    self.user = user
    self.loginUID = loginUID
    self.loginUser = loginUser
    self.session = session
  }
}

extension Operator: CustomStringConvertible {
  /// `root`, or `root (logged in as alice)`.
  public var description: String {
    guard let loginUser, loginUID != uid else { return user }
    return "\(user) (logged in as \(loginUser))"
  }
}
