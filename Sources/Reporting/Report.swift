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

  /// - Parameters:
  ///   - cost: what the daemon says of itself, a name and a value each; empty while it is down.
  ///   - posture: how the machine is kept now, with earlier scores; nil: it was not looked at.
  public init(
    _ audit: AuditInspection, since: Instant, until: Instant, host: String, version: String, made: Instant,
    cost: [(name: String, value: String)] = [], posture: PostureReply? = nil
  ) throws {
    func top(_ key: TopKey, _ limit: Int = 10) throws -> TopResult {
      try audit.top(by: key, since: since, until: until, limit: limit)
    }
    let origins = audit.origins.databases()
    // The time before, as long.
    let length = until.since(since)
    let before = try audit.reader.top(by: .jail, since: since.subtracting(length), until: since, limit: 1)
    page = ReportPage(
      since: since, until: until, host: host, data: try audit.reader.report(since: since, until: until),
      failuresBefore: before.total,
      addresses: try top(.ip), prefixes: try top(.prefix), users: try top(.user), jails: try top(.jail),
      patterns: try top(.pattern), kinds: try top(.kind),
      countries: origins.knowsCountries ? try top(.country) : nil,
      networks: origins.knowsNetworks ? try top(.network) : nil, rules: try top(.rule, 20),
      activity: try ReportActivity(audit, since: since, until: until),
      acts: try ReportActs(audit.reader, since: since, until: until), posture: posture,
      checkpoint: try? audit.checkpoint(at: made), cost: cost,
      version: version,
      made: made)
  }

  /// One page that loads nothing.
  public var html: String { page.html }

  /// The same in a few sentences, a line each.
  public var summary: [String] { page.summary }
}
