/// The text of our chain, as `iptables -S` prints it and `iptables-restore` reads it (iptables(8), iptables-extensions(8)).
enum ChainRules {
  static let chain = "BAILIFF"
  /// What new connections pass that are limited.
  static let synLimit = "BAILIFF-SYN"
  /// What new connections pass where ports are closed that nobody has opened.
  static let gate = "BAILIFF-GATE"
  /// Every chain of ours.
  static let chains = [chain, synLimit, gate]

  /// multiport takes 15 ports, of which a range counts as two.
  static let portsInRule = 15

  /// - Parameter translated: may packets come whose destination was translated (DNAT, REDIRECT: published ports)? Theirs is
  ///   then another port than the one that the client knows, which conntrack remembers. Where nothing translates, conntrack
  ///   need not run for our sake.
  static func rules(
    for targets: [FirewallTarget], _ family: AddressFamily, translated: Bool, in chain: String = chain
  ) -> [String] {
    targets.flatMap { target -> [String] in
      let source =
        target.isForEverybody ? "" : "-m set --match-set \(SetName.of(jail: target.jail, family)) src "
      let match = source + "-j \(verdict(target.verdict, family))"
      guard case .ranges(let ranges) = target.ports else { return ["-A \(chain) \(match)"] }
      return target.protocols.flatMap { proto -> [String] in
        let untranslated = translated ? "-m conntrack ! --ctstate DNAT " : ""
        let asTheyCome = chunks(merged(ranges)).map {
          "-A \(chain) -p \(proto.rawValue) -m multiport --dports \($0.joined(separator: ",")) \(untranslated)\(match)"
        }
        guard translated else { return asTheyCome }
        return asTheyCome
          + merged(ranges).map {
            "-A \(chain) -p \(proto.rawValue) -m conntrack --ctstate DNAT --ctorigdstport \(text($0)) \(match)"
          }
      }
    }
  }

  private static func verdict(_ verdict: FirewallTarget.Verdict, _ family: AddressFamily) -> String {
    switch verdict {
    case .drop, .pass: verdict.rawValue
    case .reject: "REJECT --reject-with " + (family == .ipv4 ? "icmp-port-unreachable" : "icmp6-port-unreachable")
    }
  }

  /// Sorted, without overlaps, so that the same ports always give the same text.
  static func merged(_ ranges: [ClosedRange<UInt16>]) -> [ClosedRange<UInt16>] {
    var result: [ClosedRange<UInt16>] = []
    for range in ranges.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
      if let last = result.last, Int(range.lowerBound) <= Int(last.upperBound) {
        result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }

  private static func text(_ range: ClosedRange<UInt16>) -> String {
    range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound):\(range.upperBound)"
  }

  static func chunks(_ ranges: [ClosedRange<UInt16>]) -> [[String]] {
    var result: [[String]] = []
    var room = 0
    for range in ranges {
      let single = range.lowerBound == range.upperBound
      let cost = single ? 1 : 2
      if cost > room {
        result.append([])
        room = portsInRule
      }
      result[result.count - 1].append(text(range))
      room -= cost
    }
    return result
  }
}
