/// What is counted and banned: an address or its prefix, or (from fail2ban filters with `<F-ID>`) any text.
public enum Identity: Hashable, Sendable {
  case network(Subnet)
  case name(String)

  /// `text` as an address or a block when it is one, else as a name.
  public init(_ text: String) {
    if let subnet = Subnet(text) { self = .network(subnet) } else { self = .name(text) }
  }

  /// What a firewall can block; nil for a name.
  public var subnet: Subnet? {
    if case .network(let subnet) = self { subnet } else { nil }
  }
}

extension Identity: CustomStringConvertible {
  public var description: String {
    switch self {
    case .network(let subnet): subnet.description
    case .name(let name): name
    }
  }
}
