/// What one family's filter table holds that concerns us: our chain, the jumps to it, and what comes before them.
struct FilterTable: Equatable {
  struct Rule: Equatable {
    /// As `iptables -S` prints it: `-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT`.
    var text: String
    /// What it hands the packet to: ACCEPT, DROP, a chain; nil: nothing.
    var target: String?
    /// Does it apply to every packet?
    var isUnconditional: Bool
  }

  var chains: Set<String> = []
  /// The rules of our chains, in order.
  var rules: [String] = []
  /// How often each chain jumps to ours.
  var hooks: [String: Int] = [:]
  /// The rules of the other chains, in order.
  private var foreign: [String: [Rule]] = [:]

  /// Reads the output of `iptables -S`.
  init(listing: String) {
    for line in listing.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count >= 2 else { continue }
      let name = String(words[1])
      switch words[0] {
      case "-P", "-N": chains.insert(name)
      case "-A" where ChainRules.chains.contains(name): rules.append(String(line))
      case "-A" where words.count == 3:
        if words[2] == "-j \(ChainRules.chain)" { hooks[name, default: 0] += 1 }
        foreign[name, default: []].append(Self.rule(line, words[2]))
      default: break
      }
    }
  }

  private static func rule(_ line: Substring, _ conditions: Substring) -> Rule {
    let words = conditions.split(separator: " ")
    let jump = words.lastIndex { $0 == "-j" || $0 == "-g" }
    let target = jump.flatMap { words.indices.contains($0 + 1) ? String(words[$0 + 1]) : nil }
    return Rule(text: String(line), target: target, isUnconditional: jump == 0)
  }

  /// Every rule that hands packets to our chain, with its conditions.
  var callers: [String] { foreign.values.joined().filter { $0.target == ChainRules.chain }.map(\.text).sorted() }

  /// Our chains that are there.
  var ownChains: [String] { ChainRules.chains.filter(chains.contains) }

  var hasChain: Bool { chains.contains(ChainRules.chain) }

  /// The chains that packets enter by themselves.
  private static let builtin = ["INPUT", "FORWARD", "OUTPUT"]

  /// Do packets get to this chain, from INPUT or FORWARD?
  func isReached(_ chain: String) -> Bool {
    Self.builtin.contains(chain)
      || foreign.contains { caller, rules in
        caller != chain && rules.contains { $0.target == chain } && (Self.builtin.contains(caller) || isReached(caller))
      }
  }

  /// The rules that a packet meets before our jump in `parent` and that may accept it, so that no ban is asked.
  func accepting(before parent: String) -> [Rule] {
    var rules = accepting(before: ChainRules.chain, in: parent)
    guard !Self.builtin.contains(parent) else { return rules }
    for caller in Self.builtin where foreign[caller]?.contains(where: { $0.target == parent }) == true {
      rules += accepting(before: parent, in: caller)
    }
    return rules
  }

  private func accepting(before target: String, in chain: String) -> [Rule] {
    let before = (foreign[chain] ?? []).prefix { !($0.target == target && $0.isUnconditional) }
    return before.filter { rule in
      // Nobody outside comes by the loopback interface.
      guard let target = rule.target, !rule.text.contains(" -i lo ") else { return false }
      return target == "ACCEPT" || accepts(target, [chain])
    }
  }

  /// May a packet that enters `chain` be accepted there, or in a chain that it jumps to?
  private func accepts(_ chain: String, _ visited: Set<String>) -> Bool {
    guard !visited.contains(chain), let rules = foreign[chain] else { return false }
    return rules.contains { rule in
      guard let target = rule.target else { return false }
      return target == "ACCEPT" || accepts(target, visited.union([chain]))
    }
  }
}
