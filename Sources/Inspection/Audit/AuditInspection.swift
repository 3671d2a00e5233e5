public import AuditLog
public import Geo
public import Model
public import Settings

/// Questions to the audit, answered from the store: what `explain`, `top`, `audit verify` and the API's endpoints of those
/// names say.
///
/// ```swift
/// let inspection = AuditInspection(try AuditStore.readOnly(path: settings.database))
/// let reply = try inspection.explain(Identity("192.0.2.7"), settings: settings, at: now)
/// ```
public struct AuditInspection: Sendable {
  public var reader: AuditReader
  /// Where addresses are from.
  public var origins: GeoLookup

  public init(_ reader: AuditReader, geo: GeoSettings = GeoSettings()) {
    self.reader = reader
    origins = GeoLookup(geo)
  }

  /// - Parameters:
  ///   - bans: how many of its bans to tell.
  ///   - settings: whose windows and `ignoreip` are told.
  /// - Throws: `RequestError` when nothing is known of the id.
  public func explain(_ identity: Identity, bans: Int = 3, settings: Settings, at now: Instant) throws -> ExplainReply {
    let known = try reader.explain(identity, bans: bans)
    let listed = ReasonReply.listed(identity, settings)
    guard known.banCount > 0 || !known.recent.isEmpty || !listed.isEmpty else {
      throw RequestError(.rejected, "nothing is known of \(identity): no failure and no ban is stored")
    }
    let jails = Set(known.jails.map(\.jail))
    let windows = try WindowReply.all(of: identity, knownTo: jails, settings, reader, at: now)
    let whyNot = WhyNot(
      explanation: known, windows: windows, settings: settings, listed: listed, withheld: try withheld(identity),
      now: now)
    var reply = ExplainReply(known, windows: windows, reasons: whyNot.reasons, at: now)
    reply.add(origins.databases().facts(of: identity))
    return reply
  }

  /// What the daemon noted when a jail's limit was reached and nobody was banned: about the id, or a block around it.
  private func withheld(_ identity: Identity) throws -> [AuditRow] {
    guard let subnet = identity.subnet else { return [] }
    var filter = AuditFilter()
    filter.kinds = [.operator]
    filter.text = "not banned by"
    return try reader.page(filter, limit: 20, mostRead: 20_000).rows.filter { row in
      row.action == "note" && (Subnet(row.subject).map { $0.contains(subnet) || subnet.contains($0) } ?? false)
    }
  }

  /// - Throws: `RequestError` for an empty store.
  public func checkpoint(at now: Instant) throws -> CheckpointReply {
    guard let checkpoint = try reader.checkpoint() else {
      throw RequestError(.rejected, "the store is empty: there is nothing to keep yet")
    }
    return CheckpointReply(checkpoint, at: now)
  }
}
