/// Why something could not be fetched or sent.
public struct TransferError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// There is no libcurl on this machine.
    case unavailable
    /// What was asked for makes no sense: a URL that is none.
    case invalid
    case resolve
    case connect
    /// The certificate does not fit, or the server does not offer TLS. Nothing was sent.
    case tls
    case timeout
    /// The connection ended before the answer was whole: the receiver may have got it.
    case interrupted
    case tooLarge
    /// A mail server's answer, with its code (RFC 5321, 4.2): 4xx may work later, 5xx will not.
    case refused(Int)
  }

  public var kind: Kind
  /// One line. Never holds a password, or more of a URL than its host.
  public var message: String

  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  public var description: String { message }
}
