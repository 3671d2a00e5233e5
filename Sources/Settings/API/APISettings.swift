public import Model

/// `api`: who may use the API from TCP, and how it is called there.
public struct APISettings: Sendable, Equatable {
  public var listen: TCPAddress
  /// Names besides `localhost` and addresses by which clients may call it, in their `Host`.
  public var hosts: [String] = []
  /// Whose word is taken for the client's address.
  public var trustedProxies: [Subnet] = []
  /// The jail that counts clients whose token is wrong.
  public var jail: String?

  public static let usual = TCPAddress(host: "127.0.0.1", port: 8787)

  public init(listen: TCPAddress = usual) { self.listen = listen }

  /// What holds until the next start: the jail is looked up at each wrong token.
  public var withoutJail: APISettings {
    var copy = self
    copy.jail = nil
    return copy
  }
}

/// Reads `api`.
struct APISettingsReader {
  let problems: Problems
  /// Those that the settings name.
  let jails: [String]

  func read(_ value: Value) -> APISettings? {
    guard let fields = Fields(value, "api", known: Keys.api.names) else { return nil }
    let compat = CompatReader(fields: fields, problems: problems)
    var api = APISettings()
    if let listen = fields["listen"] {
      guard let address = compat.address("listen", listen, APISettings.usual.port) else { return nil }
      api.listen = address
    }
    api.hosts = (fields["hosts"]?.list("hosts") ?? []).compactMap { item in
      guard let host = item.name("hosts") else { return nil }
      guard let (name, port) = OutputReader.hostAndPort(host), port == nil else {
        item.fail(
          "`hosts` has \(quoted(host)), which is no host's name", "write it without a port: bailiff.example.org")
        return nil
      }
      return name
    }
    api.trustedProxies = fields["trusted_proxies"]?.proxies() ?? []
    if let item = fields["jail"], let jail = item.name("jail") {
      if jails.contains(jail) {
        api.jail = jail
      } else {
        problems.warn(
          item.place, "there is no jail \(quoted(jail))",
          remedy: suggestion(for: jail, among: jails, otherwise: "jails are: \(jails.joined(separator: ", "))"))
      }
    }
    return api
  }
}
