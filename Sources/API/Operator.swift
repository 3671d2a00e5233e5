internal import Glibc
public import Model

/// Who asks: on the Unix socket as the kernel vouches for it when it was connected (`SO_PEERCRED`, unix(7)), on TCP by a
/// token or a session.
public struct Operator: Hashable, Sendable {
  /// Of a process of this machine; nil: the request came by TCP.
  public var uid: UInt32?
  public var gid: UInt32?
  public var pid: Int32?
  /// The name of `uid` (the number when it has none), of the person who is logged in, or of the token.
  public var user: String
  public var role: Role
  /// Is `user` a token's name?
  public var isToken = false
  /// Where a request by TCP came from.
  public var address: Address?
  /// Who logged in before `sudo` or `su`, by the kernel's login uid (`/proc/PID/loginuid`); nil where there is none.
  public var loginUID: UInt32?
  public var loginUser: String?
  /// Where the operator's own SSH session comes from, as the client says; it serves only to keep operators from locking
  /// themselves out, so a lie gains nothing.
  public var session: Address?

  public init(
    uid: UInt32, gid: UInt32, pid: Int32, user: String, role: Role, loginUID: UInt32? = nil, loginUser: String? = nil,
    session: Address? = nil
  ) {
    self.uid = uid
    self.gid = gid
    self.pid = pid
    self.user = user
    self.role = role
    self.loginUID = loginUID
    self.loginUser = loginUser
    self.session = session
  }
}

extension Operator {
  init(user: String, role: Role, address: Address) {
    (self.user, self.role, self.address) = (user, role, address)
    session = address
  }

  init(token: String, role: Role, address: Address) {
    (user, self.role, self.address) = (token, role, address)
    isToken = true
  }
}

extension Operator {
  /// For the audit: who came by TCP acts with this process's rights.
  public var actingUID: UInt32 { uid ?? geteuid() }

  /// A command as the audit writes it down, with who sent it by TCP.
  public func signed(_ command: String) -> String { address == nil ? command : "\(command) (\(self))" }
}

extension Operator: CustomStringConvertible {
  /// `root`, `root (logged in as alice)`, `alice from 192.0.2.7`, `token ci from 192.0.2.7`.
  public var description: String {
    if let address { return "\(isToken ? "token " : "")\(user) from \(address)" }
    guard let loginUser, loginUID != uid else { return user }
    return "\(user) (logged in as \(loginUser))"
  }
}
