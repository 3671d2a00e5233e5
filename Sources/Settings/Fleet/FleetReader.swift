internal import System

/// Reads `fleet`.
struct FleetReader {
  let fields: Fields

  static func read(_ value: Value) -> FleetSettings? {
    guard let fields = Fields(value, "fleet", known: Keys.fleet.names) else { return nil }
    return FleetReader(fields: fields).read(value)
  }

  private func read(_ value: Value) -> FleetSettings? {
    let servers = fields["servers"]?.list("servers")?.compactMap(server) ?? []
    guard !servers.isEmpty else {
      if fields["servers"]?.list("servers")?.isEmpty ?? true {
        value.fail("`fleet` names no `servers`", "write servers: [nats://nats1.example.org:4222]")
      }
      return nil
    }
    guard let name = token("name") ?? (fields.has("name") ? nil : Self.hostName) else {
      if !fields.has("name") {
        value.fail("this machine's name (\(quoted(LocalHost.name))) is no name for a fleet", "write name: web-17")
      }
      return nil
    }
    var fleet = FleetSettings(servers: servers, name: name, site: token("site") ?? "main")
    fleet.credentials = fields["credentials"]?.path("credentials")
    fleet.user = fields["user"]?.name("user")
    fleet.password = fields["password"]?.secret("password")
    if (fleet.user == nil) != (fleet.password == nil) {
      value.fail("`user` and `password` belong together", "write both, or `credentials` alone")
    }
    fleet.tls = fields["tls"].flatMap(tls)
    fleet.aggregates = fields["aggregate"]?.bool("aggregate") ?? false
    fleet.nodes = fields["nodes"]?.integer("nodes", 2...1000) ?? fleet.nodes
    fleet.sites = fields["sites"]?.integer("sites", 1...100) ?? fleet.sites
    if fleet.sites > fleet.nodes {
      value.fail(
        "\(fleet.nodes) `nodes` cannot be at \(fleet.sites) `sites`", "write as many nodes as sites, or more")
    }
    fleet.key = fields["key"]?.secret("key")
    fleet.operators = fields["operators"]?.list("operators")?.compactMap(publicKey) ?? []
    fleet.operatorKey = fields["operator_key"]?.path("operator_key")
    return fleet
  }

  private static var hostName: String? {
    let name = String(LocalHost.name.prefix { $0 != "." })
    return FleetSettings.isName(name) ? name : nil
  }

  private func token(_ key: String) -> String? {
    guard let value = fields[key], let text = value.name(key) else { return nil }
    guard FleetSettings.isName(text) else {
      value.fail("\(quoted(key)) is \(quoted(text))", "use up to 64 letters, digits, `-` and `_`")
      return nil
    }
    return text
  }

  private func server(_ value: Value) -> String? {
    guard let text = value.name("servers") else { return nil }
    let scheme = ["nats://", "tls://"].first { text.hasPrefix($0) }
    let rest = scheme.map { text.dropFirst($0.count) } ?? ""
    guard !rest.isEmpty, text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
      value.fail("`servers` has \(quoted(text))", "write nats://HOST:4222 or tls://HOST:4222")
      return nil
    }
    if rest.contains("@") {
      value.fail("a password in `servers` can be read by everybody", "write `user` and `password`, or `credentials`")
      return nil
    }
    return text
  }

  private func publicKey(_ value: Value) -> String? {
    guard let text = value.name("operators") else { return nil }
    // 32 bytes in base64url.
    let isKey =
      text.utf8.count == 43
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
      }
    guard isKey else {
      value.fail(
        "`operators` has \(quoted(text)), which is no public key",
        "write the 43 letters that `bailiff fleet key` prints")
      return nil
    }
    return text
  }

  private func tls(_ value: Value) -> FleetSettings.TLS? {
    guard let keys = Fields(value, "tls", known: Keys.fleetTLS.names) else { return nil }
    var tls = FleetSettings.TLS()
    tls.authority = keys["ca"]?.path("ca")
    tls.certificate = keys["certificate"]?.path("certificate")
    tls.key = keys["key"]?.path("key")
    if (tls.certificate == nil) != (tls.key == nil) {
      value.fail("`certificate` and `key` belong together", "write both, or none")
    }
    return tls
  }
}
