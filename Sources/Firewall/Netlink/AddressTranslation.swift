import Glibc

/// Whether this network namespace may translate addresses and ports (NAT).
enum AddressTranslation {
  /// Is there a chain that translates packets as they come in: a published port, a redirection? Chains of type `nat` need
  /// conntrack, so that asking it costs nothing more then.
  static func isPossible(_ family: AddressFamily, faults: FaultInjector? = nil) -> Bool {
    if LegacyTables.inUse(family).contains("nat") { return true }
    guard var client = try? NFTablesClient(faults: faults), let chains = try? client.chains() else { return false }
    let families = [UInt8(family == .ipv4 ? AF_INET : AF_INET6), NFTables.family]
    // Hook 0 is prerouting.
    return chains.contains { $0.type == "nat" && $0.hook == 0 && families.contains($0.family) }
  }
}
