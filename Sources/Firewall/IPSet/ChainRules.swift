/// The text of our chain, as `iptables -S` prints it and `iptables-restore` reads it (iptables(8), iptables-extensions(8)).
enum ChainRules {
  static let chain = "BAILIFF"

  /// multiport takes 15 ports, of which a range counts as two.
  static let portsInRule = 15

  static func rules(for targets: [FirewallTarget], _ family: AddressFamily) -> [String] {
    targets.flatMap { target -> [String] in
      let match =
        "-m set --match-set \(SetName.of(jail: target.jail, family)) src -j \(verdict(target.verdict, family))"
      switch target.ports {
      case .all: return ["-A \(chain) \(match)"]
      case .ranges(let ranges):
        return target.protocols.flatMap { proto in
          chunks(merged(ranges)).map {
            "-A \(chain) -p \(proto.rawValue) -m multiport --dports \($0.joined(separator: ",")) \(match)"
          }
        }
      }
    }
  }

  private static func verdict(_ verdict: FirewallTarget.Verdict, _ family: AddressFamily) -> String {
    switch verdict {
    case .drop: "DROP"
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
      result[result.count - 1].append(single ? "\(range.lowerBound)" : "\(range.lowerBound):\(range.upperBound)")
      room -= cost
    }
    return result
  }
}

/// What one family's filter table holds that concerns us: our chain, and the jumps to it.
struct FilterTable: Equatable {
  var chains: Set<String> = []
  /// The rules of our chain, in order.
  var rules: [String] = []
  /// How often each chain jumps to ours.
  var hooks: [String: Int] = [:]

  /// Reads the output of `iptables -S`.
  init(listing: String) {
    for line in listing.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count >= 2 else { continue }
      let name = String(words[1])
      switch words[0] {
      case "-P", "-N": chains.insert(name)
      case "-A" where name == ChainRules.chain: rules.append(String(line))
      case "-A" where words.count == 3 && words[2] == "-j \(ChainRules.chain)": hooks[name, default: 0] += 1
      default: break
      }
    }
  }

  var hasChain: Bool { chains.contains(ChainRules.chain) }
}
