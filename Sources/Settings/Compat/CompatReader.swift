internal import Model

/// Reads `compat`.
struct CompatReader {
  let fields: Fields
  let problems: Problems

  static func read(_ value: Value, problems: Problems) -> CompatSettings {
    guard let fields = Fields(value, "compat", known: Keys.compat.names) else { return CompatSettings() }
    return CompatReader(fields: fields, problems: problems).read()
  }

  private func read() -> CompatSettings {
    var compat = CompatSettings()
    if let value = fields["fail2ban"], let path = value.path("fail2ban") {
      // sockaddr_un has room for 107 bytes (unix(7)).
      if path.utf8.count > 107 {
        value.fail("`fail2ban` has \(path.utf8.count) bytes", "a Unix socket's path has at most 107")
      }
      compat.fail2ban = path
    }
    compat.crowdsec = fields["crowdsec"].flatMap(crowdSec)
    compat.check = fields["check"].flatMap { listener("check", $0, 8788) }
    compat.prometheus = fields["prometheus"].flatMap { listener("prometheus", $0, 8789) }
    return compat
  }

  private func crowdSec(_ value: Value) -> CompatSettings.CrowdSec? {
    guard let keys = Fields(value, "crowdsec", known: Keys.crowdSec.names) else { return nil }
    let listen = keys["listen"].map { address("listen", $0, 8080) } ?? TCPAddress(host: "127.0.0.1", port: 8080)
    guard let entries = keys["keys"].flatMap({ Fields($0, "keys") })?.entries, !entries.isEmpty else {
      value.fail(
        "`crowdsec` has no `keys`; no bouncer could ask",
        "write keys: {edge1: {file: /etc/bailiff/secrets/edge1}}, with what the bouncer has as api_key")
      return nil
    }
    let secrets = entries.compactMap { entry -> CompatSettings.CrowdSec.Key? in
      guard let secret = entry.value.secret(entry.key) else { return nil }
      if let text = try? secret.read(), text.utf8.count < 16 {
        entry.value.fail(
          "the key of \(quoted(entry.key)) is short enough to be guessed", "make one: openssl rand -hex 32")
      }
      return .init(name: entry.key, key: secret)
    }
    return listen.map { .init(listen: $0, keys: secrets) }
  }

  private func listener(_ key: String, _ value: Value, _ usual: Int) -> TCPAddress? {
    guard let keys = Fields(value, key, known: Keys.listener.names) else { return nil }
    guard let listen = keys["listen"] else { return TCPAddress(host: "127.0.0.1", port: usual) }
    return address("listen", listen, usual)
  }

  /// `127.0.0.1:8080`, `[::1]:8080`. What listens for everybody is warned of: it is not encrypted.
  func address(_ key: String, _ value: Value, _ usual: Int) -> TCPAddress? {
    guard let text = value.name(key) else { return nil }
    guard let (host, port) = OutputReader.hostAndPort(text),
      let address = Address(host == "localhost" ? "127.0.0.1" : host)
    else {
      value.fail("\(quoted(key)) is \(quoted(text))", "write an address and a port: 127.0.0.1:\(usual), [::1]:\(usual)")
      return nil
    }
    if !["127.", "::1"].contains(where: { "\(address)".hasPrefix($0) }) {
      problems.warn(
        value.place, "\(quoted(text)) can be reached from other machines, and what is said there is not encrypted",
        remedy: "listen on 127.0.0.1, or behind a proxy or a tunnel")
    }
    return TCPAddress(host: "\(address)", port: port ?? usual)
  }
}
