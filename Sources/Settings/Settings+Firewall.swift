extension SettingsReader {
  mutating func readFirewall(_ fields: Fields) {
    guard let value = fields["firewall"], let firewall = Fields(value, "firewall", known: Keys.firewall.names) else {
      return
    }
    if let backend = firewall["backend"]?.choice("backend", FirewallSettings.Backend.self) {
      settings.firewall.backend = backend
    }
    if let paths = firewall["protect"]?.list("protect") {
      settings.firewall.protect = Set(paths.compactMap { $0.choice("protect", FirewallSettings.Path.self) })
      if paths.isEmpty { firewall["protect"]!.fail("`protect` is empty", "write [host, containers], or one of them") }
    }
    if let chains = firewall["chains"] { readChains(chains) }
    if let limit = firewall["syn_limit"] { readSynLimit(limit) }
  }

  private mutating func readChains(_ value: Value) {
    guard let chains = value.list("chains") else { return }
    let names = chains.compactMap { chain -> String? in
      guard let name = chain.name("chains") else { return nil }
      // iptables(8) limits a chain's name to 28 bytes, and takes a leading dash for an option.
      let plain = name.utf8.allSatisfy { $0 > 32 && $0 < 127 }
      guard plain, name.utf8.count <= 28, !name.hasPrefix("-"), !name.hasPrefix("!") else {
        chain.fail("\(quoted(name)) is no chain", "write names such as INPUT or DOCKER-USER, at most 28 characters")
        return nil
      }
      return name
    }
    settings.firewall.chains = names
    if names.isEmpty, problems.errors.isEmpty {
      value.fail("`chains` is empty", "name at least one chain: [INPUT]")
    }
  }
}
