/// Why a request was not done, the same on both sides of the socket: a handler throws it, the client rethrows it.
public struct ControlError: Error, Hashable, Sendable, Codable {
  public enum Kind: String, Sendable, Codable {
    /// Nobody answers on the socket.
    case notRunning = "not_running"
    /// The socket, or the daemon behind it, does not admit this user.
    case notPermitted = "not_permitted"
    /// The request makes no sense: a malformed id, an unknown jail, settings that are wrong.
    case invalid
    /// Understood, and the answer is no: the id is not banned, the ban would lock somebody out.
    case rejected = "no"
    /// The daemon tried and could not: the firewall refused, the store is full.
    case failed
    /// The daemon did not answer in time.
    case deadline
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

extension ControlError: CustomStringConvertible {
  public var description: String { remedy.map { "\(message); \($0)" } ?? message }
}

/// What an error looks like on the wire: `{"error":{"kind":"no","message":"192.0.2.7 is not banned"}}`.
struct ErrorReply: Codable {
  var error: ControlError
}
