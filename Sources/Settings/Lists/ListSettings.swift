public import Filters
public import Model

/// Addresses that somebody else collects: one entry of `lists`.
public struct ListSettings: Sendable, Equatable {
  public var name: String
  public var place: Place
  public var enabled = true
  public var source: Source
  /// Spares what it holds, in place of blocking it.
  public var allows = false
  /// Neither blocks nor spares: rules of the firewall name it.
  public var isForRules = false
  /// How often its source is looked at.
  public var refresh: TimeSpan
  /// Entries of private networks are left out; without it a list that holds one is refused.
  public var leavesOutPrivate = false
  public var block = JailSettings.Block.drop
  /// Entries that it may have.
  public var limit = 1_000_000

  public enum Source: Sendable, Equatable {
    /// A file, or a directory of them.
    case path(String)
    case url(String, authority: String?)
    /// A CrowdSec local API, and the key of a bouncer there.
    case crowdSec(url: String, key: Secret, authority: String?)
    /// The blocks of countries and networks, from databases.
    case places(Places)
  }

  /// Codes of countries, numbers of networks, and the files that know them; nil where nothing is asked of one.
  public struct Places: Hashable, Sendable {
    public var countries: [String]
    public var networks: [UInt32]
    public var countryDatabase: String?
    public var networkDatabase: String?

    public init(
      countries: [String] = [], networks: [UInt32] = [], countryDatabase: String? = nil, networkDatabase: String? = nil
    ) {
      self.countries = countries
      self.networks = networks
      self.countryDatabase = countries.isEmpty ? nil : countryDatabase
      self.networkDatabase = networks.isEmpty ? nil : networkDatabase
    }
  }

  /// Does it come from a server? Then its last state is kept.
  public var isFetched: Bool {
    switch source {
    case .url, .crowdSec: true
    case .path, .places: false
    }
  }

  /// To be compared with that of another reading, in which lines may have moved.
  public var withoutPlace: ListSettings {
    var list = self
    list.place = Place(file: "", line: 0, column: 0)
    return list
  }

  public init(name: String, place: Place = Place(file: "", line: 0, column: 0), source: Source) {
    self.name = name
    self.place = place
    self.source = source
    refresh = if case .url = source { .hours(6) } else { .minutes(1) }
  }
}
