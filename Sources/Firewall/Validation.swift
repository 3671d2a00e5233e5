extension FirewallPlan {
  /// Throws for what no backend can make.
  func validate() throws(FirewallError) {
    var jails: Set<String> = []
    var names: [String: String] = [:]
    for target in targets {
      try target.validate()
      guard jails.insert(target.jail).inserted else {
        throw FirewallError(.invalid, "there are two jails named \(target.jail): rename one")
      }
      let name = ObjectName.of(jail: target.jail)
      if let other = names.updateValue(target.jail, forKey: name) {
        throw FirewallError(.invalid, "jails \(other) and \(target.jail) would share the set \(name): rename one")
      }
    }
    if let limit = synLimit {
      guard SynLimit.rates.contains(limit.rate), SynLimit.bursts.contains(limit.burst),
        limit.logPrefix.map(SynLimit.isPrefix) ?? true
      else { throw FirewallError(.invalid, "no firewall takes this limit of connections: \(limit)") }
    }
    for chain in chains ?? [] where !Self.isChain(chain) {
      throw FirewallError(.invalid, "chain “\(chain)”: not a chain of the filter table, such as INPUT or DOCKER-USER")
    }
  }

  /// 28 bytes are what iptables takes; a leading dash it takes for an option.
  private static func isChain(_ name: String) -> Bool {
    let plain = name.utf8.allSatisfy {
      ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z")) || ($0 >= 0x30 && $0 <= 0x39)
        || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
    }
    return !name.isEmpty && name.utf8.count <= 28 && plain && !name.hasPrefix("-") && name != ChainRules.chain
  }
}

extension FirewallTarget {
  fileprivate func validate() throws(FirewallError) {
    guard !jail.isEmpty, jail.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      throw FirewallError(.invalid, "jail “\(jail.debugDescription)”: a name has no spaces and no control characters")
    }
    guard case .ranges(let ranges) = ports else { return }
    guard !ranges.isEmpty, !protocols.isEmpty else {
      throw FirewallError(.invalid, "jail \(jail): no port or no protocol to block; `port: all` blocks every packet")
    }
  }
}
