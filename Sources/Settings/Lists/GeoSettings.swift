internal import Filters
internal import Model

/// Databases that know where addresses are from (`geo`).
public struct GeoSettings: Sendable, Equatable {
  /// Nil: there is none.
  public var country: String?
  public var network: String?

  public init(country: String? = nil, network: String? = nil) {
    self.country = country
    self.network = network
  }

  /// Where geoipupdate(1) and administrators put them.
  static let directories = ["/var/lib/GeoIP", "/usr/share/GeoIP"]
  static let countryFiles = [
    "GeoIP2-Country.mmdb", "GeoLite2-Country.mmdb", "GeoIP2-City.mmdb", "GeoLite2-City.mmdb", "dbip-country-lite.mmdb",
    "dbip-city-lite.mmdb",
  ]
  static let networkFiles = ["GeoIP2-ISP.mmdb", "GeoLite2-ASN.mmdb", "dbip-asn-lite.mmdb"]

  /// The files in the usual places that a machine has.
  static func usual(on machine: Settings.Machine) -> GeoSettings {
    func first(_ names: [String]) -> String? {
      directories.lazy.flatMap { directory in names.lazy.map { "\(directory)/\($0)" } }.first(where: machine.hasFile)
    }
    return GeoSettings(country: first(countryFiles), network: first(networkFiles))
  }
}

extension GeoSettings {
  /// What a list or rule asks for; that no file knows it is a mistake.
  func places(
    countries: [String] = [], networks: [UInt32] = [], database: String? = nil, at place: Place, problems: Problems
  ) -> ListSettings.Places {
    let places = ListSettings.Places(
      countries: countries, networks: networks, countryDatabase: database ?? country,
      networkDatabase: database ?? network)
    func demand(_ path: String?, _ key: String, _ file: String) {
      if path != nil { return }
      problems.add(
        place, "no database says where addresses are from",
        remedy: "write at the top geo: {\(key): /var/lib/GeoIP/\(file)}, and put that file there")
    }
    if !countries.isEmpty { demand(places.countryDatabase, "country", "GeoLite2-Country.mmdb") }
    if !networks.isEmpty { demand(places.networkDatabase, "network", "GeoLite2-ASN.mmdb") }
    return places
  }
}

extension SettingsReader {
  mutating func readGeo(_ fields: Fields) {
    settings.geo = .usual(on: machine)
    guard let value = fields["geo"] else { return }
    guard let keys = Fields(value, "geo", known: Keys.geo.names) else { return }
    if let value = keys["country"] { settings.geo.country = database(value, "country") }
    if let value = keys["network"] { settings.geo.network = database(value, "network") }
  }

  private func database(_ value: Value, _ key: String) -> String? {
    // YAML's `off` may also mean false.
    if value.word == "off" || value.word == "false" { return nil }
    guard let path = value.path(key) else { return nil }
    if !machine.hasFile(path) {
      problems.warn(
        value.place, "there is no file \(quoted(path)), so nothing is known of where addresses are from",
        remedy: "put a database in MaxMind's format there, or write off")
    }
    return path
  }
}

extension Value {
  /// Codes of ISO 3166, in capitals.
  func countries(_ key: String) -> [String] {
    (list(key) ?? []).compactMap { item in
      guard let text = item.name(key) else { return nil }
      guard let code = Self.countryCode(text) else {
        item.fail("\(quoted(text)) is no code of a country", "write two letters, as ISO 3166 has them: DE")
        return nil
      }
      return code
    }
  }

  static func countryCode(_ text: some StringProtocol) -> String? {
    guard text.utf8.count == 2, text.allSatisfy({ $0.isASCII && $0.isLetter }) else { return nil }
    return text.uppercased()
  }

  /// Numbers of autonomous systems.
  func networks(_ key: String) -> [UInt32] {
    (list(key) ?? []).compactMap { item in
      guard let text = item.name(key) else { return nil }
      guard let number = GeoFacts.networkNumber(text) else {
        item.fail("\(quoted(text)) is no number of a network", "write the autonomous system's: 64496, or AS64496")
        return nil
      }
      return number
    }
  }
}
