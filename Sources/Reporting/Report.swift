internal import AuditLog
internal import Geo
public import Inspection
public import Model
internal import System

/// What an audit says of a stretch of time, for people.
///
/// ```swift
/// let report = try Report(AuditInspection(reader), since: start, until: end, host: "web1", version: "0.1.0", made: now)
/// let page = report.html
/// ```
public struct Report: Sendable {
  private let page: ReportPage

  /// - Parameter cost: what the daemon says of itself, a name and a value each; empty while it is down.
  public init(
    _ audit: AuditInspection, since: Instant, until: Instant, host: String, version: String, made: Instant,
    cost: [(name: String, value: String)] = []
  ) throws {
    func top(_ key: TopKey, _ limit: Int = 10) throws -> TopResult {
      try audit.top(by: key, since: since, until: until, limit: limit)
    }
    let origins = audit.origins.databases()
    page = ReportPage(
      since: since, until: until, host: host, data: try audit.reader.report(since: since, until: until),
      addresses: try top(.ip), prefixes: try top(.prefix), users: try top(.user), jails: try top(.jail),
      patterns: try top(.pattern), kinds: try top(.kind),
      countries: origins.knowsCountries ? try top(.country) : nil,
      networks: origins.knowsNetworks ? try top(.network) : nil, rules: try top(.rule, 20), cost: cost,
      version: version,
      made: made)
  }

  /// One page that loads nothing.
  public var html: String { page.html }
}
