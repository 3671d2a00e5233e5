public import Model
internal import System

/// Where addresses are from, by the databases of the settings. They are opened when somebody asks, and again when the files have
/// changed, as they do every month.
public struct GeoLookup: Sendable {
  private struct Open {
    var database: GeoDatabase?
    var version: [UInt64]
  }

  private let country: String?
  private let network: String?
  /// Shared by all who ask: a database is many megabytes.
  private static let open = Monitor<[String: Open]>([:])

  /// - Parameters: files that know countries and networks; nil where there is none.
  public init(country: String?, network: String?) {
    self.country = country
    self.network = network
  }

  /// The databases as they are now, for any number of questions. One that cannot be read knows nothing.
  public func databases() -> GeoDatabases {
    GeoDatabases(country: country.flatMap(Self.database), network: network.flatMap(Self.database))
  }

  private static func database(_ path: String) -> GeoDatabase? {
    let status = try? FileStatus.of(path: path)
    let version = status.map { [$0.device, $0.inode, $0.size, UInt64(bitPattern: Int64($0.modified))] } ?? []
    return open.change { open in
      if let known = open[path], known.version == version { return known.database }
      let database = version.isEmpty ? nil : try? GeoDatabase(path: path)
      open[path] = Open(database: database, version: version)
      return database
    }
  }
}

/// Databases that are open.
public struct GeoDatabases: Sendable {
  let country: GeoDatabase?
  let network: GeoDatabase?

  /// Does it know nothing at all?
  public var isEmpty: Bool { country == nil && network == nil }

  public var knowsCountries: Bool { country != nil }
  public var knowsNetworks: Bool { network != nil }

  public func facts(of address: Address) -> GeoFacts {
    var facts = country?.facts(of: address) ?? GeoFacts()
    guard let network else { return facts }
    let found = network === country ? facts : network.facts(of: address)
    (facts.network, facts.networkName) = (found.network, found.networkName)
    return facts
  }

  /// Of an address or a block; a name is from nowhere.
  public func facts(of identity: Identity) -> GeoFacts {
    identity.subnet.map { facts(of: $0.base) } ?? GeoFacts()
  }
}
