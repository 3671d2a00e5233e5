/// `fleet`: servers that count together over NATS.
public struct FleetSettings: Sendable, Equatable {
  /// `nats://HOST:4222`, `tls://…`; any one of a cluster leads to the others.
  public var servers: [String]
  /// A file of credentials (JWT and seed) as nsc(1) writes it.
  public var credentials: String?
  public var user: String?
  public var password: Secret?
  public var tls: TLS?
  /// What this server is called among the others; unique.
  public var name: String
  /// Where it is: what may be compromised or wrong together.
  public var site: String
  /// Does it decide for the fleet, too?
  public var aggregates = false
  /// A fleet ban takes failures on so many servers …
  public var nodes = 3
  /// … of so many sites.
  public var sites = 2
  /// What user names are hashed with; nil: they stay here.
  public var key: Secret?
  /// Public keys (Ed25519, base64url) whose orders are obeyed.
  public var operators: [String] = []
  /// The file of this operator's private key: only where orders are given.
  public var operatorKey: String?

  /// Files in PEM.
  public struct TLS: Sendable, Equatable {
    public var authority: String?
    public var certificate: String?
    public var key: String?

    public init() {}
  }

  public init(servers: [String], name: String, site: String = "main") {
    self.servers = servers
    self.name = name
    self.site = site
  }

  /// Can it be a part of a NATS subject?
  public static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
      }
  }

  /// A server counts at most 1000 failures of an id: the aggregators hold what it says in 12 bits.
  public static let highestLimit = 1000
}
