internal import AuditLog
internal import Detection
internal import Model
internal import Settings

/// How much of a jail's limit an id has used up.
public struct WindowReply: Hashable, Sendable, Codable {
  public var jail: String
  public var weight: Int
  public var maxretry: Int
  /// Seconds.
  public var findtime: Int64
  /// The entry of `ignoreip` that covers the id now.
  public var ignoredBy: String?
  /// What else is in the jail's `ignoreip`.
  public var ignoreip: [String]
}

extension WindowReply {
  /// Of all jails that know the id, or in whose window it is.
  static func all(
    of identity: Identity, knownTo known: Set<String>, _ settings: Settings, _ reader: AuditReader, at now: Instant
  ) throws -> [WindowReply] {
    try settings.jails.filter(\.enabled).compactMap { jail in
      let limits = jail.limits
      // The block that the jail counts an address by.
      let counted = identity.subnet.flatMap { id in
        id.isSingleAddress
          ? Identity.network(Subnet(id.base, ipv4Prefix: limits.ipv4Prefix, ipv6Prefix: limits.ipv6Prefix)) : nil
      }
      let since = now.subtracting(limits.findtime)
      let weight = try reader.weight(
        of: counted ?? identity, jail: limits.name, since: since, byUser: limits.per == .user)
      guard weight > 0 || known.contains(jail.name) else { return nil }
      let ignored = identity.subnet.flatMap { id in limits.ignore.subnets.first { $0.contains(id) } }
      return WindowReply(
        jail: limits.name, weight: weight, maxretry: limits.maxretry, findtime: limits.findtime.seconds,
        ignoredBy: ignored?.description, ignoreip: limits.ignore.subnets.map(\.description))
    }
  }
}
