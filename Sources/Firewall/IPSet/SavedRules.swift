import System

/// Rules of iptables that somebody saved while Bailiff ran. They are loaded at the next boot, before Bailiff starts, and
/// `iptables-restore` loads not one rule of a file that names a set which does not exist: the machine would be without its
/// firewall.
public enum SavedRules {
  /// Where netfilter-persistent(8) of Debian and the iptables-services of Fedora keep them.
  public static let files = [
    "/etc/iptables/rules.v4", "/etc/iptables/rules.v6", "/etc/sysconfig/iptables", "/etc/sysconfig/ip6tables",
  ]

  /// Makes the sets of ours, empty, that these files name and that are not there; returns their names. A file that does not
  /// exist names none.
  public static func makeSets(for files: [String] = files) throws(FirewallError) -> [String] {
    var named: Set<String> = []
    for file in files { named.formUnion(sets(in: SmallFile.text(file, limit: 1 << 26) ?? "")) }
    guard !named.isEmpty else { return [] }
    var client = try IPSetClient()
    try client.requireAccess()
    let missing = named.subtracting(try client.headers().map(\.name)).sorted()
    try IPSetActuator().createSets(
      missing.map { name in
        IPSetActuator.WantedSet(
          name: name, family: name.hasSuffix("-4") ? .ipv4 : .ipv6, maxElements: IPSetActuator.defaultMaxElements
        ).line
      })
    return missing
  }

  /// The sets of ours that the text of `iptables-save` names.
  static func sets(in text: String) -> Set<String> {
    var sets: Set<String> = []
    for line in text.split(separator: "\n") where line.hasPrefix("-A ") {
      let words = line.split(separator: " ")
      for (option, name) in zip(words, words.dropFirst()) where option == "--match-set" {
        if SetName.isOurs(String(name)) { sets.insert(String(name)) }
      }
    }
    return sets
  }
}
