import Synchronization

extension IPSetActuator {
  public func packets() throws(FirewallError) -> [String: PacketCount] {
    let seen = state.withLock { $0 }
    var packets = seen.packets
    for family in seen.families { try count(family, seen, into: &packets) }
    return packets
  }

  /// Rules that are replaced begin at 0: what they counted is kept, as far as it can be read.
  func keepPackets(_ family: AddressFamily, _ state: inout State) {
    guard state.printed[family] != nil else { return }
    var packets = state.packets
    try? count(family, state, into: &packets)
    state.packets = packets
  }

  private func count(
    _ family: AddressFamily, _ state: State, into packets: inout [String: PacketCount]
  ) throws(FirewallError) {
    let jails = Dictionary(
      state.plan.bans.map { (SetName.of(jail: $0.jail, family), $0.jail) }, uniquingKeysWith: { first, _ in first })
    for (set, count) in ChainRules.packets(listing: try programs.countedRules(family)) {
      guard let jail = jails[set] else { continue }
      packets[jail] = packets[jail, default: PacketCount()] + count
    }
  }
}

extension ChainRules {
  /// Reads `iptables -S BAILIFF -v`: `-A BAILIFF … -m set --match-set bailiff-sshd-4 src -c 12 720 -j DROP`.
  static func packets(listing: String) -> [(set: String, count: PacketCount)] {
    listing.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard let set = words.firstIndex(of: "--match-set"), let count = words.firstIndex(of: "-c"),
        count + 2 < words.count, let packets = UInt64(words[count + 1]), let bytes = UInt64(words[count + 2])
      else { return nil }
      return (String(words[set + 1]), PacketCount(packets: packets, bytes: bytes))
    }
  }
}
