/// `failures`: which programs may report failures, for which jails.
public struct FailureSettings: Sendable, Equatable {
  /// A user, or the members of a group, and the jails that they may report for.
  public struct Sender: Sendable, Equatable {
    public enum Name: Sendable, Equatable {
      case user(String)
      case group(String)
    }

    public var name: Name
    public var jails: Set<String>

    public init(_ name: Name, jails: Set<String>) {
      self.name = name
      self.jails = jails
    }
  }

  /// The datagram socket, which everybody may write to; who is not in `allow` is not listened to.
  public var socket: String
  /// In the order of the file.
  public var allow: [Sender]

  public static let usualSocket = "/run/bailiff/failures.sock"

  public init(socket: String = usualSocket, allow: [Sender] = []) {
    self.socket = socket
    self.allow = allow
  }

  /// May a user with these groups report for `jail`?
  public func admits(user: String, groups: Set<String>, jail: String) -> Bool {
    allow.contains { sender in
      let isMeant =
        switch sender.name {
        case .user(let name): name == user
        case .group(let name): groups.contains(name)
        }
      return isMeant && sender.jails.contains(jail)
    }
  }
}
