internal import Cryptography
internal import Model
internal import Synchronization

/// Who is logged in, in memory: a restart of the daemon ends all sessions. Only hashes of their keys are kept.
final class SessionTable: Sendable {
  struct Session: Hashable, Sendable {
    var user: String
    var started: Instant
    var used: Instant
    var address: Address?
    /// What forms and scripts send back, so that no other site can act for the person (CSRF).
    var csrf: String
  }

  /// Without use, and at most.
  static let idle = TimeSpan.hours(12)
  static let longest = TimeSpan.hours(7 * 24)
  private static let most = 1000

  private let sessions = Mutex<[[UInt8]: Session]>([:])

  /// Returns the key, for the cookie.
  func start(_ user: String, address: Address?, at now: Instant) -> (key: String, session: Session) {
    let key = Base64URL.text(Digest.random(32))
    let session = Session(
      user: user, started: now, used: now, address: address, csrf: Base64URL.text(Digest.random(32)))
    sessions.withLock { sessions in
      sessions = sessions.filter { !Self.isOver($0.value, now) }
      // The oldest go first when somebody logs in again and again.
      if sessions.count >= Self.most, let oldest = sessions.min(by: { $0.value.used < $1.value.used })?.key {
        sessions[oldest] = nil
      }
      sessions[Self.hash(key)] = session
    }
    return (key, session)
  }

  /// - Parameter isUse: Whether the person did something, which makes the session last.
  func find(_ key: String, at now: Instant, isUse: Bool = true) -> Session? {
    sessions.withLock { sessions in
      let hash = Self.hash(key)
      guard let session = sessions[hash] else { return nil }
      guard !Self.isOver(session, now) else {
        sessions[hash] = nil
        return nil
      }
      if isUse { sessions[hash]!.used = now }
      return session
    }
  }

  func end(_ key: String) { sessions.withLock { $0[Self.hash(key)] = nil } }

  /// All of a user's: the password was changed, or the user removed.
  func endAll(of user: String) { sessions.withLock { $0 = $0.filter { $0.value.user != user } } }

  private static func isOver(_ session: Session, _ now: Instant) -> Bool {
    now.since(session.used) > idle || now.since(session.started) > longest
  }

  private static func hash(_ key: String) -> [UInt8] { Digest.sha256(Array(key.utf8)) }
}
