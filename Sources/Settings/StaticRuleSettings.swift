public import Model

/// A rule that holds without a failure: `{port: [ssh], from: [203.0.113.0/24, "list:office"]}`.
public struct StaticRuleSettings: Sendable, Equatable {
  public enum Action: String, Sendable {
    /// Whoever is named does not get in.
    case block
    /// Nobody else gets in, and no port is open that no rule names.
    case allowOnly = "allow_only"
  }

  public var action: Action
  public var ports: Ports
  public var protocols: [TransportProtocol]
  /// Addresses and blocks.
  public var subnets: [Subnet]
  /// Lists by name, besides.
  public var lists: [String]
  /// Does it name nobody, and so everybody?
  public var isForEverybody: Bool { subnets.isEmpty && lists.isEmpty }

  public init(
    _ action: Action, ports: Ports, protocols: [TransportProtocol] = [.tcp, .udp], subnets: [Subnet] = [],
    lists: [String] = []
  ) {
    self.action = action
    self.ports = ports
    self.protocols = protocols
    self.subnets = subnets
    self.lists = lists
  }
}

extension SettingsReader {
  /// `firewall.block` and `firewall.allow_only`; the lists are known by now.
  mutating func readStaticRules(_ fields: Fields) {
    guard let firewall = fields["firewall"].flatMap({ Fields($0, "firewall") }) else { return }
    for action in [StaticRuleSettings.Action.block, .allowOnly] {
      guard let value = firewall[action.rawValue], let items = value.list(action.rawValue) else { continue }
      for item in items {
        if let rule = staticRule(item, action) { settings.firewall.staticRules.append(rule) }
      }
      if action == .allowOnly, items.isEmpty {
        value.fail("`allow_only` is empty, which would close every port", "name what is open: [{port: [ssh]}]")
      }
    }
  }

  private mutating func staticRule(_ value: Value, _ action: StaticRuleSettings.Action) -> StaticRuleSettings? {
    guard let fields = Fields(value, action.rawValue, known: Keys.staticRule.names) else { return nil }
    var rule = StaticRuleSettings(action, ports: .all)
    if let port = fields["port"] {
      let names = port.portNames()
      if port.list("port")?.isEmpty == true { port.fail("`port` is empty", "name ports, or write all") }
      rule.ports = Self.ports(names)
    } else if action == .allowOnly, !fields.has("from") {
      value.fail(
        "this opens everything to everybody", "name ports, or say from whom: {port: [ssh], from: [203.0.113.0/24]}")
    }
    if let protocols = fields["protocol"]?.protocols(), !protocols.isEmpty { rule.protocols = protocols }
    for item in fields["from"]?.list("from") ?? [] { readSource(item, into: &rule) }
    if fields.has("from") ? fields["from"]!.list("from")?.isEmpty == true : action == .block {
      value.fail("this names nobody", "say from whom: {from: [198.51.100.0/24, \"list:NAME\"]}")
    }
    return rule
  }

  private mutating func readSource(_ value: Value, into rule: inout StaticRuleSettings) {
    guard let text = value.name("from") else { return }
    if text.hasPrefix("country:") || text.hasPrefix("network:") {
      if let name = place(text, value) { rule.lists.append(name) }
    } else if text.hasPrefix("list:") {
      let name = String(text.dropFirst(5))
      guard settings.lists.contains(where: { $0.name == name && $0.enabled }) else {
        let known = settings.lists.filter(\.enabled).map(\.name)
        value.fail(
          "there is no list \(quoted(name)) that is enabled",
          known.isEmpty ? "describe it in `lists`" : "lists are: \(known.joined(separator: ", "))")
        return
      }
      rule.lists.append(name)
    } else if let subnet = Subnet(text) {
      guard subnet.prefixLength > 0 else {
        value.fail(
          "\(quoted(text)) is everybody", rule.action == .block ? "use `allow_only`" : "leave `from` out for that")
        return
      }
      rule.subnets.append(subnet)
    } else {
      value.fail(
        "\(quoted(text)) is no address, no block and no list",
        "write 203.0.113.0/24, list:NAME, country:DE or network:64496")
    }
  }

  /// The list that `country:DE` or `network:64496` is, which needs no entry in `lists`; no list of a user's has a colon in its
  /// name.
  private mutating func place(_ text: String, _ value: Value) -> String? {
    let wanted = text.dropFirst(8)
    let (name, places): (String, ListSettings.Places)
    if text.hasPrefix("country:") {
      guard let code = Value.countryCode(wanted) else {
        value.fail("\(quoted(text)) names no country", "write two letters, as ISO 3166 has them: country:DE")
        return nil
      }
      name = "country:\(code)"
      places = settings.geo.places(countries: [code], at: value.place, problems: problems)
    } else {
      guard let number = GeoFacts.networkNumber(wanted) else {
        value.fail("\(quoted(text)) names no network", "write the autonomous system's number: network:64496")
        return nil
      }
      name = "network:\(number)"
      places = settings.geo.places(networks: [number], at: value.place, problems: problems)
    }
    if !settings.lists.contains(where: { $0.name == name }) {
      var list = ListSettings(name: name, place: value.place, source: .places(places))
      list.isForRules = true
      settings.lists.append(list)
    }
    return name
  }
}
