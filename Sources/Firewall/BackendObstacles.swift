/// What would keep a backend from carrying out bans on this machine.
public struct BackendObstacle: Sendable {
  public var text: String
  public var remedy: String
  /// Would `prepare` fail?
  public var isFatal: Bool
}

extension FirewallBackend {
  /// Looks without changing anything; what may not be looked at is passed over.
  /// - Parameter chains: of iptables, that are to lead to Bailiff's.
  public func obstacles(chains: [String]) -> [BackendObstacle] {
    guard self == .ipset else { return [] }
    let programs = Programs()
    let iptables = ["iptables", "ip6tables"].filter { programs.path($0) != nil }
    var missing = programs.path("ipset") == nil ? ["ipset"] : []
    if iptables.isEmpty { missing.append("iptables") }
    guard missing.isEmpty else {
      return [
        BackendObstacle(
          text: "\(missing.joined(separator: " and ")) not found, which the ipset backend needs",
          remedy: "`apt install \(missing.joined(separator: " "))`, or set `backend: nftables`", isFatal: true)
      ]
    }
    let tables = AddressFamily.allCases.compactMap { try? programs.filterTable($0) }
    guard !tables.isEmpty else { return [] }
    return chains.filter { chain in !tables.contains { $0.chains.contains(chain) } }.map { chain in
      BackendObstacle(
        text: "chain \(chain) does not exist, so bans do not hold for what should pass it",
        remedy: "start the program that makes it (Docker makes DOCKER-USER), or drop it from `chains`", isFatal: false)
    }
  }
}
