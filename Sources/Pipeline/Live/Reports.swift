internal import Detection
public import LogSources
public import Model
internal import Settings

/// One source, with what became of its lines: read = matched + ignored + unmatched. Lines over the limit are among them.
public struct SourceReport: Sendable {
  public var status: SourceStatus
  public var matched: Int
  public var ignored: Int
  /// Matches that were not believed, because a client may have written the line; counted as unmatched too.
  public var distrusted: Int
  /// How far ahead (negative: behind) its stamps are, where that is more than a minute.
  public var clockOffset: TimeSpan?
  public var jails: [String]
  /// What the filters of these jails make of its lines; nothing of the journal's.
  var understandings: [String: SourceUnderstanding] = [:]

  public var unmatched: Int { max(0, Int(clamping: status.lines) - matched - ignored) }
}

/// One jail, for `status`.
public struct JailReport: Sendable {
  public var name: String
  public var failures: Int
  public var tracked: Int
  public var evicted: Int
  public var bansInForce: Int
  public var bansEver: Int
}

/// What a reload changed, a line each.
enum ReloadReport {
  static func changes(from old: Settings, to new: Settings) -> [String] {
    var changes: [String] = []
    let before = Dictionary(old.jails.filter(\.enabled).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let after = Dictionary(new.jails.filter(\.enabled).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for jail in new.jails where jail.enabled {
      guard let known = before[jail.name] else {
        changes.append("jail \(jail.name) added")
        continue
      }
      var parts: [String] = []
      if known.limits.maxretry != jail.limits.maxretry {
        parts.append("maxretry \(known.limits.maxretry) → \(jail.limits.maxretry)")
      }
      if known.limits.findtime != jail.limits.findtime {
        parts.append("findtime \(known.limits.findtime.seconds) s → \(jail.limits.findtime.seconds) s")
      }
      if known.limits.bantime != jail.limits.bantime {
        func text(_ span: TimeSpan?) -> String { span.map { "\($0.seconds) s" } ?? "permanent" }
        parts.append("bantime \(text(known.limits.bantime)) → \(text(jail.limits.bantime))")
      }
      if known.definition != jail.definition { parts.append("filter") }
      if known.sources() != jail.sources() { parts.append("sources") }
      if known.ports != jail.ports { parts.append("ports \(known.ports) → \(jail.ports)") }
      if known.ignoreip != jail.ignoreip { parts.append("ignoreip") }
      if parts.isEmpty, known.limits != jail.limits { parts.append("limits") }
      if !parts.isEmpty { changes.append("jail \(jail.name): \(parts.joined(separator: ", "))") }
    }
    for jail in old.jails where jail.enabled && after[jail.name] == nil { changes.append("jail \(jail.name) removed") }
    if old.firewall != new.firewall { changes.append("firewall") }
    for (name, differs) in [
      ("ignoreself", old.ignoreself != new.ignoreself), ("on_full", old.onFull != new.onFull),
      ("lists", old.lists.map(\.withoutPlace) != new.lists.map(\.withoutPlace)),
      ("retention", old.retention != new.retention), ("protect_sessions", old.protectSessions != new.protectSessions),
      ("group", old.group != new.group), ("ignoreip", old.ignoreip != new.ignoreip),
      ("trusted_proxies", old.trustedProxies != new.trustedProxies), ("everybody", old.everybody != new.everybody),
      ("container_roots", old.containerRoots != new.containerRoots), ("geo", old.geo != new.geo),
      ("reports", old.reports != new.reports),
      ("outputs", old.outputs.map(\.withoutPlace) != new.outputs.map(\.withoutPlace)),
      ("activity", old.activity != new.activity), ("alerts", old.alerts != new.alerts),
      ("bans_per_minute_warning", old.bansPerMinuteWarning != new.bansPerMinuteWarning),
      ("failures.allow", old.failures?.allow != new.failures?.allow),
    ] where differs { changes.append(name) }
    for (name, differs) in [
      ("state", old.state != new.state), ("socket", old.socket != new.socket),
      ("api", old.api?.withoutJail != new.api?.withoutJail), ("compat", old.compat != new.compat),
      ("fleet", old.fleet != new.fleet), ("failures.socket", old.failures?.socket != new.failures?.socket),
    ] where differs { changes.append("\(name) takes effect at the next start") }
    return changes
  }
}
