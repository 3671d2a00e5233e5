/// `compat`: what others already speak, and where they are answered.
public struct CompatSettings: Sendable, Equatable {
  /// The socket on which fail2ban's client is answered.
  public var fail2ban: String?
  public var crowdsec: CrowdSec?
  /// Forward auth.
  public var check: TCPAddress?
  /// Figures at `/metrics`.
  public var prometheus: TCPAddress?

  public init() {}

  /// CrowdSec's local API, for its bouncers.
  public struct CrowdSec: Sendable, Equatable {
    public var listen: TCPAddress
    /// In the order of the file.
    public var keys: [Key]

    public struct Key: Sendable, Equatable {
      public var name: String
      public var key: Secret
    }
  }
}

/// Where a server listens.
public struct TCPAddress: Sendable, Hashable, CustomStringConvertible {
  /// An address, without brackets.
  public var host: String
  public var port: Int

  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
