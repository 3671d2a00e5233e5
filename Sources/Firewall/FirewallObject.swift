/// Something of ours that is in the kernel.
public struct FirewallObject: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    /// A table of nf_tables.
    case table
    /// A chain that packets enter, or that counts what a jail refuses.
    case chain
    /// A rule in somebody else's chain that leads to ours.
    case jump
    /// A set of ipset or nf_tables.
    case set
  }

  public var backend: FirewallBackend
  public var kind: Kind
  /// As the programs `nft`, `iptables` and `ipset` call it.
  public var name: String
  /// The bans in a set; nil: it holds none.
  public var entries: Int?
  /// What a chain's bans have refused.
  public var refused: PacketCount?

  init(_ backend: FirewallBackend, _ kind: Kind, _ name: String, entries: Int? = nil, refused: PacketCount? = nil) {
    self.backend = backend
    self.kind = kind
    self.name = name
    self.entries = entries
    self.refused = refused
  }
}

extension FirewallBackend {
  /// What each backend has in the kernel, in this network namespace.
  public static func inventory() throws(FirewallError) -> [FirewallObject] {
    // nf_tables first: it tells who may not look.
    try NFTablesActuator().inventory() + IPSetActuator().inventory()
  }

  /// Removes everything of ours, whichever backend and whichever run made it; nothing to remove is no error. What can be
  /// removed is, also when something else cannot.
  public static func clearAll() throws(FirewallError) {
    var failure: FirewallError?
    for backend in [FirewallBackend.nftables, .ipset] {
      do { try backend.makeActuator().clear() } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }
}
