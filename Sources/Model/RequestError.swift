/// Why a request was not done, the same for a command that works by itself, the API and its client.
public struct RequestError: Error, Hashable, Sendable, Codable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// Nobody answers on the socket.
    case notRunning = "not_running"
    /// The socket, or the daemon behind it, does not admit this user.
    case notPermitted = "not_permitted"
    /// The request makes no sense: a malformed id, an unknown jail, settings that are wrong.
    case invalid
    /// Understood, and the answer is no: the id is not banned, the ban would lock somebody out.
    case rejected = "no"
    /// It was tried and could not be done: the firewall refused, the store is full.
    case failed
    /// The daemon did not answer in time.
    case deadline
    /// Nobody is logged in, or the token is not known.
    case unauthenticated
    /// Too often in too short a time.
    case tooMany = "too_many"
    /// There is no such endpoint, or nothing of that name.
    case notFound = "not_found"
    /// The server is not called by the name in the request's `Host`.
    case misdirected
  }

  public var kind: Kind
  /// One line: what is wrong and where.
  public var message: String
  /// What would help; nil when the message says it.
  public var remedy: String?

  public init(_ kind: Kind, _ message: String, remedy: String? = nil) {
    self.kind = kind
    self.message = message
    self.remedy = remedy
  }
}

extension RequestError: CustomStringConvertible {
  public var description: String { remedy.map { "\(message); \($0)" } ?? message }
}
