import Model

extension ChainRules {
  /// The rules of the whole plan, those of each of our chains after those of the one before.
  static func rules(for plan: FirewallPlan, _ family: AddressFamily, translated: Bool) -> [String] {
    var rules = rules(for: plan.bans, family, translated: translated)
    // The limit first: who scans ports that are closed is logged too.
    if plan.synLimit != nil { rules += calls(translated: translated) }
    if plan.closesTheRest { rules += gateCalls(translated: translated) }
    if let limit = plan.synLimit { rules += self.rules(for: limit, family) }
    if plan.closesTheRest { rules += gateRules(for: plan, family, translated: translated) }
    return rules
  }

  /// The chains of ours that the plan needs.
  static func chains(for plan: FirewallPlan) -> [String] {
    [chain] + (plan.synLimit == nil ? [] : [synLimit]) + (plan.closesTheRest ? [gate] : [])
  }

  /// After the bans: whoever is banned is neither counted nor logged. What comes by a published port is addressed to this
  /// machine too, but its destination is another by now.
  private static func calls(translated: Bool) -> [String] {
    let begins = "-A \(chain) ! -i lo -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN"
    let untranslated = translated ? " -m conntrack ! --ctstate DNAT" : ""
    return ["\(begins) -m addrtype --dst-type LOCAL\(untranslated) -j \(synLimit)"]
      + (translated ? ["\(begins) -m conntrack --ctstate DNAT -j \(synLimit)"] : [])
  }

  private static func rules(for limit: SynLimit, _ family: AddressFamily) -> [String] {
    var rules = limit.spared.filter { $0.isIPv4 == (family == .ipv4) }.map {
      "-A \(synLimit) -s \($0.base)/\($0.prefixLength) -j RETURN"
    }
    let rate = "\(limit.rate)/\(limit.unit.word)"
    switch limit.scope {
    case .address:
      // The kernel keeps the table of a name as it was made, whatever a later rule says: each limit has a name of its own.
      let name = "bailiff-\(limit.rate)-\(limit.unit.word)-\(limit.burst)"
      let mask = family == .ipv4 ? "" : " --hashlimit-srcmask 64"
      rules.append(
        "-A \(synLimit) -m hashlimit --hashlimit-upto \(rate) --hashlimit-burst \(limit.burst) --hashlimit-mode srcip "
          + "--hashlimit-name \(name)\(mask) --hashlimit-htable-expire \(SynLimit.memory) -j RETURN")
    case .all: rules.append("-A \(synLimit) -m limit --limit \(rate) --limit-burst \(limit.burst) -j RETURN")
    }
    if let prefix = limit.logPrefix {
      let (rate, burst) = SynLimit.logged
      rules.append(
        "-A \(synLimit) -m limit --limit \(rate)/sec --limit-burst \(burst) -j LOG --log-prefix \"\(prefix)\"")
    }
    return rules + ["-A \(synLimit) -j DROP"]
  }

  /// Reads `iptables -S BAILIFF-SYN -v`: what its rules have dropped.
  static func refused(listing: String) -> PacketCount {
    var sum = PacketCount()
    for line in listing.split(separator: "\n") where line.hasSuffix("-j DROP") {
      let words = line.split(separator: " ")
      guard let count = words.firstIndex(of: "-c"), count + 2 < words.count, let packets = UInt64(words[count + 1]),
        let bytes = UInt64(words[count + 2])
      else { continue }
      sum = sum + PacketCount(packets: packets, bytes: bytes)
    }
    return sum
  }
}

extension SynLimit.Unit {
  fileprivate var word: String {
    switch self {
    case .second: "sec"
    case .minute: "min"
    case .hour: "hour"
    }
  }
}
