import CMnl
import Glibc
import System

/// A backend, and why it is this one.
public struct BackendChoice: Hashable, Sendable {
  public var backend: FirewallBackend
  /// For `status` and `check`: `iptables has rules on this machine`.
  public var reason: String

  public init(_ backend: FirewallBackend, because reason: String) {
    self.backend = backend
    self.reason = reason
  }

  /// What `backend: auto` means on this machine, in the network namespace of the calling thread.
  ///
  /// nftables where the ruleset is nftables' own or where the programs for ipset are not all there; ipset where iptables is
  /// what this machine's rules are written with, so that whoever looks at them sees ours among them.
  public static func automatic() -> BackendChoice { automatic(Programs()) }

  static func automatic(_ programs: Programs) -> BackendChoice {
    let missing = ["ipset", "iptables", "iptables-restore"].filter { programs.path($0) == nil }
    if let first = missing.first { return BackendChoice(.nftables, because: "\(first) is not installed") }
    let chains: [NFTablesClient.Chain]
    do { chains = try foreignChains() } catch {
      return BackendChoice(.ipset, because: "nf_tables cannot be used: \(error.message)")
    }
    if let native = chains.first(where: { $0.type != nil && !$0.isOfIPTables }) {
      return BackendChoice(
        .nftables, because: "the ruleset is nftables' own (table \(native.familyName) \(native.table))")
    }
    let inUse = !chains.isEmpty || AddressFamily.allCases.contains { !LegacyTables.inUse($0).isEmpty }
    return BackendChoice(
      .ipset,
      because: inUse ? "iptables is in use" : "iptables and ipset are installed, and nothing of nftables is in use")
  }
}

extension BackendChoice {
  private static func foreignChains() throws(FirewallError) -> [NFTablesClient.Chain] {
    var client = try NFTablesClient()
    try client.requireAccess()
    return try client.chains().filter { !$0.isOurs }
  }
}

extension FirewallBackend {
  /// The one place where actuators are made.
  public func makeActuator() -> any Actuator {
    switch self {
    case .ipset: IPSetActuator()
    case .nftables: NFTablesActuator()
    case .dryRun: DryRunActuator()
    }
  }

  /// Takes away what another backend has left in the kernel: bans that nobody would ever lift.
  public static func clearOthers(than backend: FirewallBackend) throws(FirewallError) {
    for other in allCases where other != backend { try other.makeActuator().clear() }
  }
}

/// The tables of the kernel's iptables before nf_tables.
enum LegacyTables {
  /// Those that are loaded in this network namespace.
  static func inUse(_ family: AddressFamily) -> Set<String> {
    let path = "/proc/thread-self/net/\(family == .ipv4 ? "ip" : "ip6")_tables_names"
    return Set((SmallFile.text(path) ?? "").split(separator: "\n").map(String.init))
  }
}

extension NFTablesClient.Chain {
  /// Is it in a table that iptables-nft makes?
  var isOfIPTables: Bool {
    [AF_INET, AF_INET6].contains(Int32(family)) && ["filter", "nat", "mangle", "raw", "security"].contains(table)
      && name.utf8.allSatisfy { !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
  }

  var familyName: String {
    switch Int32(family) {
    case 1: "inet"
    case AF_INET: "ip"
    case AF_INET6: "ip6"
    case AF_BRIDGE: "bridge"
    case 3: "arp"
    case 5: "netdev"
    default: "\(family)"
    }
  }
}
