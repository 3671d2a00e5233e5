internal import Detection
internal import Model
public import Settings
internal import Synchronization

/// What fail2ban's `set` commands changed: it holds until settings are read again by a reload of fail2ban's client, or until the
/// daemon ends, as with fail2ban.
///
/// ```swift
/// let limits = RuntimeLimits()
/// let load = { limits.applied(to: read()) }   // what the daemon reloads
/// ```
public final class RuntimeLimits: Sendable {
  struct Change: Sendable {
    var maxretry: Int?
    var findtime: TimeSpan?
    /// A span, or nil in it: permanent.
    var bantime: TimeSpan??
    var ignored: [IgnoreEntry] = []
    var notIgnored: Set<IgnoreEntry> = []
  }

  private let changes = Mutex<[String: Change]>([:])

  public init() {}

  public func applied(to reading: Settings.Reading) -> Settings.Reading {
    let changes = changes.withLock { $0 }
    var reading = reading
    for index in reading.settings.jails.indices {
      changes[reading.settings.jails[index].name]?.apply(to: &reading.settings.jails[index])
    }
    return reading
  }

  func change(_ jail: String, _ body: (inout Change) -> Void) {
    changes.withLock { body(&$0[jail, default: Change()]) }
  }

  func forget() { changes.withLock { $0 = [:] } }
}

extension RuntimeLimits.Change {
  fileprivate func apply(to jail: inout JailSettings) {
    if let maxretry { jail.limits.maxretry = maxretry }
    if let findtime { jail.limits.findtime = findtime }
    if let bantime { jail.limits.bantime = bantime }
    jail.ignoreip = jail.ignoreip.filter { !notIgnored.contains($0) } + ignored.filter { !jail.ignoreip.contains($0) }
    jail.limits.ignore = IgnoreList(
      jail.ignoreip.compactMap { if case .subnet(let subnet) = $0 { subnet } else { nil } })
  }
}
