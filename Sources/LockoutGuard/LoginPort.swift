public import Model

/// Where people are logged in from, and on which port of this machine: what a firewall must leave open for them.
public struct LoginPort: Hashable, Sendable {
  public var address: Address
  public var port: UInt16

  /// What sshd listens on unless told.
  public static let usual: UInt16 = 22

  /// Sessions whose port nobody tells are on the usual one.
  public static func collect(sparing: SparedSessions) -> [LoginPort] {
    guard sparing != .none else { return [] }
    let administrators = Administrators.collect()
    let sessions = Sessions.collect().filter { session in
      sparing == .everybody || session.user.map(administrators.mayBecomeRoot) ?? true
    }
    let known = Set(sessions.filter { $0.port != nil }.map(\.address))
    return sessions.filter { $0.port != nil || !known.contains($0.address) }
      .map { LoginPort(address: $0.address, port: $0.port ?? usual) }
      .sorted { ($0.address, $0.port) < ($1.address, $1.port) }
  }
}
