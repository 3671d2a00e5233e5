import Settings

/// What one of a jail's actions means to Bailiff, which bans in the kernel's firewall and runs no commands.
struct BanAction {
  enum Kind: Equatable {
    /// Bans in this machine's firewall.
    case firewall
    /// Bans on this machine in another way; Bailiff's firewall takes its place.
    case replaced(by: String)
    /// Lets addresses in instead of keeping them out.
    case admits
    /// Tells somebody.
    case tells(ImportedOutput)
    /// Does something else than banning here; what to do instead.
    case other(instead: String)
  }

  var kind: Kind
  /// Ports and services; nil: all.
  var ports: [String]?
  var protocols: [String]
  /// The firewall's chain that it hooks into, where it names one that Bailiff can hook into as well.
  var chain: String?
  /// Something that comes out differently, with the remedy.
  var remarks: [String] = []
}

extension BanAction {
  /// - Parameters:
  ///   - action: as the jail gives it.
  ///   - directory: such as `/etc/fail2ban`; `action.d` holds what an action does where the jail does not say.
  init(_ action: NameWithOptions, jail: String, directory: String) {
    let definition = try? Configuration(base: directory + "/action.d/" + action.name)
    func option(_ name: String) -> String? {
      if let given = action.options[name] { return given.contains("<known/") ? fallback(name) : given }
      return fallback(name)
    }
    func fallback(_ name: String) -> String? {
      guard let definition else { return nil }
      for section in ["Init", "Definition"] {
        if let value = try? Interpolation(definition, section: section).value(of: name) { return value }
      }
      return nil
    }

    kind = Self.kind(of: action.name, isDefined: definition != nil, ban: option("actionban") ?? "")
    protocols = ["tcp"]
    if case .other = kind {
      let teller = ActionOutput(action: action.name, jail: jail) { Self.filledIn(option($0), option) }
      if let output = teller.output { kind = .tells(output) }
    }
    guard kind == .firewall else { return }

    let verdict = option("blocktype") ?? option("rich-blocktype") ?? ""
    if ["RETURN", "ACCEPT", "ALLOW"].contains(verdict.split(separator: " ").first.map { $0.uppercased() } ?? "") {
      kind = .admits
      return
    }
    let type = option("type") ?? ""
    let hasPorts =
      !action.name.contains("allports") && !type.hasPrefix("allports") && !Self.isPortless(action.name)
      && !(option("actiontype") ?? "").contains("allports")
    protocols = Self.words(option("protocol") ?? "tcp").map { $0.lowercased() }
    if hasPorts, !protocols.contains("all") {
      let names = Self.words(option("port") ?? "")
      let everything: Set = ["0:65535", "1:65535", "0-65535", "1-65535", "all", "any", ""]
      ports = names.isEmpty || names.contains(where: everything.contains) ? nil : names
    }
    for other in protocols where other != "all" && TransportProtocol(rawValue: other) == nil {
      let known = TransportProtocol.allCases.map(\.rawValue).joined(separator: ", ")
      remarks.append("protocol `\(other)` becomes every protocol; Bailiff knows the ports of \(known)")
      ports = nil
    }
    setChain(action, option)
    if let local = definition?.files.first(where: { $0.hasSuffix(".local") }) {
      remarks.append("what \(local) changes in `\(action.name)` is left out; Bailiff has its own chain and sets")
    }
  }

  /// With the options that it names as `<option>`; what only a ban knows stays as it is.
  private static func filledIn(_ text: String?, _ option: (String) -> String?) -> String? {
    guard var text else { return nil }
    for _ in 0..<5 {
      guard let open = text.firstIndex(of: "<") else { break }
      var changed = text
      var rest = text[open...]
      while let start = rest.firstIndex(of: "<"), let end = rest[start...].firstIndex(of: ">") {
        let name = String(rest[rest.index(after: start)..<end])
        if !name.isEmpty, !name.contains("<"), let value = option(name) {
          changed = changed.replacing("<\(name)>", with: value)
        }
        rest = rest[rest.index(after: start)...]
      }
      guard changed != text, changed.utf8.count < 64 << 10 else { break }
      text = changed
    }
    return text
  }

  private mutating func setChain(_ action: NameWithOptions, _ option: (String) -> String?) {
    if action.name.hasPrefix("nftables") {
      if option("chain_hook") == "forward" { chain = "FORWARD" }
    } else if action.name.hasPrefix("iptables") || action.name.hasPrefix("firewallcmd") {
      let name = option("chain") ?? ""
      chain = name.hasPrefix("INPUT") || name.isEmpty || name.contains("<") ? nil : name
    }
  }

  /// Those that have no notion of ports, whatever they are given.
  private static func isPortless(_ name: String) -> Bool {
    ["ufw", "shorewall", "iptables-xt_recent-echo"].contains { name.hasPrefix($0) }
  }

  private static func kind(of name: String, isDefined: Bool, ban: String) -> Kind {
    func starts(_ prefixes: String...) -> Bool { prefixes.contains { name.hasPrefix($0) } }
    if starts("iptables", "nftables", "firewallcmd", "ufw", "shorewall") { return .firewall }
    if starts("hostsdeny") { return .replaced(by: "bans of TCP wrappers (/etc/hosts.deny)") }
    if starts("route") { return .replaced(by: "unreachable routes") }
    if starts("apf", "symbiosis", "ipfw", "bsd-ipfw", "osx-", "pf", "npf", "ipfilter") {
      return .replaced(by: "another system's firewall")
    }
    if starts("sendmail", "mail", "xarf", "complain", "smtp", "apprise") {
      return .other(
        instead: "messages are not sent; it names nobody; write an output of `type: mail` (docs/outputs.md)")
    }
    if starts("abuseipdb", "blocklist_de", "dshield", "mynetwatchman", "ipthreat", "badips") {
      return .other(instead: "nothing is reported; let `bailiff audit --follow --kind ban --json` feed the reporter")
    }
    if starts("cloudflare", "netscaler", "nsupdate", "nginx-block-map") {
      return .other(instead: "nothing is blocked there; let `bailiff audit --follow --json` feed a script that does it")
    }
    if starts("dummy") { return .other(instead: "drop it; `bailiff run --dry-run` shows what would be banned") }
    if name.hasSuffix(".py") {
      return .other(instead: "own actions are not run; let `bailiff audit --follow --json` feed what it did")
    }
    guard isDefined else { return .other(instead: "there is no such action; Bailiff runs no commands") }
    let isFirewall = ["iptables", "nft", "ipset", "firewall-cmd", "ufw"].contains { ban.contains($0) }
    return isFirewall
      ? .replaced(by: "own firewall commands")
      : .other(instead: "own actions are not run; let `bailiff audit --follow --json` feed what it did")
  }

  private static func words(_ text: String) -> [String] {
    text.split { $0 == "," || $0 == " " || $0 == "\n" || $0 == "\t" }.map(String.init)
  }
}
