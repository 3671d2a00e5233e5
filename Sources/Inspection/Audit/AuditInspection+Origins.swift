public import AuditLog
public import Geo
public import Model
public import Settings

/// Where addresses are from, with what is asked of the audit: looked up when it is asked, and not stored.
extension AuditInspection {
  public func page(
    _ filter: AuditFilter, limit: Int = 100, before: AuditCursor? = nil, mostRead: Int = .max
  ) throws -> AuditPage {
    var page = try reader.page(filter, limit: limit, before: before, mostRead: mostRead)
    origins.databases().add(to: &page.rows)
    return page
  }

  public func rows(after position: AuditPosition, _ filter: AuditFilter, limit: Int) throws -> AuditDelivery {
    var delivery = try reader.rows(after: position, filter, limit: limit)
    origins.databases().add(to: &delivery.rows)
    return delivery
  }

  /// - Throws: `RequestError` when no database knows what is counted by.
  public func top(by key: TopKey, since: Instant, until: Instant, limit: Int) throws -> TopResult {
    guard key.isOrigin else { return try reader.top(by: key, since: since, until: until, limit: limit) }
    let databases = origins.databases()
    guard key == .country ? databases.knowsCountries : databases.knowsNetworks else {
      throw RequestError(
        .invalid, "no database says of which \(key.rawValue) an address is",
        remedy: key == .country
          ? "write geo: {country: /var/lib/GeoIP/GeoLite2-Country.mmdb} in the settings, and put that file there"
          : "write geo: {network: /var/lib/GeoIP/GeoLite2-ASN.mmdb} in the settings, and put that file there")
    }
    return try reader.top(by: key, since: since, until: until, limit: limit) { address in
      let facts = databases.facts(of: address)
      if key == .country { return facts.country.map { ($0, "") } }
      return facts.network.map { ("AS\($0)", facts.networkName ?? "") }
    }
  }
}

extension GeoLookup {
  public init(_ settings: GeoSettings) { self.init(country: settings.country, network: settings.network) }
}

extension GeoDatabases {
  public func facts(of id: String) -> GeoFacts { facts(of: Identity(id)) }

  func add(to rows: inout [AuditRow]) {
    guard !isEmpty else { return }
    for index in rows.indices where !rows[index].id.isEmpty { rows[index].origin = facts(of: rows[index].id) }
  }
}
